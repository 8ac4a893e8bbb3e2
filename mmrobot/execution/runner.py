"""Carries a plan out, step by step, and never blocks: `tick` is called often, with the time.

    for each step:  look afresh -> gate -> robot.start -> poll until done -> (place: look again)

Whatever goes wrong before the robot moves leaves it where it is. `stop` holds it within the call.
"""

from __future__ import annotations

import math
from dataclasses import replace

from mmrobot.config import Config
from mmrobot.errors import BusyError, ErrorCode, MmrobotError
from mmrobot.execution.events import EventKind, RunnerEvent, RunnerState, RunnerStatus
from mmrobot.execution.robot import Looker, Robot
from mmrobot.planning.planner import distance_m
from mmrobot.planning.skills import VERIFY
from mmrobot.safety.gate import SafetyGate
from mmrobot.types import ActionPlan, GroundedObject, PlanStep

# After a place, a thing of that phrase is taken for the placed one only near its goal or its origin;
# elsewhere it may be another thing that the phrase fits by now.
_FELL_BESIDE_M = 0.15
_STILL_THERE_M = 0.03
_REST_HEIGHT_M = 0.03


class Runner:
    """One plan at a time on one robot. All calls come from one thread; times are seconds of ROS time."""

    def __init__(self, robot: Robot, looker: Looker, gate: SafetyGate, config: Config | None = None) -> None:
        self._robot, self._looker, self._gate = robot, looker, gate
        self._config = config or Config()
        self._plan: ActionPlan | None = None
        self._state = RunnerState.IDLE
        self._held: GroundedObject | None = None
        self._code, self._message, self._phase = ErrorCode.NONE, "", ""
        self._events: list[RunnerEvent] = []
        self._now_s = -math.inf

    @property
    def status(self) -> RunnerStatus:
        """How the plan stands now."""
        steps = len(self._plan.steps) if self._plan else 0
        index = self._index if self._plan else 0
        return RunnerStatus(self._state, index, steps, self._held, self._code, self._message, self._phase)

    @property
    def held(self) -> GroundedObject | None:
        """What the hand holds, as far as the runner knows."""
        return self._held

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
        self._index = 0
        self._retries: dict[int, int] = {}
        self._began_s: float | None = None
        self._now_s = -math.inf
        self._code, self._message, self._phase = ErrorCode.NONE, "", ""
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
            self._await_robot(plan)
        elif self._state is RunnerState.VERIFYING:
            self._await_verification(plan)

    def _begin_step(self, plan: ActionPlan) -> None:
        if self._index >= len(plan.steps):
            self._state = RunnerState.SUCCEEDED
            self._report(EventKind.PLAN_FINISHED, f"done: {plan.instruction}")
            return
        step = plan.steps[self._index]
        if step.skill in ("pick", "place"):
            if step.skill == "place":
                # What is held is what was grasped, not what was planned.
                step = replace(step, target=self._held or step.target)
            self._step, self._since_s = step, self._now_s
            self._looker.start(step, self._held)
            self._state = RunnerState.LOOKING
            self._report(EventKind.LOOKING, f"looking again before: {step.summary}", step)
        else:
            self._launch(step)

    def _await_look(self) -> None:
        result = self._looker.poll()
        if result is None:
            limit = self._config.runner.look_timeout_s
            if self._now_s - self._since_s > limit:
                self._fail(ErrorCode.TIMEOUT, f"no fresh look within {limit} s")
            return
        if result.step is None:
            self._fail(result.code, result.message)
            return
        self._report_moves(self._step, result.step)
        self._launch(result.step)

    def _launch(self, step: PlanStep) -> None:
        self._gate.check_step(step, round(self._now_s * 1e9), self._held)
        self._step, self._since_s, self._phase = step, self._now_s, ""
        self._report(EventKind.STEP_STARTED, step.summary, step)
        if step.skill == "say":
            self._report(EventKind.SAID, step.text or "", step)
            self._finish_step()
            return
        self._robot.start(step)
        self._state = RunnerState.MOVING

    def _await_robot(self, plan: ActionPlan) -> None:
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
            self._grasp_failed(plan, status.message)
        else:
            self._fail(status.code, status.message)

    def _skill_done(self) -> None:
        step = self._step
        if step.skill == "pick":
            self._held = step.target
        if step.skill == "place":
            self._held = None
            if (
                self._config.runner.verify_place
                and step.target is not None
                and step.goal_position_m is not None
            ):
                self._looker.start(_where_it_should_be(step), None)
                self._since_s, self._state = self._now_s, RunnerState.VERIFYING
                return
        self._finish_step()

    def _await_verification(self, plan: ActionPlan) -> None:
        result = self._looker.poll()
        if result is None:
            limit = self._config.runner.look_timeout_s
            if self._now_s - self._since_s > limit:
                self._fail(ErrorCode.TIMEOUT, f"no look at what was placed within {limit} s")
            return
        problem = self._misplaced(plan, result.step)
        if problem is None:
            self._finish_step()
        else:
            self._retry(plan, self._config.runner.place_retries, ErrorCode.VERIFICATION_FAILED, problem)

    def _misplaced(self, plan: ActionPlan, seen: PlanStep | None) -> str | None:
        """Why the thing is not where it was put; None when it is, or cannot be seen (a cup hides it)."""
        goal = self._step.goal_position_m
        if seen is None or seen.target is None or goal is None:
            return None
        where = seen.target.position_m
        off_m = distance_m(where, goal)
        pick = self._pick_index(plan)
        origin = plan.steps[pick].target if pick is not None else None
        still_there = origin is not None and distance_m(where, origin.position_m) < _STILL_THERE_M
        # Its top tells: the underside of a thing on another is hidden, and may be taken for the other's.
        height_m = self._step.target.size_m[2] if self._step.target is not None else seen.target.size_m[2]
        lower = goal[2] + height_m - seen.target.top_z_m > _REST_HEIGHT_M
        beside = self._config.runner.verify_tolerance_m < off_m < _FELL_BESIDE_M
        if not (beside or lower or (still_there and off_m > self._config.runner.verify_tolerance_m)):
            return None
        return (
            f"'{seen.target.label}' was put at x={goal[0]:.2f}, y={goal[1]:.2f} m, but is seen at "
            f"x={where[0]:.2f}, y={where[1]:.2f}, z={where[2]:.2f} m"
        )

    def _grasp_failed(self, plan: ActionPlan, message: str) -> None:
        self._held = None
        self._retry(plan, self._config.runner.grasp_retries, ErrorCode.GRASP_FAILED, message)

    def _retry(self, plan: ActionPlan, allowed: int, code: ErrorCode, message: str) -> None:
        """Try again from the pick of what was lost, while tries are left."""
        pick = self._pick_index(plan)
        used = self._retries.get(self._index, 0)
        if pick is None or used >= allowed:
            self._fail(code, message)
            return
        self._retries[self._index] = used + 1
        self._report(EventKind.RETRYING, f"{message}; try {used + 2} of {allowed + 1}", self._step, code)
        self._index, self._state = pick, RunnerState.STARTING

    def _pick_index(self, plan: ActionPlan) -> int | None:
        """The pick that filled the hand for the present step."""
        for index in range(self._index, -1, -1):
            if plan.steps[index].skill == "pick":
                return index
        return None

    def _finish_step(self) -> None:
        self._report(EventKind.STEP_FINISHED, self._step.summary, self._step)
        self._index += 1
        self._state = RunnerState.STARTING

    def _fail(self, code: ErrorCode, message: str) -> None:
        self._robot.stop()
        self._state, self._code, self._message = RunnerState.FAILED, code, message
        step = self._plan.steps[self._index] if self._plan and self._index < len(self._plan.steps) else None
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
        index = self._index if self._plan else None
        time_s = self._now_s if math.isfinite(self._now_s) else 0.0  # nothing has ticked yet
        self._events.append(RunnerEvent(kind, time_s, message, index, step, code))


def _where_it_should_be(step: PlanStep) -> PlanStep:
    """What to look for after a place: the thing, at its goal."""
    assert step.target is not None and step.goal_position_m is not None
    x, y, z = step.goal_position_m
    target = replace(step.target, position_m=(x, y, z + step.target.size_m[2] / 2))
    return replace(step, skill=VERIFY, target=target)
