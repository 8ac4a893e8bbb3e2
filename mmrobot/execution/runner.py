"""Carries a plan out, step by step, and never blocks: `tick` is called often, with the time.

    for each step:  look afresh -> gate -> robot.start -> poll until done -> (place: look again)
    at the end:     look again at all that was placed; what has moved meanwhile is picked and placed again

Tries are bounded, and each is reported with its reason. The end is told as it is: done, partly done, or
failed and why. Whatever goes wrong before the robot moves leaves it where it is. `stop` holds it within
the call.
"""

from __future__ import annotations

import math
from collections import deque

from mmrobot.config import Config
from mmrobot.errors import BusyError, ErrorCode, MmrobotError
from mmrobot.execution.events import EventKind, RunnerEvent, RunnerState, RunnerStatus
from mmrobot.execution.outcome import Done, problem_with, to_look_for
from mmrobot.execution.progress import Progress
from mmrobot.execution.robot import Looker, LookResult, Robot
from mmrobot.planning.planner import distance_m
from mmrobot.safety.gate import SafetyGate
from mmrobot.types import ActionPlan, GroundedObject, PlanStep

# A look may fail for a moment's reason (a hand in the way, the arm): then it is worth another.
_LOOK_AGAIN = frozenset({ErrorCode.TARGET_NOT_FOUND, ErrorCode.NO_DEPTH})
LOOKED_FOR = frozenset({"pick", "place", "push"})
VERIFIED = frozenset({"place", "push"})


