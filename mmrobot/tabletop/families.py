"""Families of tasks: an episode from family, level and seed, the same for the same three.

L0 says with trained words what to do in a scene never seen; L1 names attribute pairs kept out of training;
L2 keeps L0's scenes and says it in wordings kept out, with politeness, fillers and typos. Seeds of evaluation
begin at EVALUATION_SEED; training takes those below.
"""

from __future__ import annotations

import difflib
import itertools
import math
import random
import zlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mmrobot.errors import InvalidSceneError
from mmrobot.tabletop.episode import Episode, Expect, check_episode
from mmrobot.tabletop.footprint import Footprint, gap_m
from mmrobot.tabletop.goals import DIRECTIONS, failed_goals, initial_world
from mmrobot.tabletop.language import CLEAN, TRAINING, Command, Thing, make_command, things_of
from mmrobot.tabletop.objects import GRASPABLE, SHAPES, SIZES, nearest_name
from mmrobot.tabletop.sampling import HELD_OUT, HELD_OUT_HOLDERS, HELD_OUT_PAIRS, Kind, sample_scene
from mmrobot.tabletop.scene import WORK_AREA_X, WORK_AREA_Y, Scene, SceneObject

EVALUATION_SEED = 1_000_000
LEVELS = ("L0", "L1", "L2")
# By attributes alone: order and relations belong to the family `refer`.
PHRASE_KINDS: dict[str, dict[str, float]] = {
    "L0": {"color_shape": 10.0, "color": 1.5, "shape": 2.0},
    "L1": {"color_shape": 1.0},
    "L2": {"color_shape": 10.0, "color": 1.5, "shape": 2.0},
}
NEAR_M = 0.15
# At most this much between two footprints: config's planning.beside_gap_max_m and some error.
_BESIDE_REACH_M = 0.07
_BESIDE_GAP_M = 0.03
_SPOT_CLEARANCE_M = 0.025
_TOWER_SHARE = 0.2
_TRIES = 300


@dataclass(frozen=True)
class Draft:
    """A scene with what is meant: goals, ids that the task touches, and what to ask the language for."""

    scene: Scene
    family: str
    target: str | None = None
    reference: str | None = None
    relation: str | None = None


def _pair(rng: np.random.Generator, pairs: frozenset[tuple[str, str]], shapes: tuple[str, ...]) -> Kind:
    """One of the held-out pairs of those shapes."""
    fitting = sorted(p for p in pairs if p[1] in shapes)
    color, shape = fitting[int(rng.integers(len(fitting)))]
    return Kind(shape, color)


def _one(rng: np.random.Generator, names: tuple[str, ...], weights: tuple[float, ...] | None = None) -> str:
    p = None if weights is None else np.asarray(weights) / sum(weights)
    return str(names[int(rng.choice(len(names), p=p))])


def _target(rng: np.random.Generator, level: str) -> Kind:
    if level == "L1":
        return _pair(rng, HELD_OUT_PAIRS, GRASPABLE)
    return Kind(_one(rng, GRASPABLE, (1.5, 1, 1, 1, 0.7)))


def _scene(
    rng: np.random.Generator, level: str, wishes: list[Kind], count: tuple[int, int] = (3, 8)
) -> Scene:
    return sample_scene(
        rng, count, wishes=wishes, distinct=True, exclude_pairs=() if level == "L1" else HELD_OUT
    )


def _pick(rng: np.random.Generator, level: str) -> Draft | None:
    scene = _scene(rng, level, [_target(rng, level)])
    return Draft(scene, "pick", scene.objects[0].id)


def _fits(target: SceneObject, holder: SceneObject) -> bool:
    """Whether a thing lies in a holder, not across it; a tray takes all."""
    return holder.shape == "tray" or target.footprint.reach_m <= 0.85 * holder.dims.opening_m[0] / 2


