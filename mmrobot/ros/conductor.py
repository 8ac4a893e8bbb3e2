"""From an instruction to its end: look, plan, publish, have it carried out, report. The newest wins.

No call waits: the model works on the inference thread, the plan is carried out by the executor's
action, and both come back in callbacks. One lock guards the state; ROS is reached through `Stage`.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from mmrobot.command.questions import is_question
from mmrobot.command.stop_words import is_stop
from mmrobot.config import Config
from mmrobot.errors import (
    AmbiguousError,
    CancelledError,
    DeadlineError,
    MmrobotError,
    PreemptedError,
    RobotUnavailableError,
    StaleError,
    StoppedError,
)
from mmrobot.ros.inference_thread import InferenceThread
from mmrobot.types import ActionPlan, Answer, PlanStep

APPROVAL_S = 120.0
HANDOVER_S = 5.0


class Phase(StrEnum):
    """Where a task stands."""

    HANDOVER = "waiting"
    HOMING = "homing"
    PLANNING = "planning"
    APPROVAL = "approval"
    EXECUTING = "executing"
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
    phase: Phase = Phase.HANDOVER
    plan: ActionPlan | None = None
    answer: str = ""
    steps_done: int = 0
    report: str = ""
    since_s: float = field(default_factory=time.monotonic)


class Stage(Protocol):
    """What the conductor needs of the graph. No call blocks but `make_plan`, on the inference thread."""

    def make_plan(self, instruction: str, dialogue: tuple[str, ...], after_ns: int) -> ActionPlan | Answer:
        """Look at a picture later than `after_ns`, and plan or answer; raises MmrobotError."""

    def answer(self, question: str) -> Answer | None:
        """An answer from the newest picture; None where the words ask for a move. Raises MmrobotError."""

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

    def stop_all(self) -> None:
        """Hold the robot, now."""

    def report(self, state: str, message: str, error: MmrobotError | None, task: Task) -> None:
        """Tell people."""

    def now_ns(self) -> int:
        """ROS time."""

    def silent(self) -> list[str]:
        """Nodes needed for execution whose heartbeat is missed, or that started anew since `execute`."""


class Conductor:
    """One task at a time; a newer instruction takes the running one's place."""

    def __init__(
        self, stage: Stage, inference: InferenceThread, config: Config, require_approval: bool
    ) -> None:
        self._stage, self._inference, self._config = stage, inference, config
        self._require_approval = require_approval
        self._lock = threading.RLock()
        self._task: Task | None = None
        # Questions that are asked of the model while a plan goes on; a stop or a cancel ends them too.
        self._asides: list[Task] = []
        self._robot_busy = False
        # After a stop or a failure the arm may hide the table: it goes home before the next look.
        self._away = False
        self._look_after_ns = 0
        self._dialogue: deque[str] = deque(maxlen=max(1, config.command.dialogue_turns))

    @property
    def task(self) -> Task | None:
        """The task under way."""
        return self._task

    def submit(self, task: Task) -> None:
        """Begin a task, ending the one under way as PREEMPTED; stop words stop instead, and a question is
        answered while that one goes on."""
        if is_stop(task.instruction):
            self._stage.stop_all()
            self.stop("somebody said stop")
            task.phase = Phase.ENDED
            task.on_end(Outcome(None))
            return
        if self._moving and not task.plan_only and is_question(task.instruction):
            with self._lock:
                self._asides.append(task)
            asked = self._inference.submit("answer", lambda: self._stage.answer(task.instruction))
            asked.add_done_callback(lambda done: self._answered(task, done))
            return
        self._take_over(task)

    @property
    def _moving(self) -> bool:
        task = self._task
        return task is not None and task.phase in (Phase.EXECUTING, Phase.HOMING)

    def _answered(self, task: Task, future: Future[Answer | None]) -> None:
        error = future.exception()
        with self._lock:
            if task not in self._asides:
                # Stopped or cancelled meanwhile: it must not begin to move now.
                return
            self._asides.remove(task)
            if error is None and (answer := future.result()) is not None:
                task.answer = answer.text
                self._end(task, None)
            elif error is None:
                # It sounded like a question and asks for a move.
                self._take_over(task)
            elif isinstance(error, MmrobotError):
                self._end(task, error)
            else:
                self._end(task, _fault("answering", error))
                raise error

    def _take_over(self, task: Task) -> None:
        with self._lock:
            previous, self._task = self._task, task
            if previous is not None:
                newer = PreemptedError(f"a newer instruction took its place: '{task.instruction[:60]}'")
                self._end(previous, newer)
            if self._robot_busy:
                self._stage.cancel_execution()
                self._enter(task, Phase.HANDOVER, "waiting for the robot to hold still")
            else:
                self._begin(task)

    def cancel(self, task: Task) -> None:
        """Its client wants no more of it."""
        self._drop(task, CancelledError("the instruction was cancelled by its client"))

    def stop(self, reason: str) -> None:
        """End the task under way as STOPPED. The robot was held by others already."""
        with self._lock:
            for task in (*self._asides, self._task):
                if task is not None:
                    self._drop(task, StoppedError(reason, "give a new instruction when it is safe"))

    def approve(self, plan_id: str, digest: str, approve: bool) -> str:
        """Decide on the plan that waits; raises StaleError when it is not that one."""
        with self._lock:
            task = self._task
            if task is None or task.phase is not Phase.APPROVAL or task.plan is None:
                raise StaleError(
                    "no plan waits for approval", "approve a plan while its status is 'approval'"
                )
            if (plan_id, digest) != (task.plan.plan_id, task.plan.digest):
                raise StaleError(
                    f"plan '{plan_id}' with digest {digest[:12]}... is not the one that waits",
                    f"look at plan '{task.plan.plan_id}' and approve its digest",
                )
            if not approve:
                self._finish(task, CancelledError("a person rejected the plan"))
                return "rejected"
            self._execute(task)
            return "approved"

    def tick(self) -> None:
        """Watch the time and the other nodes; call it some times a second."""
        with self._lock:
            task = self._task
            if task is None:
                return
            age_s = time.monotonic() - task.since_s
            limit_s = {
                Phase.PLANNING: self._config.model.timeout_s,
                Phase.APPROVAL: APPROVAL_S,
                Phase.HANDOVER: HANDOVER_S,
            }.get(task.phase)
            if limit_s is not None and age_s > limit_s:
                if task.phase is Phase.HANDOVER:
                    self._robot_busy = False
                self._finish(
                    task, DeadlineError(f"'{task.phase.value}' took longer than {limit_s} s", "try again")
                )
            elif task.phase in (Phase.EXECUTING, Phase.HOMING, Phase.HANDOVER) and self._robot_busy:
                silent = self._stage.silent()
                if silent:
                    self._robot_busy, self._away = False, True
                    self._stage.stop_all()
                    self._finish(
                        task,
                        RobotUnavailableError(
                            f"no heartbeat of {' and '.join(silent)} while the plan was carried out, "
                            "or a new start of it",
                            "start them again",
                        ),
                    )

    def _drop(self, task: Task, error: MmrobotError) -> None:
        with self._lock:
            if task in self._asides:
                self._asides.remove(task)
                self._end(task, error)
            if task is not self._task:
                return
            if self._robot_busy:
                self._stage.cancel_execution()
            self._finish(task, error)

    def _begin(self, task: Task) -> None:
        try:
            if self._away:
                self._enter(task, Phase.HOMING, "going home for a free view")
                self._run(task, _home_plan(task.instruction, self._stage.now_ns()))
                return
            self._plan(task)
        except MmrobotError as error:
            self._finish(task, error)

    def _plan(self, task: Task) -> None:
        self._enter(task, Phase.PLANNING, "looking and planning")
        dialogue, after_ns = tuple(self._dialogue), self._look_after_ns
        future = self._inference.submit(
            "plan", lambda: self._stage.make_plan(task.instruction, dialogue, after_ns)
        )
        future.add_done_callback(lambda done: self._planned(task, done))

    def _planned(self, task: Task, future: Future[ActionPlan | Answer]) -> None:
        with self._lock:
            if task is not self._task or task.phase is not Phase.PLANNING:
                return
            error = future.exception()
            if isinstance(error, MmrobotError):
                if isinstance(error, AmbiguousError):
                    task.on_progress("asking", error.message, 0, error.candidates)
                self._finish(task, error)
                return
            if error is not None:
                self._finish(task, _fault("planning", error))
                raise error
            made = future.result()
            if isinstance(made, Answer):
                task.answer = made.text
                self._finish(task, None)
                return
            plan = task.plan = made
            self._stage.publish_plan(plan)
            if task.plan_only:
                self._finish(task, None)
            elif self._require_approval:
                self._enter(task, Phase.APPROVAL, f"plan {plan.plan_id} waits for approval")
            else:
                self._execute(task)

    def _execute(self, task: Task) -> None:
        assert task.plan is not None
        self._enter(task, Phase.EXECUTING, f"carrying out {len(task.plan.steps)} steps")
        try:
            self._run(task, task.plan)
        except MmrobotError as error:
            self._finish(task, error)

    def _run(self, task: Task, plan: ActionPlan) -> None:
        self._stage.execute(
            plan,
            lambda step, message: task.on_progress(task.phase.value, message, step, ()),
            lambda error, steps, report: self._ran(task, error, steps, report),
        )
        self._robot_busy = True

    def _ran(self, task: Task, error: MmrobotError | None, steps_done: int, report: str) -> None:
        with self._lock:
            self._robot_busy = False
            self._look_after_ns = self._stage.now_ns()
            self._away = error is not None
            current = self._task
            if task is current and task.phase is Phase.HOMING and error is None:
                self._plan(task)
            elif task is current:
                task.steps_done, task.report = steps_done, report
                self._finish(task, error)
            elif current is not None and current.phase is Phase.HANDOVER:
                self._begin(current)

    def _enter(self, task: Task, phase: Phase, message: str) -> None:
        task.phase, task.since_s = phase, time.monotonic()
        self._stage.report(phase.value, message, None, task)
        task.on_progress(phase.value, message, 0, ())

    def _finish(self, task: Task, error: MmrobotError | None) -> None:
        if task is self._task:
            self._task = None
        self._end(task, error)

    def _end(self, task: Task, error: MmrobotError | None) -> None:
        if task.phase is Phase.ENDED:
            return
        task.phase = Phase.ENDED
        self._dialogue.append(task.instruction)
        words = task.answer or "done" if error is None else error.message
        self._dialogue.append(words)
        state = ("answered" if task.answer else "done") if error is None else "failed"
        told = task.report if error is None and task.report else words
        self._stage.report(state, told, error, task)
        task.on_end(Outcome(error, task.plan, task.steps_done, task.answer, task.report))


def _fault(what: str, error: BaseException) -> MmrobotError:
    return MmrobotError(f"{what} failed: {type(error).__name__}: {error}", "please report this")


def _home_plan(instruction: str, now_ns: int) -> ActionPlan:
    """Out of the camera's way; made by no model."""
    step = PlanStep(index=0, skill="home")
    return ActionPlan(uuid.uuid4().hex, instruction, (step,), now_ns, "none")
