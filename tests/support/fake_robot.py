"""A robot and a looker that do as they are told, for tests of the runner."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from mmrobot.errors import ErrorCode
from mmrobot.execution.robot import LookResult, SkillStatus
from mmrobot.types import GroundedObject, PlanStep


@dataclass
class FakeRobot:
    """Each skill takes `polls` polls, then ends with the next of `results` (success when there is none)."""

    polls: int = 2
    results: list[SkillStatus] = field(default_factory=list)
    started: list[PlanStep] = field(default_factory=list)
    stops: int = 0
    moving: bool = False
    _left: int = 0

    def start(self, step: PlanStep) -> None:
        assert not self.moving, "a skill is running"
        self.started.append(step)
        self.moving, self._left = True, self.polls

    def poll(self) -> SkillStatus:
        self._left -= 1
        if self._left > 0:
            return SkillStatus(False, phase="moving", progress=0.5)
        self.moving = False
        return self.results.pop(0) if self.results else SkillStatus(True)

    def stop(self) -> None:
        self.stops += 1
        self.moving = False


@dataclass
class FakeLooker:
    """Answers with the step, its stamps made fresh by `see`, after `polls` polls."""

    see: Callable[[PlanStep], LookResult]
    polls: int = 1
    asked: list[tuple[PlanStep, GroundedObject | None]] = field(default_factory=list)
    _left: int = 0

    def start(self, step: PlanStep, held: GroundedObject | None) -> None:
        self.asked.append((step, held))
        self._left = self.polls

    def poll(self) -> LookResult | None:
        self._left -= 1
        return None if self._left > 0 else self.see(self.asked[-1][0])


def failed(code: ErrorCode, message: str = "as the test wants") -> SkillStatus:
    """A skill that ended badly."""
    return SkillStatus(True, code, message)
