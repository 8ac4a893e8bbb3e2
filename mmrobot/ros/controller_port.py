"""The ArmPort protocol over ros2_control: FollowJointTrajectory and GripperCommand goals, joint states.

    ros2 control load_controller --set-state active joint_trajectory_controller
    python -m mmrobot.ros.arm_server_node --ros-args -p port:=ros2_control

The controller checks path and goal tolerances itself and says why it gave up. It can be driven without this
as well, over its topic: remap `joint_trajectory` to `joint_trajectory_controller/joint_trajectory`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from action_msgs.srv import CancelGoal
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.node import Node
from trajectory_msgs.msg import JointTrajectory as JointTrajectoryMsg

from mmrobot.ros.action_caller import ActionCall, ActionCaller
from mmrobot.ros.optional_messages import interface
from mmrobot.ros.topic_arm_port import TopicArmPort

ARM_ACTION = "joint_trajectory_controller/follow_joint_trajectory"
GRIPPER_ACTION = "gripper_controller/gripper_cmd"
# A newer trajectory takes an older one's place: the controller then aborts that one, which is no fault.
_REPLACED = 0
FOR = "an arm behind ros2_control"


class ControllerPort(TopicArmPort):
    """An arm behind joint_trajectory_controller. A halt cancels all goals, and the controller holds there."""

    def __init__(
        self, node: Node, on_defect: Callable[[str], None], force_n: float, gripper_scale: float = 0.5
    ) -> None:
        """`gripper_scale`: what of the fingers' opening the gripper's command is (0.5: of one finger)."""
        self._follow = interface("control_msgs/action/FollowJointTrajectory", FOR)
        self._gripper = interface("control_msgs/action/GripperCommand", FOR)
        super().__init__(node, on_defect)
        self._force_n, self._scale = force_n, gripper_scale
        self._arm_calls = ActionCaller(node, self._follow, ARM_ACTION)
        self._gripper_calls = ActionCaller(node, self._gripper, GRIPPER_ACTION)
        self._cancel_all = node.create_client(
            CancelGoal,
            f"{ARM_ACTION}/_action/cancel_goal",
            callback_group=MutuallyExclusiveCallbackGroup(),
        )
        self._call: ActionCall | None = None

    def halt(self) -> None:
        """Shut, and have the controller hold where the arm is: it does so when its goal is cancelled."""
        with self._lock:
            self._open = False
            call, self._call = self._call, None
        if call is not None:
            # Also one that the controller has not accepted yet.
            call.cancel()
        if self._cancel_all.service_is_ready():
            # No goal named: all are cancelled, whoever sent them.
            self._cancel_all.call_async(CancelGoal.Request())

    def _publish_trajectory(self, message: JointTrajectoryMsg) -> None:
        """Under the lock."""
        self._call = self._arm_calls.send(self._follow.Goal(trajectory=message), on_end=self._ended)

    def _publish_gripper(self, width_m: float) -> None:
        goal = self._gripper.Goal()
        goal.command.position, goal.command.max_effort = width_m * self._scale, self._force_n
        self._gripper_calls.send(goal, on_end=lambda _: None)

    def _ended(self, result: Any | None) -> None:
        if result is None:
            self._on_defect(f"the controller refused a trajectory: is '{ARM_ACTION}' active?")
        elif result.error_code not in (self._follow.Result.SUCCESSFUL, _REPLACED):
            self._on_defect(f"the controller gave up: {result.error_code} {result.error_string}")
