"""One instruction from its words to its end, and what the conductor of such tasks needs of the graph."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from mmrobot.command.stop_words import StopKind
from mmrobot.errors import MmrobotError
from mmrobot.types import ActionPlan, Answer, Pointing


class Phase(StrEnum):
    """Where a task stands."""

    HANDOVER = "waiting"
    QUEUED = "queued"
    HOMING = "homing"
    PLANNING = "planning"
    APPROVAL = "approval"
    EXECUTING = "executing"
    HELD = "held"
    ENDED = "ended"


@dataclass(frozen=True)
class Outcome:
    """How a task ended: `error` None when it was carried out (or, with plan_only, planned), or answered."""

    error: MmrobotError | None
    plan: ActionPlan | None = None
    steps_done: int = 0
    answer: str = ""
    report: str = ""
    """What was done, and what was not and why; "" when nothing was carried out."""


@dataclass(eq=False)
class Task:
    """One instruction. `on_progress(phase, message, step, options)` and `on_end` come from any thread."""

    instruction: str
    plan_only: bool = False
    on_progress: Callable[[str, str, int, tuple[str, ...]], None] = lambda *_: None
    on_end: Callable[[Outcome], None] = lambda _: None
    conversation: str = ""
    """Whose words these are; "" is the common conversation."""
    pointings: tuple[Pointing, ...] = ()
    phase: Phase = Phase.HANDOVER
    plan: ActionPlan | None = None
    answer: str = ""
    steps_done: int = 0
    report: str = ""
    begun: bool = False
    """Whether some of it may have been carried out."""
    resumes: bool = False
    """Whether what is left of it is to be planned, and not all of it."""
    followers: list[Task] = field(default_factory=list)
    """Who said "go on": they hear of its end too."""
    since_s: float = field(default_factory=time.monotonic)


class Stage(Protocol):
    """What the conductor needs of the graph. No call blocks but those on the inference thread."""

    def make_plan(self, task: Task, dialogue: tuple[str, ...], after_ns: int) -> ActionPlan | Answer:
        """Look at a picture later than `after_ns`, and plan or answer; raises MmrobotError. On the inference
        thread."""

    def aside(self, task: Task) -> Answer | None:
        """An answer from the newest picture; None where the words ask for a move. Raises MmrobotError. On the
        inference thread."""

    def publish_plan(self, plan: ActionPlan) -> None:
        """Tell everybody of a plan that will be carried out, or was asked for."""

    def execute(
        self,
        plan: ActionPlan,
        on_step: Callable[[int, str], None],
        on_end: Callable[[MmrobotError | None, int, str], None],
    ) -> None:
        """Have a plan carried out; raises RobotUnavailableError when nobody does."""

    def cancel_execution(self) -> None:
        """End the running plan; its `on_end` follows."""

    def halt(self, kind: StopKind, words: str) -> None:
        """Hold the robot, now; all nodes hear of it."""

    def forget(self, conversation: str) -> None:
        """Nothing is left to go on with."""

    def report(self, state: str, message: str, error: MmrobotError | None, task: Task) -> None:
        """Tell people."""

    def now_ns(self) -> int:
        """ROS time."""

    def silent(self) -> list[str]:
        """Nodes needed for execution whose heartbeat is missed, or that started anew since `execute`."""