def _put_in(rng: np.random.Generator, level: str) -> Draft | None:
    holder = Kind(_one(rng, ("bowl", "plate", "tray"), (0.55, 0.2, 0.25)))
    target = _target(rng, level)
    if level == "L1" and rng.random() < 0.5:
        holder = _pair(rng, HELD_OUT_HOLDERS, ("bowl", "tray"))
        target = _target(rng, "L0") if rng.random() < 0.5 else target
    scene = _scene(rng, level, [target, holder])
    a, b = scene.objects[:2]
    return Draft(scene, "put_in", a.id, b.id) if _fits(a, b) else None


def _spot(target: SceneObject, reference: SceneObject, relation: str) -> Footprint:
    """Where the target would stand beside the reference."""
    axis, sign = DIRECTIONS[relation]
    away = target.footprint.extent_m[axis] + reference.footprint.extent_m[axis] + _BESIDE_GAP_M
    center = [reference.position[0], reference.position[1]]
    center[axis] += sign * away
    return Footprint((center[0], center[1]), target.footprint.half_m, target.yaw, target.footprint.round)


def _free(spot: Footprint, scene: Scene, but: str) -> bool:
    x, y = spot.center_m
    ex, ey = spot.extent_m
    inside = WORK_AREA_X[0] <= x - ex and x + ex <= WORK_AREA_X[1]
    inside = inside and WORK_AREA_Y[0] <= y - ey and y + ey <= WORK_AREA_Y[1]
    return inside and all(gap_m(spot, o.footprint) >= _SPOT_CLEARANCE_M for o in scene.objects if o.id != but)


def _put_beside(rng: np.random.Generator, level: str) -> Draft | None:
    scene = _scene(rng, level, [_target(rng, level), Kind(_one(rng, SHAPES))])
    a, b = scene.objects[:2]
    relations = [r for r in DIRECTIONS if _free(_spot(a, b, r), scene, a.id)]
    if not relations:
        return None
    return Draft(scene, "put_beside", a.id, b.id, relations[int(rng.integers(len(relations)))])


def _stack(rng: np.random.Generator, level: str) -> Draft | None:
    """Cubes, none on a smaller one; a tower of three now and then."""
    if level != "L1" and rng.random() < _TOWER_SHARE:
        # Others that could be part of the tower would leave open which three are meant.
        scene = sample_scene(
            rng,
            (3, 6),
            wishes=[Kind("cube")] * 3,
            distinct=True,
            shapes=("ball", "cup", "bowl", "plate", "tray"),
        )
        return Draft(scene, "tower")
    cubes = [Kind("cube"), Kind("cube")]
    if level == "L1":
        cubes[int(rng.integers(2))] = _pair(rng, HELD_OUT_PAIRS, ("cube",))
    scene = _scene(rng, level, cubes)
    a, b = scene.objects[:2]
    return Draft(scene, "stack", a.id, b.id, "on") if SIZES.index(a.size) <= SIZES.index(b.size) else None


def _goals(draft: Draft, command: Command) -> list[str]:
    """What must be true once the command is carried out; the meaning is the command's own."""
    goals: list[str] = []
    target = ""
    for step in command.steps:
        if step.skill == "pick":
            (target,) = step.target_ids
        elif step.skill == "place":
            (reference,) = step.reference_ids
            goals += _placed(draft, target, step.relation or "", reference, command.text)
    return goals or [f"held({target})"]


def _placed(draft: Draft, target: str, relation: str, reference: str, text: str) -> list[str]:
    if relation not in DIRECTIONS:
        return [f"{relation}({target}, {reference})"]
    a, b = (draft.scene.by_id[n].footprint for n in (target, reference))
    axis, _ = DIRECTIONS[relation]
    near = max(NEAR_M, math.ceil(100 * (a.extent_m[axis] + b.extent_m[axis] + _BESIDE_REACH_M)) / 100)
    close = f"near({target}, {reference}, {near:g})"
    if relation == "right_of" and not _says_right(text):
        return [close, f"not in({target}, {reference})", f"not on({target}, {reference})"]
    return [f"{relation}({target}, {reference})", close]


