"""What the runner needs of a robot, and of whoever looks for it. No ROS here; `ros/` adapts actions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from mmrobot.errors import ErrorCode
from mmrobot.types import GroundedObject, PlanStep


@dataclass(frozen=True)
class SkillStatus:
    """How a skill stands. `done` with `code` NONE means success; otherwise `message` says why not."""

    done: bool
    code: ErrorCode = ErrorCode.NONE
    message: str = ""
    phase: str = ""
    progress: float = 0.0


class Robot(Protocol):
    """Carries out one skill at a time. No call blocks."""

    def start(self, step: PlanStep) -> None:
        """Begin a skill; errors show in the next poll."""

    def poll(self) -> SkillStatus:
        """How the skill stands now."""

    def stop(self) -> None:
        """Hold still at once and drop the skill. May be called at any time, any number of times."""


@dataclass(frozen=True)
class LookResult:
    """What a fresh look found: the step with its things located anew, or why not."""

    step: PlanStep | None
    code: ErrorCode = ErrorCode.NONE
    message: str = ""


class Looker(Protocol):
    """Grounds a step's things afresh. No call blocks."""

    def start(self, step: PlanStep, held: GroundedObject | None) -> None:
        """Ask for a fresh look at what the step names; `held` is what the hand holds."""

    def poll(self) -> LookResult | None:
        """None while looking."""
