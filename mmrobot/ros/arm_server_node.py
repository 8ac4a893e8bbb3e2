"""The shipped arm as a robot: serves `execute_skill` with mink's IK and timed trajectories.

    python -m mmrobot.ros.arm_server_node

With `port:=ros2_control` trajectories go to a joint_trajectory_controller as action goals.

One skill at a time, on a thread of its own. Stop, the heartbeats of executor and vlm, and joint
states are watched on other threads: any of them shuts the arm's port, whatever the skill is doing.
A stop ends the skill. Silence holds it: it goes on from where the arm stands once all are heard again,
and fails when the silence lasts, or when a node comes back as another start of itself.
"""

from __future__ import annotations

import threading
import time
from typing import Any

from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.action.server import ServerGoalHandle
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.clock import Clock, ClockType
from rclpy.node import Node

from mmrobot.arm.embedded import arm_model
from mmrobot.arm.mover import STATE_MAX_AGE_S
from mmrobot.arm.skills import ArmSkills
from mmrobot.errors import (
    BusyError,
    ErrorCode,
    InvalidConfigError,
    ModelReplyInvalidError,
    RobotUnavailableError,
    StoppedError,
)
from mmrobot.execution.robot import SkillStatus
from mmrobot.ros.controller_port import ControllerPort
from mmrobot.ros.deferred_goal import DeferredGoal
from mmrobot.ros.heartbeat import CATCH_UP_S, Heartbeat, HeartbeatMonitor
from mmrobot.ros.messages import step_from_message
from mmrobot.ros.node_process import guarded_thread, run_node
from mmrobot.ros.parameters import declare, declare_config
from mmrobot.ros.status import StatusPublisher
from mmrobot.ros.stop_listener import StopListener
from mmrobot.ros.topic_arm_port import TopicArmPort
from mmrobot_msgs.action import ExecuteSkill

WATCHED = ("executor", "vlm")
POLL_S = 0.01
WATCH_S = 0.03
# Joint states come over the same wire as heartbeats; a rendering simulator may pause a little more.
STATES_GRACE_S = 0.15
FEEDBACK_S = 0.2


