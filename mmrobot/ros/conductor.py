"""From words to their end: look, plan, publish, have it carried out, report. One task at a time.

A newer request takes the running one's place; one that begins with "then" waits for its end; a question is
answered while it goes on; what is not understood ends nothing. A stop ends the task, a hold keeps it for
"go on", a cancel forgets it.

No call waits: the model works on the inference thread, the plan is carried out by the executor's action, and
both come back in callbacks. One lock guards the state; ROS is reached through `Stage`.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections import OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError

from mmrobot.command.control import decides, goes_on, queued
from mmrobot.command.questions import is_question
from mmrobot.command.stop_words import StopKind, stop_kind
from mmrobot.config import Config
from mmrobot.errors import (
    AmbiguousError,
    BusyError,
    CancelledError,
    DeadlineError,
    MmrobotError,
    PreemptedError,
    RobotUnavailableError,
    StaleError,
    StoppedError,
)
from mmrobot.ros.inference_thread import InferenceThread
from mmrobot.ros.task import Outcome, Phase, Stage, Task
from mmrobot.safety.risk import risks
from mmrobot.types import ActionPlan, Answer, PlanStep

HANDOVER_S = 5.0
_READ_FIRST = (Phase.EXECUTING, Phase.HOMING, Phase.APPROVAL, Phase.HELD)
"""What goes on then is worth more than words that may be no request."""


class Conductor:
    """`submit` what is said; `tick` some times a second. Calls come from any thread."""

    def __init__(self, stage: Stage, inference: InferenceThread, config: Config) -> None:
        self._stage, self._inference, self._config = stage, inference, config
        self._lock = threading.RLock()
        self._task: Task | None = None
        # Words that the model reads while a plan goes on; a stop or a cancel ends them too.
        self._asides: list[Task] = []
        self._queue: deque[Task] = deque()
        self._robot_busy = False
        # After a stop or a failure the arm may hide the table: it goes home before the next look.
        self._away = False
        self._look_after_ns = 0
        self._dialogues: OrderedDict[str, deque[str]] = OrderedDict()

    @property
    def task(self) -> Task | None:
        """The task under way."""
        return self._task

    def use(self, config: Config) -> None:
        """Another configuration, from the next decision on."""
        with self._lock:
            self._config = config

    # -- what is said ------------------------------------------------------------------------------

    def submit(self, task: Task) -> None:
        """Begin, queue or answer it, or do with the task under way as its words say."""
        words = task.instruction
        kind = stop_kind(words)
        if kind is not None:
            self._stage.halt(kind, words)
            task.answer = self.halted(kind, f"somebody said '{words.strip()[:40]}'")
            task.phase = Phase.ENDED
            task.on_end(Outcome(None, answer=task.answer))
            return
        with self._lock:
            current = self._task
            if current is None or task.plan_only:
                self._take_over(task)
            elif current.phase is Phase.APPROVAL and decides(words) is not None:
                self._decide(current, bool(decides(words)))
                self._answer(task, "approved" if decides(words) else "rejected")
            elif current.phase is Phase.HELD and goes_on(words):
                current.followers.append(task)
                self._resume(current)
            elif (rest := queued(words)) is not None:
                self._enqueue(task, rest)
            elif current.phase in _READ_FIRST or is_question(words):
                self._read(task)
            else:
                self._take_over(task)

    def halted(self, kind: StopKind, reason: str) -> str:
        """The robot holds still by now: what becomes of the task, in words."""
        with self._lock:
            task, stopped = self._task, StoppedError(reason, "give a new instruction when it is safe")
            for aside in list(self._asides):
                # It must not begin to move now.
                self._drop(aside, stopped)
            if kind is StopKind.HOLD:
                return self._hold(task)
            error: MmrobotError = stopped
            if kind is StopKind.CANCEL:
                error = CancelledError(reason, "say what to do instead")
                self._stage.forget(task.conversation if task else "")
            self._clear_queue(error)
            if task is not None:
                self._drop(task, error)
            return "stopped" if kind is StopKind.STOP else "cancelled"

    def halted_elsewhere(self, reason: str) -> None:
        """Others have heard a stop, of a kind that they do not tell. What is held already stays so."""
        with self._lock:
            if self._task is None or self._task.phase is not Phase.HELD:
                self.halted(StopKind.STOP, reason)

    def cancel(self, task: Task) -> None:
        """Its client wants no more of it."""
        with self._lock:
            error = CancelledError("the instruction was cancelled by its client")
            if task in self._queue:
                self._queue.remove(task)
                self._end(task, error)
            self._drop(task, error)

    # -- approval ----------------------------------------------------------------------------------

    def approve(self, plan_id: str, digest: str, approve: bool) -> str:
        """Decide on the plan that waits; raises StaleError when it is not that one."""
        with self._lock:
            self._decide(self._waiting(plan_id, digest)[0], approve)
            return "approved" if approve else "rejected"

    def edit(
        self, plan_id: str, digest: str, change: Callable[[Task, ActionPlan], ActionPlan], timeout_s: float
    ) -> ActionPlan:
        """Have `change` make another plan of the one that waits, on the inference thread; it waits in its
        place.

        Waits for it. Raises StaleError when it is not that one, DeadlineError, and the errors of `change`:
        the plan that waited then waits on.
        """
        with self._lock:
            task, plan = self._waiting(plan_id, digest)
        try:
            made = self._inference.submit("edit", lambda: change(task, plan)).result(timeout_s)
        except FutureTimeoutError:
            raise DeadlineError(f"the change took longer than {timeout_s:g} s", "try again") from None
        with self._lock:
            self._waiting(plan_id, digest)
            task.plan = made
            self._stage.publish_plan(made)
            self._await_approval(task, made, ("a person changed it",))
        return made

    def _waiting(self, plan_id: str, digest: str) -> tuple[Task, ActionPlan]:
        task = self._task
        if task is None or task.phase is not Phase.APPROVAL or task.plan is None:
            raise StaleError("no plan waits for approval", "approve a plan while its status is 'approval'")
        if (plan_id, digest) != (task.plan.plan_id, task.plan.digest):
            raise StaleError(
                f"plan '{plan_id}' with digest {digest[:12]}... is not the one that waits",
                f"look at plan '{task.plan.plan_id}' and approve its digest",
            )
        return task, task.plan

    def _decide(self, task: Task, approve: bool) -> None:
        if approve:
            self._execute(task)
        else:
            self._finish(task, CancelledError("a person rejected the plan", "say what to do instead"))

    def _await_approval(self, task: Task, plan: ActionPlan, why: tuple[str, ...]) -> None:
        steps = ", then ".join(s.summary for s in plan.steps)
        told = f" ({'; '.join(why)})" if why else ""
        self._enter(task, Phase.APPROVAL, f"may I {steps}?{told}", ("approve", "reject"))

    # -- time --------------------------------------------------------------------------------------

    def tick(self) -> None:
        """Watch the time and the other nodes; call it some times a second."""
        command = self._config.command
        with self._lock:
            for aside in list(self._asides):
                self._tick_aside(aside)
            silent = self._stage.silent() if self._robot_busy else []
            if silent:
                self._lose(silent)
            task = self._task
            if task is None:
                return
            age_s = time.monotonic() - task.since_s
            limit_s = {
                Phase.PLANNING: self._config.model.timeout_s,
                Phase.APPROVAL: command.approve_within_s,
                Phase.HANDOVER: HANDOVER_S,
                Phase.HELD: command.hold_for_s,
            }.get(task.phase)
            if limit_s is not None and age_s > limit_s:
                if task.phase is Phase.HANDOVER:
                    self._robot_busy = False
                slow = "; for a slow model raise model.timeout_s" if task.phase is Phase.PLANNING else ""
                words = f"'{task.phase.value}' took longer than {limit_s} s"
                self._finish(task, DeadlineError(words, f"try again{slow}"))

    def _lose(self, silent: list[str]) -> None:
        """Who carried a plan out will not tell of its end. A task that was stopped before is over; the next
        one begins from home."""
        self._robot_busy, self._away = False, True
        task = self._task
        if task is not None and task.phase in (Phase.EXECUTING, Phase.HOMING, Phase.HANDOVER):
            self._stage.halt(StopKind.STOP, "")
            names = " and ".join(silent)
            words = f"no heartbeat of {names} while the plan was carried out, or a new start of it"
            self._finish(task, RobotUnavailableError(words, "start them again"))

    def _tick_aside(self, aside: Task) -> None:
        age_s = time.monotonic() - aside.since_s
        if is_question(aside.instruction):
            limit_s = self._config.model.timeout_s
            if age_s > limit_s:
                self._drop(aside, DeadlineError(f"no answer after {limit_s:g} s", "ask again"))
        elif age_s > self._config.command.read_within_s:
            # A request does not wait for a slow model while the robot does something else.
            self._asides.remove(aside)
            self._take_over(aside)

    # -- words beside a task -----------------------------------------------------------------------

    def _read(self, task: Task) -> None:
        task.since_s = time.monotonic()
        self._asides.append(task)
        read = self._inference.submit("aside", lambda: self._stage.aside(task))
        read.add_done_callback(lambda done: self._was_read(task, done))

    def _was_read(self, task: Task, future: Future[Answer | None]) -> None:
        error = future.exception()
        with self._lock:
            if task not in self._asides:
                # Stopped or cancelled meanwhile: it must not begin to move now.
                return
            self._asides.remove(task)
            if error is None and (answer := future.result()) is not None:
                self._answer(task, answer.text)
            elif error is None:
                self._take_over(task)
            elif isinstance(error, MmrobotError):
                self._ask_back(task, error)
                self._end(task, error)
            else:
                self._end(task, _fault("reading", error))
                raise error

    def _answer(self, task: Task, text: str) -> None:
        task.answer = text
        self._end(task, None)

    def _enqueue(self, task: Task, rest: str) -> None:
        limit = self._config.command.max_queued
        if len(self._queue) >= limit:
            self._end(task, BusyError(f"{limit} requests wait already", "wait for their end, or cancel them"))
            return
        task.instruction, task.phase = rest, Phase.QUEUED
        self._queue.append(task)
        self._enter(task, Phase.QUEUED, f"after that: {rest}")

    def _clear_queue(self, error: MmrobotError) -> None:
        waiting, self._queue = self._queue, deque()
        for task in waiting:
            self._end(task, error)

    # -- one task ----------------------------------------------------------------------------------

    def _take_over(self, task: Task) -> None:
        previous, self._task = self._task, task
        if previous is not None:
            newer = PreemptedError(f"a newer instruction took its place: '{task.instruction[:60]}'")
            self._clear_queue(newer)
            self._end(previous, newer)
        self._hand_over(task)

    def _hand_over(self, task: Task) -> None:
        if self._robot_busy:
            self._stage.cancel_execution()
            self._enter(task, Phase.HANDOVER, "waiting for the robot to hold still")
        else:
            self._begin(task)

    def _hold(self, task: Task | None) -> str:
        if task is None:
            return "holding still; nothing is under way"
        if task.phase is not Phase.HELD:
            if self._robot_busy:
                self._stage.cancel_execution()
            task.resumes = task.resumes or task.begun
            self._enter(task, Phase.HELD, "holding; say 'go on', or 'cancel'")
        return "holding"

    def _resume(self, task: Task) -> None:
        self._enter(task, Phase.HANDOVER, "going on")
        self._hand_over(task)

    def _drop(self, task: Task, error: MmrobotError) -> None:
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
        dialogue, after_ns = tuple(self._dialogue_of(task)), self._look_after_ns
        future = self._inference.submit("plan", lambda: self._stage.make_plan(task, dialogue, after_ns))
        future.add_done_callback(lambda done: self._planned(task, done))

    def _planned(self, task: Task, future: Future[ActionPlan | Answer]) -> None:
        with self._lock:
            if task is not self._task or task.phase is not Phase.PLANNING:
                return
            error = future.exception()
            if isinstance(error, MmrobotError):
                self._ask_back(task, error)
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
            task.plan = made
            self._stage.publish_plan(made)
            approval = self._config.command.approval
            why = risks(made, self._config) if approval == "risky" else ()
            if task.plan_only:
                self._finish(task, None)
            elif approval == "always" or why:
                self._await_approval(task, made, why)
            else:
                self._execute(task)

    def _ask_back(self, task: Task, error: MmrobotError) -> None:
        if isinstance(error, AmbiguousError):
            task.on_progress("asking", error.message, 0, error.candidates)

    def _execute(self, task: Task) -> None:
        assert task.plan is not None
        self._enter(task, Phase.EXECUTING, f"carrying out {len(task.plan.steps)} steps")
        task.begun = True
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
            if current is not None and current.phase is Phase.HANDOVER:
                self._begin(current)
            elif task is not current or task.phase is Phase.HELD:
                return
            elif task.phase is Phase.HOMING and error is None:
                self._plan(task)
            else:
                task.steps_done, task.report = steps_done, report
                self._finish(task, error)

    def _enter(self, task: Task, phase: Phase, message: str, options: tuple[str, ...] = ()) -> None:
        task.phase, task.since_s = phase, time.monotonic()
        self._stage.report(phase.value, message, None, task)
        for each in (task, *task.followers):
            each.on_progress(phase.value, message, 0, options)

    def _finish(self, task: Task, error: MmrobotError | None) -> None:
        if task is not self._task:
            self._end(task, error)
            return
        self._task = None
        self._end(task, error)
        if error is not None:
            self._clear_queue(CancelledError("what it was to follow was not done", "say it again"))
        elif self._queue and self._task is None:
            self._task = self._queue.popleft()
            self._hand_over(self._task)

    def _end(self, task: Task, error: MmrobotError | None) -> None:
        if task.phase is Phase.ENDED:
            return
        task.phase = Phase.ENDED
        words = task.answer or "done" if error is None else error.message
        self._dialogue_of(task).extend((task.instruction, words))
        state = ("answered" if task.answer else "done") if error is None else "failed"
        told = task.report if error is None and task.report else words
        self._stage.report(state, told, error, task)
        outcome = Outcome(error, task.plan, task.steps_done, task.answer, task.report)
        for each in (task, *task.followers):
            each.phase = Phase.ENDED
            each.on_end(outcome)

    def _dialogue_of(self, task: Task) -> deque[str]:
        """The last turns of its conversation."""
        turns, kept = self._config.command.dialogue_turns, self._config.command.max_conversations
        found = self._dialogues.setdefault(task.conversation, deque(maxlen=max(1, turns)))
        self._dialogues.move_to_end(task.conversation)
        while len(self._dialogues) > kept:
            self._dialogues.popitem(last=False)
        return found


def _fault(what: str, error: BaseException) -> MmrobotError:
    return MmrobotError(f"{what} failed: {type(error).__name__}: {error}", "please report this")


def _home_plan(instruction: str, now_ns: int) -> ActionPlan:
    """Out of the camera's way; made by no model."""
    step = PlanStep(index=0, skill="home")
    return ActionPlan(uuid.uuid4().hex, instruction, (step,), now_ns, "none")
