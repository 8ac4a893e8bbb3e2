"""An episode: a scene, what is said, what happens meanwhile, what must be true at the end."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

import yaml
from pydantic import ConfigDict

from mmrobot.errors import InvalidSceneError
from mmrobot.tabletop.goals import parse_goal
from mmrobot.tabletop.objects import nearest_name
from mmrobot.tabletop.parsing import parse
from mmrobot.tabletop.plan_meaning import Meaning
from mmrobot.tabletop.scene import Scene, check_position, check_scene

OUTCOMES = ("success", "clarify", "refuse", "answer")
MOMENTS = ("plan", "step", "done", "seconds")
_STRICT = ConfigDict(extra="forbid")


@dataclass(frozen=True)
class When:
    """A moment of a run: `plan` published, `step` N (from 0) begins, `done`, `seconds` after the words."""

    moment: str
    value: float = 0.0


@dataclass(frozen=True)
class Followup:
    """Words said later on."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    when: str
    say: str


@dataclass(frozen=True)
class Move:
    """An object put elsewhere by somebody; `position` is the middle of its underside, as in a scene."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    id: str
    position: tuple[float, float] | tuple[float, float, float]


@dataclass(frozen=True)
class Disturbance:
    """What somebody does to the scene meanwhile."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    when: str
    move: Move


@dataclass(frozen=True)
class Expect:
    """What must hold at the end: outcome, goal predicates, ids that may not have moved, accepted answers."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    outcome: str = "success"
    goal: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    answer: tuple[str, ...] = ()


@dataclass(frozen=True)
class Episode:
    """One run of the robot, with how it is judged.

    `meant` is what a truthful person says yes to: the plan (plan_meaning.py) that the instruction means, then
    each followup's, () where it means none. Empty where nobody is there to answer.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    name: str
    scene: Scene
    instruction: str
    family: str = "custom"
    level: str = "L0"
    followups: tuple[Followup, ...] = ()
    disturb: tuple[Disturbance, ...] = ()
    expect: Expect = field(default_factory=Expect)
    meant: tuple[Meaning, ...] = ()

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], source: str = "episode") -> Episode:
        """Reads and checks. Raises InvalidSceneError."""
        episode = parse(cls, data, source)
        check_episode(episode, source)
        return episode

    def to_dict(self) -> dict[str, Any]:
        """As in a file, in the schema's order."""
        e = self.expect
        return {
            "name": self.name,
            "family": self.family,
            "level": self.level,
            "scene": self.scene.to_dict(),
            "instruction": self.instruction,
            "followups": [{"when": f.when, "say": f.say} for f in self.followups],
            "disturb": [
                {"when": d.when, "move": {"id": d.move.id, "position": list(d.move.position)}}
                for d in self.disturb
            ],
            "expect": {
                "outcome": e.outcome,
                "goal": list(e.goal),
                "unchanged": list(e.unchanged),
                "answer": list(e.answer),
            },
            **({"meant": [[list(pair) for pair in plan] for plan in self.meant]} if self.meant else {}),
        }


def parse_when(text: str, source: str = "when") -> When:
    """`step:2` as When('step', 2). Raises InvalidSceneError."""
    moment, colon, number = text.partition(":")
    wants_number = moment in ("step", "seconds")
    fix = "Write plan, step:N, done or seconds:S."
    if moment not in MOMENTS or wants_number != bool(colon):
        raise InvalidSceneError(f"{source}: '{text}' is no moment", fix)
    if not wants_number:
        return When(moment)
    try:
        value = int(number) if moment == "step" else float(number)
    except ValueError as e:
        raise InvalidSceneError(f"{source}: '{text}': '{number}' is no number", fix) from e
    if not (math.isfinite(value) and value >= 0):
        raise InvalidSceneError(f"{source}: '{text}'", "Count from 0.")
    return When(moment, value)


def _check_ids(names: Iterable[str], scene: Scene, field_name: str) -> None:
    for name in names:
        if name not in scene.by_id:
            known = list(scene.by_id) or ["none"]
            raise InvalidSceneError(
                f"{field_name}: '{name}' is no object of the scene",
                f"Did you mean '{nearest_name(name, known)}'? The scene has: {', '.join(known)}.",
            )


