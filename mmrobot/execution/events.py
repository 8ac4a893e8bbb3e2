"""What the runner reports while it works, and how it stands."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from mmrobot.errors import ErrorCode
from mmrobot.types import GroundedObject, PlanStep


class EventKind(str, Enum):
    """What happened."""

    PLAN_STARTED = "plan_started"
    LOOKING = "looking"
    STEP_STARTED = "step_started"
    PHASE = "phase"
    TARGET_MOVED = "target_moved"
    SAID = "said"
    RETRYING = "retrying"
    STEP_FINISHED = "step_finished"
    STEP_FAILED = "step_failed"
    PLAN_FINISHED = "plan_finished"
    PLAN_FAILED = "plan_failed"
    STOPPED = "stopped"


@dataclass(frozen=True)
class RunnerEvent:
    """One report. `step` is the step as it is carried out (its things located anew)."""

    kind: EventKind
    time_s: float
    message: str
    step_index: int | None = None
    step: PlanStep | None = None
    code: ErrorCode = ErrorCode.NONE


class RunnerState(str, Enum):
    """Where the runner stands."""

    IDLE = "idle"
    STARTING = "starting"
    LOOKING = "looking"
    MOVING = "moving"
    HOMING = "homing"
    VERIFYING = "verifying"
    CHECKING = "checking"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    STOPPED = "stopped"

    @property
    def running(self) -> bool:
        return self not in (
            RunnerState.IDLE, RunnerState.SUCCEEDED, RunnerState.FAILED, RunnerState.STOPPED,
        )  # fmt: skip


@dataclass(frozen=True)
class RunnerStatus:
    """How the plan stands: `code` and `message` say why when it failed or was stopped; `report` is the
    end in words: what was done, and what was not."""

    state: RunnerState
    step_index: int = 0
    steps: int = 0
    held: GroundedObject | None = None
    code: ErrorCode = ErrorCode.NONE
    message: str = ""
    phase: str = ""
    report: str = ""
