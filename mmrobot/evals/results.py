"""What came of an episode, as it goes into JSON and reports."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

OUTCOMES = ("success", "clarify", "refuse", "answer", "wrong", "timeout", "error")
# Which part failed: words, finding the thing, the plan's geometry and rules, grasp, place, model, machinery.
PARTS = ("", "language", "ground", "gate", "grasp", "place", "model", "error")


@dataclass(frozen=True)
class EpisodeResult:
    """One episode. `passed`: all that it expects held; `strict`: and nothing else moved more than 2 cm;
    `claimed`: the robot says that it succeeded."""

    name: str
    family: str
    level: str
    passed: bool
    strict: bool
    outcome: str
    claimed: bool
    reason: str = ""
    part: str = ""
    instruction: str = ""
    plan: tuple[str, ...] = ()
    retries: int = 0
    simulated_s: float = 0.0
    wall_s: float = 0.0
    cpu_s: float = 0.0
    timings_ms: dict[str, float] = field(default_factory=dict)
    picture: str = ""

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> EpisodeResult:
        """From a line of `episodes.jsonl`."""
        return cls(**{**data, "plan": tuple(data["plan"])})
