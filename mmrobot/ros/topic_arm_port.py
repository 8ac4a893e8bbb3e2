"""The ArmPort protocol over topics: `joint_trajectory` and `gripper_command` out, `joint_states` in."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.node import Node
from sensor_msgs.msg import JointState
from std_msgs.msg import Float64
from trajectory_msgs.msg import JointTrajectory as JointTrajectoryMsg
from trajectory_msgs.msg import JointTrajectoryPoint

from mmrobot.arm.hand import ARM_JOINTS
from mmrobot.arm.port import ArmState, arm_state
from mmrobot.errors import RobotUnavailableError
from mmrobot.ros.messages import NS, from_time, trajectory_to_message
from mmrobot.ros.qos import COMMAND, STATE
from mmrobot.types import JointTrajectory

STALL_S = 4.0


class TopicArmPort:
    """An arm behind topics. While shut, it passes no command on: a stop cannot be overtaken.

    Each opening begins an epoch: what was sent before it has been stopped.
    """

    def __init__(self, node: Node, on_defect: Callable[[str], None]) -> None:
        self._node = node
        self._on_defect = on_defect
        self._lock = threading.Lock()
        self._open = False
        self._epoch = 0
        self._state: ArmState | None = None
        self._heard_s = float("-inf")
        self._trajectory_out = node.create_publisher(JointTrajectoryMsg, "joint_trajectory", COMMAND)
        self._gripper_out = node.create_publisher(Float64, "gripper_command", COMMAND)
        node.create_subscription(
            JointState, "joint_states", self._take, STATE, callback_group=MutuallyExclusiveCallbackGroup()
        )

    def open(self) -> None:
        """Pass commands on from now."""
        with self._lock:
            self._open = True
            self._epoch += 1

    @property
    def epoch(self) -> int:
        """How often the port was opened."""
        return self._epoch

    def halt(self) -> None:
        """Shut, and make the arm stand still now: one point where it is, without speed, due at once.

        This is what ros2_control's joint trajectory controller does itself when a goal is cancelled.
        """
        with self._lock:
            self._open = False
            if self._state is None:
                return
            point = JointTrajectoryPoint(
                positions=[float(v) for v in self._state.positions], velocities=[0.0] * len(ARM_JOINTS)
            )
            self._trajectory_out.publish(JointTrajectoryMsg(joint_names=list(ARM_JOINTS), points=[point]))

    def silence(self, limit_s: float) -> str | None:
        """Why joint states count as silent, or None.

        Judged by ROS time, since a simulation may be slower than real time; a clock that stands
        still (a dead simulator) by wall time.
        """
        if self._state is None:
            return "no joint states have arrived"
        age_s = self.now_s() - self._state.stamp_s
        if age_s > limit_s:
            return f"no joint states for {age_s:.1f} s"
        wall_s = time.monotonic() - self._heard_s
        return f"no joint states for {wall_s:.1f} s of wall time" if wall_s > STALL_S else None

    def now_s(self) -> float:
        """ROS time."""
        return float(self._node.get_clock().now().nanoseconds) / NS

    def state(self) -> ArmState | None:
        """The newest measured state."""
        return self._state

    def send_trajectory(self, trajectory: JointTrajectory) -> None:
        """Replaces the running trajectory, unless shut."""
        message = trajectory_to_message(trajectory)
        with self._lock:
            if self._open:
                self._publish_trajectory(message)

    def send_gripper(self, width_m: float) -> None:
        """Moves the fingers, unless shut."""
        with self._lock:
            if self._open:
                self._publish_gripper(float(width_m))

    def _publish_trajectory(self, message: JointTrajectoryMsg) -> None:
        """Under the lock."""
        self._trajectory_out.publish(message)

    def _publish_gripper(self, width_m: float) -> None:
        self._gripper_out.publish(Float64(data=width_m))

    def _take(self, message: JointState) -> None:
        try:
            state = arm_state(
                message.name,
                message.position,
                message.velocity,
                message.effort,
                from_time(message.header.stamp) / NS,
            )
        except RobotUnavailableError as error:
            self._on_defect(error.message)
            return
        self._state = state
        self._heard_s = time.monotonic()