class Runner:
    """One plan at a time on one robot. All calls come from one thread; times are seconds of ROS time."""

    def __init__(self, robot: Robot, looker: Looker, gate: SafetyGate, config: Config | None = None) -> None:
        self._robot, self._looker, self._gate = robot, looker, gate
        self._config = config or Config()
        self._plan: ActionPlan | None = None
        self._state = RunnerState.IDLE
        self._held: GroundedObject | None = None
        self._code, self._message, self._phase, self._told = ErrorCode.NONE, "", "", ""
        self._events: list[RunnerEvent] = []
        self._now_s = -math.inf

    @property
    def status(self) -> RunnerStatus:
        """How the plan stands now."""
        steps = len(self._plan.steps) if self._plan else 0
        index = self._progress.index if self._plan else 0
        return RunnerStatus(
            self._state, index, steps, self._held, self._code, self._message, self._phase, self._told
        )

    @property
    def held(self) -> GroundedObject | None:
        """What the hand holds, as far as the runner knows."""
        return self._held

    def use(self, config: Config) -> None:
        """Another configuration; it is asked anew at each use, also by the plan under way."""
        self._config = config

    def start(self, plan: ActionPlan, held: GroundedObject | None = None) -> None:
        """Begin a plan at the next tick. `held` overrides what the hand is known to hold.

        Raises BusyError while another plan is being carried out.
        """
        if self._state.running and self._plan is not None:
            raise BusyError(
                f"'{self._plan.instruction}' is being carried out", "wait for its end, or stop it first"
            )
        self._plan = plan
        self._held = held if held is not None else self._held
        self._progress = Progress(plan)
        self._looks_left, self._lost = self._config.runner.look_retries, ""
        self._to_check: deque[Done] = deque()
        self._began_s: float | None = None
        self._now_s = -math.inf
        self._code, self._message, self._phase, self._told = ErrorCode.NONE, "", "", ""
        self._state = RunnerState.STARTING

    def remember_held(self, thing: GroundedObject) -> None:
        """The hand is known to hold a thing (a pick was stopped after its grasp)."""
        self._held = thing

    def forget_held(self) -> None:
        """The hand is known to be empty (somebody took the thing, or the robot was reset)."""
        self._held = None

    def tick(self, now_s: float) -> list[RunnerEvent]:
        """Carry on; returns what happened since the last call. Never waits."""
        previous_s, self._now_s = self._now_s, now_s
        # Written so that NaN is refused: without a clock no deadline holds.
        if self._state.running and not now_s >= previous_s:
            self._fail(ErrorCode.STALE, f"the clock ran backwards, from {previous_s:.2f} to {now_s:.2f} s")
        elif self._state.running and self._plan is not None:
            try:
                self._advance(self._plan, now_s)
            except MmrobotError as error:
                self._fail(error.code, error.message)
            except Exception as error:  # noqa: BLE001
                # The robot must never go on when its runner is at fault.
                self._fail(ErrorCode.INTERNAL, f"{type(error).__name__}: {error}")
        events, self._events = self._events, []
        return events

    def stop(self, reason: str, code: ErrorCode = ErrorCode.STOPPED) -> list[RunnerEvent]:
        """Hold still now, in this call, and drop the plan. Any time, any number of times."""
        self._robot.stop()
        if not self._state.running:
            return []
        self._state, self._code, self._message = RunnerState.STOPPED, code, reason
        self._report(EventKind.STOPPED, f"stopped: {reason}", code=code)
        events, self._events = self._events, []
        return events

    def _advance(self, plan: ActionPlan, now_s: float) -> None:
        limits = self._config.runner
        if self._began_s is None:
            self._began_s = now_s
            self._report(EventKind.PLAN_STARTED, f"carrying out: {plan.instruction}")
        if now_s - self._began_s > limits.plan_timeout_s:
            self._fail(ErrorCode.TIMEOUT, f"the plan took longer than {limits.plan_timeout_s} s")
        elif self._state is RunnerState.STARTING:
            self._begin_step(plan)
        elif self._state is RunnerState.LOOKING:
            self._await_look()
        elif self._state is RunnerState.MOVING:
            self._await_robot()
        elif self._state is RunnerState.HOMING:
            self._await_home()
        elif self._state is RunnerState.VERIFYING:
            self._await_verification()
        elif self._state is RunnerState.CHECKING:
            self._await_check(plan)

    def _begin_step(self, plan: ActionPlan) -> None:
        if not self._progress.advance():
            self._to_check = self._progress.to_check()
            self._check_next(plan)
            return
        self._looks_left = self._config.runner.look_retries
        self._look()

    def _look(self) -> None:
        step = self._progress.step(self._held)
        if step.skill not in LOOKED_FOR:
            self._launch(step)
            return
        self._step, self._since_s = step, self._now_s
        self._looker.start(step, self._held)
        self._state = RunnerState.LOOKING
        self._report(EventKind.LOOKING, f"looking again before: {step.summary}", step)

    def _await_look(self) -> None:
        result = self._looker.poll()
        if result is None:
            limit = self._config.runner.look_timeout_s
            if self._now_s - self._since_s > limit:
                self._fail(ErrorCode.TIMEOUT, f"no fresh look within {limit} s (runner.look_timeout_s)")
            return
        if result.step is not None:
            self._report_moves(self._step, result.step)
            self._launch(result.step)
        elif result.code in _LOOK_AGAIN and self._looks_left > 0:
            self._looks_left -= 1
            self._report(
                EventKind.RETRYING, f"{result.message}; looking again from home", self._step, result.code
            )
            home = PlanStep(self._step.index, "home")
            self._gate.check_step(home, round(self._now_s * 1e9), self._held)
            self._robot.start(home)
            self._since_s, self._state = self._now_s, RunnerState.HOMING
        elif self._lost and self._step.skill == "pick":
            self._fail(ErrorCode.GRASP_FAILED, f"{self._lost}, and cannot be taken again: {result.message}")
        else:
            self._fail(result.code, result.message)

    def _await_home(self) -> None:
        """Out of the camera's way, then the look once more."""
        status = self._robot.poll()
        if not status.done:
            limit = self._config.runner.step_timeout_s
            if self._now_s - self._since_s > limit:
                self._fail(ErrorCode.TIMEOUT, f"'home' took longer than {limit} s")
        elif status.code is not ErrorCode.NONE:
            self._fail(status.code, status.message)
        else:
            self._look()

    def _launch(self, step: PlanStep) -> None:
        self._gate.check_step(step, round(self._now_s * 1e9), self._held)
        self._step, self._since_s, self._phase = step, self._now_s, ""
        self._report(EventKind.STEP_STARTED, step.summary, step)
        if step.skill == "say":
            self._report(EventKind.SAID, step.text or "", step)
            self._finish_step()
            return
        self._progress.sure = None
        self._robot.start(step)
        self._state = RunnerState.MOVING

    def _await_robot(self) -> None:
        status = self._robot.poll()
        if status.phase != self._phase:
            self._phase = status.phase
            self._report(EventKind.PHASE, status.phase, self._step)
        if not status.done:
            limit = self._config.runner.step_timeout_s
            if self._now_s - self._since_s > limit:
                self._fail(ErrorCode.TIMEOUT, f"'{self._step.summary}' took longer than {limit} s")
            return
        if status.code is ErrorCode.NONE:
            self._skill_done()
        elif status.code is ErrorCode.GRASP_FAILED:
            self._grasp_failed(status.message)
        elif status.code is ErrorCode.UNREACHABLE and self._step.skill == "place" and self._held is not None:
            self._place_blocked(status.message)
        else:
            self._fail(status.code, status.message)

    def _skill_done(self) -> None:
        step, progress = self._step, self._progress
        if step.skill == "pick" and step.target is not None:
            self._held, self._lost = step.target, ""
            progress.took(step.target)
        elif step.skill in VERIFIED and step.target is not None and step.goal_position_m is not None:
            self._doing = Done(step, step.target if step.skill == "push" else progress.origin())
            self._held = None if step.skill == "place" else self._held
            if self._config.runner.verify_place:
                self._looker.start(to_look_for(self._doing, progress.placed), None)
                self._since_s, self._state = self._now_s, RunnerState.VERIFYING
                return
            progress.put(self._doing)
        self._finish_step()

    def _await_verification(self) -> None:
        result, limits = self._looked(), self._config.runner
        if result is None:
            return
        problem = problem_with(self._doing, result, limits.verify_tolerance_m, self._progress.placed)
        if problem is None:
            self._progress.put(self._doing)
            self._finish_step()
            return
        self._progress.problems = [(self._doing, problem)]
        # What is not surely it must not be taken in its place.
        allowed = limits.place_retries if problem.seen is not None else 0
        self._retry(allowed, ErrorCode.VERIFICATION_FAILED, problem.message, problem.seen)

    def _looked(self) -> LookResult | None:
        """The look at what was placed, once it is there; a look that never comes fails the plan."""
        result = self._looker.poll()
        if result is None and self._now_s - self._since_s > (limit := self._config.runner.look_timeout_s):
            self._fail(ErrorCode.TIMEOUT, f"no look at what was placed within {limit} s")
        return result

    # -- the end: is all still where it was put? ---------------------------------------------------

    def _check_next(self, plan: ActionPlan) -> None:
        if self._to_check and self._config.runner.verify_place:
            self._looker.start(to_look_for(self._to_check[0], self._progress.placed), self._held)
            self._since_s, self._state = self._now_s, RunnerState.CHECKING
        elif self._progress.problems:
            self._repair(plan)
        else:
            self._told = self._progress.report(self._held.label if self._held else "")
            self._state = RunnerState.SUCCEEDED
            self._report(EventKind.PLAN_FINISHED, self._told or f"done: {plan.instruction}")

    def _await_check(self, plan: ActionPlan) -> None:
        result = self._looked()
        if result is None:
            return
        item, tolerance_m = self._to_check.popleft(), self._config.runner.verify_tolerance_m
        problem = problem_with(item, result, tolerance_m, self._progress.placed)
        if problem is not None:
            self._progress.problems.append((item, problem))
        self._check_next(plan)

    def _repair(self, plan: ActionPlan) -> None:
        """What a later step has moved is done again, if it is surely known and tries are left."""
        progress, allowed = self._progress, self._config.runner.repairs
        message = "; ".join(problem.message for _, problem in progress.problems)
        if self._held is not None or progress.repairs >= allowed or not progress.repair():
            progress.index = progress.problems[0][0].step.index
            self._fail(ErrorCode.VERIFICATION_FAILED, message)
            return
        told = f"a later step has moved something: {message}; put right, try {progress.repairs} of {allowed}"
        self._report(
            EventKind.RETRYING, told, plan.steps[progress.index], ErrorCode.VERIFICATION_FAILED
        )
        self._state = RunnerState.STARTING

    # -- tries -------------------------------------------------------------------------------------

    def _grasp_failed(self, message: str) -> None:
        if self._step.skill == "place":
            self._lost = f"'{self._held.label if self._held else 'it'}' was dropped"
        self._held = None
        self._retry(self._config.runner.grasp_retries, ErrorCode.GRASP_FAILED, message)

    def _place_blocked(self, message: str) -> None:
        """The hand has no way to that spot: another one is looked for."""
        spot, held = self._step.goal_position_m, self._held
        if spot is None or held is None or not self._progress.try_number(self._config.runner.place_retries):
            self._fail(ErrorCode.UNREACHABLE, message)
            return
        self._report(EventKind.RETRYING, f"{message}; another spot", self._step, ErrorCode.UNREACHABLE)
        self._progress.elsewhere(held, spot)
        self._state = RunnerState.STARTING

    def _retry(
        self, allowed: int, code: ErrorCode, message: str, seen: GroundedObject | None = None
    ) -> None:
        """Try again from the pick of what was lost, while tries are left; `seen` is where it lies now."""
        number = self._progress.try_number(allowed)
        if number is None or not self._progress.can_try():
            self._fail(code, message)
            return
        self._report(EventKind.RETRYING, f"{message}; try {number} of {allowed + 1}", self._step, code)
        self._progress.again(seen)
        self._state = RunnerState.STARTING

    def _finish_step(self) -> None:
        self._report(EventKind.STEP_FINISHED, self._step.summary, self._step)
        self._state = RunnerState.STARTING

    def _fail(self, code: ErrorCode, message: str) -> None:
        self._robot.stop()
        told = self._progress.report()
        self._told = told or f"not done: {message}"
        if told:
            # What was done is told even so: somebody must know where things are by now.
            message = f"{message}; {told}"
        self._state, self._code, self._message = RunnerState.FAILED, code, message
        index = self._progress.index
        step = self._plan.steps[index] if self._plan and index < len(self._plan.steps) else None
        self._report(EventKind.STEP_FAILED, message, step, code)
        self._report(EventKind.PLAN_FAILED, message, step, code)

    def _report_moves(self, planned: PlanStep, seen: PlanStep) -> None:
        for before, after in ((planned.target, seen.target), (planned.reference, seen.reference)):
            if before is None or after is None:
                continue
            moved_m = distance_m(before.position_m, after.position_m)
            if moved_m > self._config.grounding.moved_m:
                self._report(
                    EventKind.TARGET_MOVED, f"'{after.label}' has moved by {moved_m * 100:.1f} cm", seen
                )

    def _report(
        self, kind: EventKind, message: str, step: PlanStep | None = None, code: ErrorCode = ErrorCode.NONE
    ) -> None:
        index = self._progress.index if self._plan else None
        time_s = self._now_s if math.isfinite(self._now_s) else 0.0  # nothing has ticked yet
        self._events.append(RunnerEvent(kind, time_s, message, index, step, code))