class ArmServerNode(Node):
    """Serves `execute_skill`; hears stop itself."""

    def __init__(self) -> None:
        super().__init__("arm_server")
        self._config = declare_config(self)
        self._port = self._make_port()
        self._skills = ArmSkills(arm_model(), self._port, self._config)
        self._lock = threading.Lock()
        self._goal: DeferredGoal | None = None
        self._stop_code, self._stop_reason = ErrorCode.NONE, ""
        self._held_since_s: float | None = None
        self._status = StatusPublisher(self)
        self._wake = threading.Condition()
        self._closed = False
        self._monitor = HeartbeatMonitor(self, WATCH_S)
        self._lives: dict[str, str] = {}
        self._server = ActionServer(
            self,
            ExecuteSkill,
            "execute_skill",
            execute_callback=lambda handle: ExecuteSkill.Result(),
            goal_callback=self._judge,
            handle_accepted_callback=self._accept,
            cancel_callback=self._cancel,
            callback_group=MutuallyExclusiveCallbackGroup(),
        )
        self._stops = StopListener(self, lambda reason, _: self._halt(ErrorCode.STOPPED, reason))
        self.create_timer(
            WATCH_S,
            self._watch,
            callback_group=MutuallyExclusiveCallbackGroup(),
            clock=Clock(clock_type=ClockType.STEADY_TIME),
        )
        self._thread = guarded_thread(self._run, "skills")
        self._heartbeat = Heartbeat(self, "arm_server")
        self.get_logger().info("ready: serving execute_skill")

    def _make_port(self) -> TopicArmPort:
        port = declare(self, "port", "topics", "how the arm is reached: topics or ros2_control")
        scale = declare(self, "gripper_scale", 0.5, "ros2_control: the gripper's position is this x opening")
        if port == "topics":
            return TopicArmPort(self, self._defect)
        if port != "ros2_control":
            raise InvalidConfigError(f"parameter 'port' is '{port}'", "choose topics or ros2_control")
        return ControllerPort(self, self._defect, self._config.motion.gripper_force_n, float(scale))

    def close(self) -> None:
        """Stand still, end the thread."""
        self._halt(ErrorCode.STOPPED, "the arm server shuts down")
        self._closed = True
        with self._wake:
            self._wake.notify()
        self._thread.join(2.0)
        self._heartbeat.close()

    def _defect(self, message: str) -> None:
        self.get_logger().error(message, throttle_duration_sec=5.0)

    def _judge(self, _: ExecuteSkill.Goal) -> GoalResponse:
        return GoalResponse.REJECT if self._goal is not None else GoalResponse.ACCEPT

    def _accept(self, handle: ServerGoalHandle) -> None:
        goal = DeferredGoal(handle)
        self._stops.know(goal.request.stops_heard)
        with self._lock:
            if self._goal is not None:
                error = BusyError("another skill is being carried out")
                goal.finish(self._result(SkillStatus(True, error.code, error.message)))
                return
            try:
                self._stops.check()
                if self._stops.missed_by(goal.request.stops_heard):
                    raise StoppedError("a stop came before the skill")
            except StoppedError as error:
                goal.finish(self._result(SkillStatus(True, error.code, error.message)))
                return
            self._stop_code, self._stop_reason = ErrorCode.NONE, ""
            self._goal, self._held_since_s = goal, None
            self._lives = self._monitor.lives(WATCHED)
        with self._wake:
            self._wake.notify()

    def _cancel(self, handle: ServerGoalHandle) -> CancelResponse:
        goal = self._goal
        if goal is not None and goal.is_of(handle):
            self._halt(ErrorCode.CANCELLED, "the skill was cancelled")
        return CancelResponse.ACCEPT

    def _halt(self, code: ErrorCode, reason: str) -> None:
        """From any thread. The lock is never held for long, and the port is opened under it only."""
        with self._lock:
            self._port.halt()
            if self._goal is not None and self._stop_code is ErrorCode.NONE:
                self._stop_code, self._stop_reason = code, reason
        self.get_logger().info(f"holding: {reason}")

    def _watch(self) -> None:
        if not self._monitor.turn() or self._goal is None or self._stop_code is not ErrorCode.NONE:
            return
        limits = self._config.heartbeat
        silence = self._silence(limits.timeout_s)
        if silence is None:
            self._go_on()
            return
        self._hold(silence[1])
        end = self._silence(limits.give_up_s)
        if end is not None and (self._held_s() > CATCH_UP_S or self._monitor.reborn(WATCHED, self._lives)):
            self._halt(*end)

    def _silence(self, limit_s: float) -> tuple[ErrorCode, str] | None:
        """Who has not been heard for over `limit_s` of wall time, or is another by now."""
        missing = self._monitor.missing(WATCHED, limit_s, self._lives)
        if missing:
            reason = f"no heartbeat of {' and '.join(missing)} for over {limit_s:g} s, or a new start of it"
            return ErrorCode.EXECUTION_FAILED, reason
        silence = self._port.silence(limit_s + STATES_GRACE_S)
        return None if silence is None else (ErrorCode.ROBOT_UNAVAILABLE, silence)

    def _held_s(self) -> float:
        """Wall seconds since the hold began. Silence alone does not end a skill in this node's first
        moments after it was starved itself: what it was told meanwhile lies in its queue."""
        since_s = self._held_since_s
        return 0.0 if since_s is None else time.monotonic() - since_s

    def _hold(self, reason: str) -> None:
        """Stand still and keep the skill."""
        with self._lock:
            if self._held_since_s is not None or self._goal is None or self._stop_code is not ErrorCode.NONE:
                return
            self._held_since_s = time.monotonic()
            self._port.halt()
        self._status.report("held", f"the arm holds still: {reason}")

    def _go_on(self) -> None:
        """After a hold, unless a stop came meanwhile."""
        with self._lock:
            if self._held_since_s is None or self._goal is None or self._stop_code is not ErrorCode.NONE:
                return
            self._held_since_s = None
            self._port.open()
        self._status.report("resumed", "the arm goes on: all are heard again")

    def _must_wait(self) -> bool:
        """Whether the skill may not be asked now: held, or without joint states that it could trust.

        The latter without a hold when this process was itself starved: the states lie in its queue.
        """
        limit_s = min(self._config.heartbeat.timeout_s + STATES_GRACE_S, STATE_MAX_AGE_S)
        return self._held_since_s is not None or self._port.silence(limit_s) is not None

    def _run(self) -> None:
        try:
            while not self._closed:
                with self._wake:
                    self._wake.wait_for(lambda: self._closed or self._goal is not None)
                goal = self._goal
                if goal is not None:
                    self._carry_out(goal)
        finally:
            self._port.halt()

    def _carry_out(self, goal: DeferredGoal) -> None:
        status = self._begin(goal)
        fed_s, fed_phase = 0.0, ""
        while not status.done:
            if self._stop_code is not ErrorCode.NONE:
                self._skills.stop()
                status = SkillStatus(True, self._stop_code, self._stop_reason)
                break
            if self._must_wait():
                time.sleep(POLL_S)
                continue
            status = self._skills.poll()
            now = time.monotonic()
            if status.phase != fed_phase or now - fed_s > FEEDBACK_S:
                fed_s, fed_phase = now, status.phase
                goal.feedback(ExecuteSkill.Feedback(phase=status.phase, progress=float(status.progress)))
            if not status.done:
                time.sleep(POLL_S)
        if self._stop_code is not ErrorCode.NONE and status.code is not ErrorCode.NONE:
            status = SkillStatus(True, self._stop_code, self._stop_reason)
        if status.code is not ErrorCode.NONE:
            self.get_logger().error(f"{goal.request.step.skill}: {status.code.name}: {status.message}")
        with self._lock:
            self._goal, self._held_since_s = None, None
        goal.finish(self._result(status))

    def _begin(self, goal: DeferredGoal) -> SkillStatus:
        try:
            step = step_from_message(goal.request.step)
        except ValueError as error:
            refusal = ModelReplyInvalidError(f"skill refused: {error}")
            return SkillStatus(True, refusal.code, refusal.message)
        if self._port.state() is None:
            missing = RobotUnavailableError("no joint states have arrived on 'joint_states'")
            return SkillStatus(True, missing.code, missing.message)
        with self._lock:
            if self._stop_code is not ErrorCode.NONE:
                return SkillStatus(True, self._stop_code, self._stop_reason)
            if self._held_since_s is None:
                self._port.open()
        self._skills.start(step)
        return SkillStatus(done=False, phase="start")

    def _result(self, status: SkillStatus) -> Any:
        return ExecuteSkill.Result(
            error_code=int(status.code), error_message=status.message, stops_heard=self._stops.heard()
        )


def main() -> int:
    """Run the node."""
    return run_node(ArmServerNode, threads=6)


if __name__ == "__main__":
    raise SystemExit(main())
