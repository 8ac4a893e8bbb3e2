"""Whether an episode can be done at all: played once with true sight and the right plan, and remembered.

Who fails an episode that even this fails is not to blame: it is not counted, and told apart. What was found
out holds while the episode, the settings and the code of simulator, arm, planner and runner are the same.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import mmrobot
from mmrobot.config import Config
from mmrobot.evals.manifest import episode_hash
from mmrobot.evals.oracle import scripted
from mmrobot.evals.results import EpisodeResult
from mmrobot.tabletop.episode import Episode
from mmrobot.vlm.engines.cache import cache_folder

ORACLE = "both_true"
_RESTS_ON = (
    *("tabletop", "simulator", "arm", "planning", "execution", "safety"),
    *("looking.py", "locating.py", "pipeline.py", "conversation.py"),
    *("evals/oracle.py", "evals/goal_plans.py", "evals/judge.py", "evals/history.py"),
    *("evals/episode_runner.py", "evals/conditions.py", "evals/unseen.py"),
)


def has_oracle(episode: Episode) -> bool:
    """Whether there is a script of what to do; questions, choices and refusals have none."""
    return bool(scripted(episode))


@cache
def code_digest(rooms: tuple[str, ...] = ("",)) -> str:
    """SHA-256 over the package's sources and its worlds, or over some rooms of it; twelve digits."""
    root = Path(mmrobot.__file__).parent
    files: set[Path] = set()
    for room in rooms:
        files |= set(root.glob(room)) if room.endswith(".py") else set((root / room).rglob("*.py"))
    files |= set((root.parent / "sim").rglob("*.sdf"))
    total = hashlib.sha256()
    for path in sorted(files):
        total.update(f"{path.relative_to(root.parent)}\0".encode() + path.read_bytes())
    return total.hexdigest()[:12]


class OracleMemory:
    """Results of the oracle by episode and settings, in a file of the cache; unreadable lines are skipped."""

    def __init__(self, config: Config, folder: Path | None = None) -> None:
        self._path = (folder or cache_folder()) / "oracle.jsonl"
        settings = hashlib.sha256(json.dumps(config.model_dump(), sort_keys=True).encode()).hexdigest()[:12]
        self._key = f"{settings} {code_digest(_RESTS_ON)}"
        self._known: dict[str, EpisodeResult] = {}
        for line in self._path.read_text(encoding="utf-8").splitlines() if self._path.is_file() else ():
            try:
                data = json.loads(line)
                rests_on, name = data.pop("rests_on"), data.pop("episode")
                if rests_on == self._key:
                    self._known[name] = EpisodeResult.from_dict(data)
            except (ValueError, KeyError, TypeError):
                continue

    def known(self, episode: Episode) -> EpisodeResult | None:
        """What the oracle achieved in it, if that is known."""
        return self._known.get(episode_hash(episode))

    def remember(self, episode: Episode, result: EpisodeResult) -> None:
        """A fault of the machinery is no knowledge."""
        if result.outcome == "error" or self.known(episode) is not None:
            return
        name = episode_hash(episode)
        self._known[name] = result
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a", encoding="utf-8") as file:
            line = {"rests_on": self._key, "episode": name, **result.as_dict()}
            file.write(json.dumps(line) + "\n")


def not_doable(results: Iterable[EpisodeResult]) -> dict[str, str]:
    """Of the oracle's results: the episodes that it failed, with the reason."""
    return {r.name: r.reason for r in results if not r.passed and r.outcome != "error"}
