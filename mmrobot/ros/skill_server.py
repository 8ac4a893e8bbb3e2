"""A robot of one's own: subclass SkillServer, write a method a skill, and `halt` (docs/your_robot.md).

It serves `execute_skill`, one skill at a time on a thread of its own, so that a method may wait. It hears
every form of stop itself, watches executor and vlm, and gives the signs of life that they wait for: whatever
a method is doing, `halt` is called at once, and the method ends at its next `wait`. In doubt it fails.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.action.server import ServerGoalHandle
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.clock import Clock, ClockType
from rclpy.node import Node

from mmrobot.errors import (
    BusyError,
    DeadlineError,
    ErrorCode,
    ExecutionFailedError,
    MmrobotError,
    ModelReplyInvalidError,
    RobotUnavailableError,
    SkillUnknownError,
    StoppedError,
)
from mmrobot.execution.robot import SkillStatus
from mmrobot.planning.skills import CATALOGUE
from mmrobot.ros.action_caller import ActionCaller
from mmrobot.ros.deferred_goal import DeferredGoal
from mmrobot.ros.heartbeat import Heartbeat, HeartbeatMonitor
from mmrobot.ros.messages import step_from_message
from mmrobot.ros.node_process import guarded_thread
from mmrobot.ros.parameters import declare_config
from mmrobot.ros.status import StatusPublisher
from mmrobot.ros.stop_listener import StopListener
from mmrobot.types import PlanStep
from mmrobot_msgs.action import ExecuteSkill

WATCHED = ("executor", "vlm")
WATCH_S = 0.03
POLL_S = 0.02


class SkillServer(Node):
    """Serves the skills whose methods a subclass has: pick, place, push, home, navigate, each with a step.

    A method returns when the skill is done, and raises an error of mmrobot.errors when it is not. It waits
    only by `wait`, `wait_for` and `call_action`, which raise StoppedError once the skill is to end.
    """

    def __init__(self) -> None:
        # The name that executor and vlm look for: whoever moves the robot.
        super().__init__("arm_server")
        self.config = declare_config(self)
        self._lock = threading.Lock()
        self._goal: DeferredGoal | None = None
        self._ending: tuple[ErrorCode, str] | None = None
        self._wake = threading.Condition()
        self._closed = False
        self._lives: dict[str, str] = {}
        self._callers: dict[str, ActionCaller] = {}
        self._status = StatusPublisher(self)
        self._monitor = HeartbeatMonitor(self, WATCH_S)
        self._server = ActionServer(
            self,
            ExecuteSkill,
            "execute_skill",
            execute_callback=lambda handle: ExecuteSkill.Result(),
            goal_callback=lambda _: GoalResponse.REJECT if self._goal is not None else GoalResponse.ACCEPT,
            handle_accepted_callback=self._accept,
            cancel_callback=self._cancel,
            callback_group=MutuallyExclusiveCallbackGroup(),
        )
        self._stops = StopListener(self, lambda reason, _: self._end(ErrorCode.STOPPED, reason))
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        group = MutuallyExclusiveCallbackGroup()
        self.create_timer(WATCH_S, self._watch, callback_group=group, clock=steady)
        self._thread = guarded_thread(self._run, "skills")
        self._heartbeat = Heartbeat(self, "arm_server")
        self.get_logger().info(f"serving execute_skill: {', '.join(self.skills)}")

    # -- for subclasses ----------------------------------------------------------------------------

    def halt(self) -> None:
        """Make the robot hold still, now. From any thread, at any time, also when nothing moves."""
        raise NotImplementedError

    def phase(self, name: str, progress: float = 0.0) -> None:
        """Tell what the robot does now; `progress` 0 to 1."""
        goal = self._goal
        if goal is not None:
            goal.feedback(ExecuteSkill.Feedback(phase=name, progress=float(progress)))
        self.wait(0.0)

    def wait(self, seconds: float) -> None:
        """Wait; raises StoppedError as soon as the skill is to end."""
        end_s = time.monotonic() + seconds
        while True:
            ending = self._ending
            if ending is not None:
                raise StoppedError(ending[1])
            left_s = end_s - time.monotonic()
            if left_s <= 0:
                return
            time.sleep(min(POLL_S, left_s))

    def wait_for(self, condition: Callable[[], Any], timeout_s: float, what: str) -> Any:
        """Until a condition holds; its value. Raises DeadlineError naming `what`, or StoppedError."""
        end_s = time.monotonic() + timeout_s
        while not (found := condition()):
            if time.monotonic() > end_s:
                raise DeadlineError(f"{what}: not within {timeout_s:g} s", "see the robot's own output")
            self.wait(POLL_S)
        return found

    def call_action(self, kind: Any, name: str, goal: Any, timeout_s: float) -> Any:
        """The result of another server's action; its goal is cancelled when the skill is to end.

        Raises RobotUnavailableError, DeadlineError, or StoppedError.
        """
        caller = self._callers.get(name)
        if caller is None:
            caller = self._callers[name] = ActionCaller(self, kind, name)
        if not caller.wait_ready(5.0):
            raise RobotUnavailableError(f"nobody serves the action '{name}'", "start that node, or remap it")
        answers: list[Any] = []
        call = caller.send(goal, on_end=answers.append)
        try:
            self.wait_for(lambda: bool(answers), timeout_s, f"an end of '{name}'")
        except MmrobotError:
            call.cancel()
            raise
        if answers[0] is None:
            raise ExecutionFailedError(f"'{name}' refused its goal", "see that node's output")
        return answers[0]

    # -- the action --------------------------------------------------------------------------------

    @property
    def skills(self) -> tuple[str, ...]:
        """Those that the subclass has a method for."""
        return tuple(name for name in CATALOGUE if callable(getattr(self, name, None)))

    def close(self) -> None:
        """Hold still, end the thread."""
        self._end(ErrorCode.STOPPED, "the robot's server shuts down")
        self._closed = True
        with self._wake:
            self._wake.notify()
        self._thread.join(2.0)
        self._heartbeat.close()

    def _accept(self, handle: ServerGoalHandle) -> None:
        goal = DeferredGoal(handle)
        self._stops.know(goal.request.stops_heard)
        with self._lock:
            try:
                self._stops.check()
                if self._goal is not None:
                    raise BusyError("another skill is being carried out")
                if self._stops.missed_by(goal.request.stops_heard):
                    raise StoppedError("a stop came before the skill")
            except MmrobotError as error:
                goal.finish(self._result(SkillStatus(True, error.code, error.message)))
                return
            self._ending, self._lives = None, self._monitor.lives(WATCHED)
            self._goal = goal
        with self._wake:
            self._wake.notify()

    def _cancel(self, handle: ServerGoalHandle) -> CancelResponse:
        goal = self._goal
        if goal is not None and goal.is_of(handle):
            self._end(ErrorCode.CANCELLED, "the skill was cancelled")
        return CancelResponse.ACCEPT

    def _end(self, code: ErrorCode, reason: str) -> None:
        """From any thread: hold still, and have the skill's method end at its next wait."""
        with self._lock:
            if self._goal is not None and self._ending is None:
                self._ending = (code, reason)
        self.halt()
        self.get_logger().info(f"holding: {reason}")

    def _watch(self) -> None:
        if not self._monitor.turn() or self._goal is None or self._ending is not None:
            return
        limit_s = self.config.heartbeat.timeout_s
        missing = self._monitor.missing(WATCHED, limit_s, self._lives)
        if missing:
            names = " and ".join(missing)
            self._end(
                ErrorCode.EXECUTION_FAILED,
                f"no heartbeat of {names} for over {limit_s:g} s, or a new start of it",
            )

    def _run(self) -> None:
        while not self._closed:
            with self._wake:
                self._wake.wait_for(lambda: self._closed or self._goal is not None)
            goal = self._goal
            if goal is None:
                continue
            status = self._carry_out(goal)
            with self._lock:
                self._goal, self._ending = None, None
            goal.finish(self._result(status))

    def _carry_out(self, goal: DeferredGoal) -> SkillStatus:
        try:
            step = self._step(goal)
            getattr(self, step.skill)(step)
            status = SkillStatus(True)
        except MmrobotError as error:
            status = SkillStatus(True, error.code, error.message)
        except Exception as error:  # noqa: BLE001 - a robot's own code: whatever it raises, nothing moves on
            status = SkillStatus(True, ErrorCode.INTERNAL, f"{type(error).__name__}: {error}")
        if self._ending is not None:
            status = SkillStatus(True, *self._ending)
        if status.code is not ErrorCode.NONE:
            self.halt()
            self.get_logger().error(f"{status.code.name}: {status.message}")
        return status

    def _step(self, goal: DeferredGoal) -> PlanStep:
        try:
            step = step_from_message(goal.request.step)
        except ValueError as error:
            raise ModelReplyInvalidError(f"skill refused: {error}") from error
        if step.skill not in self.skills:
            raise SkillUnknownError(
                f"this robot has no skill '{step.skill}'", f"it has: {', '.join(self.skills)}"
            )
        return step

    def _result(self, status: SkillStatus) -> ExecuteSkill.Result:
        return ExecuteSkill.Result(
            error_code=int(status.code), error_message=status.message, stops_heard=self._stops.heard()
        )