def check_episode(episode: Episode, source: str = "episode") -> None:
    """Scene, moments, ids, predicates and outcome make sense together. Raises InvalidSceneError."""
    if not episode.name.strip():
        raise InvalidSceneError(f"{source}: name: '{episode.name}'", "Give the episode a name.")
    scene, expect = episode.scene, episode.expect
    check_scene(scene, f"{source}: scene")
    if expect.outcome not in OUTCOMES:
        raise InvalidSceneError(
            f"{source}: expect.outcome: '{expect.outcome}' is no known outcome",
            f"Did you mean '{nearest_name(expect.outcome, OUTCOMES)}'? Known: {', '.join(OUTCOMES)}.",
        )
    if expect.outcome == "answer" and not expect.answer:
        raise InvalidSceneError(f"{source}: expect.answer: empty", "List the answers that are accepted.")
    for i, text in enumerate(expect.goal):
        where = f"{source}: expect.goal[{i}]"
        _check_ids(parse_goal(text, where).objects, scene, where)
    _check_ids(expect.unchanged, scene, f"{source}: expect.unchanged")
    said = 1 + len(episode.followups)
    if episode.meant and len(episode.meant) != said:
        raise InvalidSceneError(
            f"{source}: meant: has {len(episode.meant)} plans for {said} sentences",
            "Give one plan for the instruction and one for each followup, [] for none, or leave it out.",
        )
    for i, f in enumerate(episode.followups):
        parse_when(f.when, f"{source}: followups[{i}].when")
    for i, d in enumerate(episode.disturb):
        where = f"{source}: disturb[{i}]"
        parse_when(d.when, f"{where}.when")
        _check_ids([d.move.id], scene, f"{where}.move.id")
        if not all(math.isfinite(v) for v in d.move.position):
            raise InvalidSceneError(f"{where}.move.position: {list(d.move.position)}", "Use finite numbers.")
        check_position(replace(scene.by_id[d.move.id], position=d.move.position), f"{where}.move")


def _read_yaml(path: Path) -> Any:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as e:
        raise InvalidSceneError(f"{path}: no such file", "Check the path.") from e
    except IsADirectoryError as e:
        raise InvalidSceneError(f"{path}: is a folder", "Name a YAML file.") from e
    except PermissionError as e:
        raise InvalidSceneError(f"{path}: may not be read", "Check the file's permissions.") from e
    except UnicodeDecodeError as e:
        raise InvalidSceneError(f"{path}: is no UTF-8 text (byte {e.start})", "Save it as UTF-8 YAML.") from e
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError) as e:
        mark = getattr(e, "problem_mark", None)
        line = f", line {mark.line + 1}, column {mark.column + 1}" if mark is not None else ""
        problem = getattr(e, "problem", None) or str(e)
        raise InvalidSceneError(f"{path}{line}: not YAML: {problem}", "Correct the YAML there.") from e


def load_episodes(path: str | Path) -> list[Episode]:
    """All episodes of a YAML file, checked. Raises InvalidSceneError: file, episode, field, value and fix."""
    path = Path(path)
    data = _read_yaml(path)
    if not isinstance(data, list) or not data:
        found = "nothing" if data in (None, []) else type(data).__name__
        raise InvalidSceneError(
            f"{path}: holds {found}, not a list of episodes",
            "Write a list: begin each episode with '- name: ...'.",
        )
    episodes: list[Episode] = []
    places: dict[str, int] = {}
    for i, item in enumerate(data):
        name = item.get("name") if isinstance(item, dict) else None
        episode = Episode.from_dict(item, f"{path}: episode '{name}'" if name else f"{path}: episode [{i}]")
        if episode.name in places:
            raise InvalidSceneError(
                f"{path}: episode [{i}]: name: '{episode.name}' is already the name of "
                f"episode [{places[episode.name]}]",
                "Give each episode its own name.",
            )
        places[episode.name] = i
        episodes.append(episode)
    return episodes


def dump_episodes(episodes: Iterable[Episode]) -> str:
    """The YAML text of a file of episodes."""
    return yaml.safe_dump([e.to_dict() for e in episodes], sort_keys=False, allow_unicode=True, width=110)