def _says_right(text: str) -> bool:
    """Whether the side is named: "next to" and the like leave it open, though they are planned on the right.

    By likeness, since words may be mistyped or misheard; "bright red" names no side.
    """
    known = ("right", "rightward", "write", "rite", "bright")
    nearest = [
        difflib.get_close_matches(w.strip(".,!?"), known, n=1, cutoff=0.75) for w in text.lower().split()
    ]
    return any(match and match[0] != "bright" for match in nearest)


def _sizes_rise(scene: Scene, command: Command) -> bool:
    """No cube is placed on a smaller one."""
    target = ""
    for step in command.steps:
        if step.skill == "pick":
            (target,) = step.target_ids
        elif step.relation == "on" and scene.by_id[target].shape == "cube":
            (base,) = step.reference_ids
            if scene.by_id[base].shape == "cube":
                below, above = (SIZES.index(scene.by_id[n].size) for n in (base, target))
                if above > below:
                    return False
    return True


def _say(draft: Draft, level: str, words: random.Random) -> Command | None:
    things: tuple[Thing, ...] = things_of(draft.scene)
    return make_command(
        words,
        things,
        family=draft.family,
        target=draft.target,
        reference=draft.reference,
        relation=draft.relation,
        split="heldout" if level == "L2" else "train",
        noise=TRAINING if level == "L2" else CLEAN,
        kinds=PHRASE_KINDS[level],
    )


FAMILIES: dict[str, Callable[[np.random.Generator, str], Draft | None]] = {
    "pick": _pick,
    "put_in": _put_in,
    "put_beside": _put_beside,
    "stack": _stack,
}


def _check_names(family: str, level: str, seed: int) -> None:
    for kind, value, known in (("family", family, tuple(FAMILIES)), ("level", level, LEVELS)):
        if value not in known:
            raise InvalidSceneError(
                f"'{value}' is no known {kind}",
                f"Did you mean '{nearest_name(value, known)}'? Known: {', '.join(known)}.",
            )
    if seed < 0:
        raise InvalidSceneError(f"seed {seed} is below 0", "Use a seed of 0 or more.")


def generate_episode(family: str, level: str, seed: int) -> Episode:
    """One episode, always the same for the same arguments. Raises InvalidSceneError for unknown names."""
    _check_names(family, level, seed)
    # The level is left out, so that L0 and L2 of one seed share their scene.
    rng = np.random.default_rng([seed, zlib.crc32(family.encode())])
    for attempt in itertools.count():
        if attempt == _TRIES:
            raise InvalidSceneError(f"no episode of {family} {level} with seed {seed}", "Take another seed.")
        draft = FAMILIES[family](rng, level)
        # Drawn apart from the scene: how often words are tried must not change it.
        words = random.Random(int(rng.integers(2**31)))
        if draft is None:
            continue
        episode = _worded(draft, family, level, seed, words)
        if episode is not None:
            return episode
    raise AssertionError("unreachable")


def _worded(draft: Draft, family: str, level: str, seed: int, words: random.Random) -> Episode | None:
    for _ in range(30 if draft.family == "tower" else 1):
        command = _say(draft, level, words)
        if command is None or not _sizes_rise(draft.scene, command):
            continue
        goals = _goals(draft, command)
        if not failed_goals(goals, initial_world(draft.scene), draft.scene):
            return None
        touched = set().union(*(s.target_ids | s.reference_ids for s in command.steps))
        others = tuple(o.id for o in draft.scene.objects if o.id not in touched)
        expect = Expect("success", tuple(goals), others)
        episode = Episode(f"{family}_{level}_{seed}", draft.scene, command.text, family, level, expect=expect)
        check_episode(episode, episode.name)
        return episode
    return None
