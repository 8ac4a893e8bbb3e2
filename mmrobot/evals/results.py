"""What came of an episode, as it goes into JSON and reports."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

COLLISION_N = 5.0
"""What the robot touches harder than this, without holding it, it has run into."""
OUTCOMES = ("success", "clarify", "refuse", "answer", "wrong", "timeout", "error")
# To "did you mean ...?": nothing was read back; that was meant; it was not; nobody was there to say.
READ_BACKS = ("", "yes", "no", "unanswered")
# Which part failed: words, finding the thing, the plan's geometry and rules, grasp, place, the last look,
# model, machinery.
PARTS = ("", "language", "ground", "plan", "grasp", "place", "verify", "model", "error")


@dataclass(frozen=True)
class EpisodeResult:
    """One episode. `passed`: all that it expects held; `strict`: and nothing else moved more than 2 cm;
    `claimed`: the robot says that it succeeded; `credit`: the share of its goals that came true by it;
    `asked`: it asked back, whatever it asked, `asked_which`: it asked which thing is meant, `ask_needed`: it
    had to; `read_back`: of READ_BACKS, what the person said to the last sentence read back; `peak_force_n`:
    the hardest that it ran into something.
    """

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
    expected: str = ""
    credit: float = 0.0
    asked: bool = False
    ask_needed: bool = False
    peak_force_n: float = 0.0
    asked_which: bool = False
    read_back: str = ""

    @property
    def collided(self) -> bool:
        """Whether the robot ran into something."""
        return self.peak_force_n > COLLISION_N

    @property
    def unaided(self) -> bool:
        """Whether it passed without having had to read anything back."""
        return self.passed and not self.read_back

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> EpisodeResult:
        """From a line of `episodes.jsonl`."""
        return cls(**{**data, "plan": tuple(data["plan"])})
