"""Servers of the true interfaces, in the place of ros2_control, move_group and Nav2.

    python -m tests.support.other_robots controller|move_group|nav2 [FILE]

`controller` serves FollowJointTrajectory and GripperCommand, and drives the embedded simulator's arm over its
topics, as joint_trajectory_controller does. The others note what they are asked in FILE, one JSON a line.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from pathlib import Path
from typing import Any

import rclpy
from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.executors import MultiThreadedExecutor
from rclpy.node import Node
from sensor_msgs.msg import JointState
from std_msgs.msg import Float64, String
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint


class Controller(Node):
    """joint_trajectory_controller and a gripper's controller: a newer goal aborts the one before."""

    def __init__(self) -> None:
        from control_msgs.action import FollowJointTrajectory, GripperCommand

        super().__init__("controller_manager")
        self._types = FollowJointTrajectory, GripperCommand
        group = ReentrantCallbackGroup()
        self._out = self.create_publisher(JointTrajectory, "joint_trajectory", 10)
        self._grip_out = self.create_publisher(Float64, "gripper_command", 10)
        self._names: list[str] = []
        self._positions: list[float] = []
        self._number, self._lock = 0, threading.Lock()
        self.create_subscription(JointState, "joint_states", self._take, 10, callback_group=group)
        options: dict[str, Any] = {
            "callback_group": group,
            "goal_callback": lambda _: GoalResponse.ACCEPT,
            "cancel_callback": lambda _: CancelResponse.ACCEPT,
        }
        self._arm = ActionServer(
            self, FollowJointTrajectory, "joint_trajectory_controller/follow_joint_trajectory", self._follow,
            **options,
        )  # fmt: skip
        self._gripper = ActionServer(
            self, GripperCommand, "gripper_controller/gripper_cmd", self._grip, **options
        )

    def _take(self, message: JointState) -> None:
        self._names, self._positions = list(message.name), list(message.position)

    def _now_s(self) -> float:
        return self.get_clock().now().nanoseconds / 1e9

    def _follow(self, handle: Any) -> Any:
        result = self._types[0].Result()
        trajectory = handle.request.trajectory
        with self._lock:
            self._number += 1
            number = self._number
        self._out.publish(trajectory)
        end = trajectory.points[-1].time_from_start
        end_s = self._now_s() + end.sec + end.nanosec / 1e9
        while self._now_s() < end_s:
            if handle.is_cancel_requested:
                joints = list(trajectory.joint_names)
                here = [self._positions[self._names.index(j)] for j in joints]
                point = JointTrajectoryPoint(positions=here, velocities=[0.0] * len(joints))
                self._out.publish(JointTrajectory(joint_names=joints, points=[point]))
                handle.canceled()
                return result
            if number != self._number:
                handle.abort()
                return result
            time.sleep(0.005)
        handle.succeed()
        return result

    def _grip(self, handle: Any) -> Any:
        # One finger's way; the simulator's topic takes the opening between both.
        self._grip_out.publish(Float64(data=2.0 * handle.request.command.position))
        handle.succeed()
        return self._types[1].Result(position=handle.request.command.position, reached_goal=True)


class Noting(Node):
    """Notes each request, and answers as `say` of the request before told it to."""

    def __init__(self, name: str, file: Path) -> None:
        super().__init__(name)
        self._file = file
        self.answer: dict[str, Any] = {}
        self.group = ReentrantCallbackGroup()
        self.create_subscription(String, "answer", self._take, 10, callback_group=self.group)

    def _take(self, message: String) -> None:
        self.answer = json.loads(message.data)

    def note(self, **content: Any) -> None:
        with self._file.open("a") as out:
            out.write(json.dumps(content) + "\n")

    def serve(self, kind: Any, name: str, carry_out: Any) -> ActionServer:
        return ActionServer(
            self, kind, name, carry_out, callback_group=self.group,
            goal_callback=lambda _: GoalResponse.ACCEPT, cancel_callback=lambda _: CancelResponse.ACCEPT,
        )  # fmt: skip

    def busy(self, handle: Any) -> bool:
        """Take as long as was told; False when cancelled meanwhile."""
        end_s = time.monotonic() + self.answer.get("seconds", 0.05)
        while time.monotonic() < end_s:
            if handle.is_cancel_requested:
                self.note(cancelled=True)
                handle.canceled()
                return False
            time.sleep(0.01)
        handle.succeed()
        return True


class MoveGroup(Noting):
    """move_group: says yes to every plan, or what it was told to say."""

    def __init__(self, file: Path) -> None:
        from control_msgs.action import GripperCommand
        from moveit_msgs.action import MoveGroup as MoveGroupAction

        super().__init__("move_group", file)
        self._move, self._grip = MoveGroupAction, GripperCommand
        self._servers = [
            self.serve(MoveGroupAction, "move_action", self._plan),
            self.serve(GripperCommand, "gripper_controller/gripper_cmd", self._close),
        ]
        self.create_subscription(
            String, "trajectory_execution_event", lambda m: self.note(event=m.data), 10,
            callback_group=self.group,
        )  # fmt: skip

    def _plan(self, handle: Any) -> Any:
        goal = handle.request
        wanted = goal.request.goal_constraints[0]
        content: dict[str, Any] = {"group": goal.request.group_name}
        for constraint in wanted.position_constraints:
            at = constraint.constraint_region.primitive_poses[0].position
            content |= {"to": [at.x, at.y, at.z], "link": constraint.link_name}
        for constraint in wanted.orientation_constraints:
            q = constraint.orientation
            content["turn"] = [q.x, q.y, q.z, q.w]
        if wanted.joint_constraints:
            content["joints"] = {j.joint_name: j.position for j in wanted.joint_constraints}
        scene = goal.planning_options.planning_scene_diff
        content["boxes"] = [list(o.primitives[0].dimensions) for o in scene.world.collision_objects]
        self.note(**content)
        result = self._move.Result()
        if self.busy(handle):
            result.error_code.val = self.answer.get("code", 1)
        return result

    def _close(self, handle: Any) -> Any:
        self.note(gripper=handle.request.command.position)
        handle.succeed()
        holds = self.answer.get("holds", True) and handle.request.command.position < 0.01
        return self._grip.Result(
            stalled=holds, position=0.02 if holds else handle.request.command.position, reached_goal=not holds
        )


class Nav2(Noting):
    """Nav2's navigator."""

    def __init__(self, file: Path) -> None:
        from nav2_msgs.action import NavigateToPose

        super().__init__("bt_navigator", file)
        self._kind = NavigateToPose
        self._server = self.serve(NavigateToPose, "navigate_to_pose", self._drive)

    def _drive(self, handle: Any) -> Any:
        pose = handle.request.pose
        at, turn = pose.pose.position, pose.pose.orientation
        self.note(frame=pose.header.frame_id, to=[at.x, at.y], turn=[turn.z, turn.w])
        result = self._kind.Result()
        if self.busy(handle):
            result.error_code, result.error_msg = self.answer.get("code", 0), self.answer.get("why", "")
        return result


def main() -> int:
    """Serve until ended."""
    role, arguments = sys.argv[1], sys.argv[2:]
    rclpy.init(args=[sys.argv[0], *arguments])
    files = [Path(a) for a in arguments if a.endswith(".jsonl")]
    node: Node = {
        "controller": Controller,
        "move_group": lambda: MoveGroup(files[0]),
        "nav2": lambda: Nav2(files[0]),
    }[role]()
    executor = MultiThreadedExecutor(num_threads=8)
    executor.add_node(node)
    executor.spin()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
