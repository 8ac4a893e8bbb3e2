"""An arm that MoveIt 2 plans for: pick, place and home through move_group, a gripper by GripperCommand.

    python -m mmrobot.ros.moveit_server_node --ros-args -p group:=manipulator -p link:=tool0 \\
        -p tool_length_m:=0.12 -p home_joints:="[a, b]" -p home_positions:="[0.0, -1.57]"

The hand comes from above, turned so that the fingers close over the narrower side. What else is seen goes
along as boxes to be kept clear of. A stop cancels the goal and tells MoveIt's executor to stop.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from geometry_msgs.msg import Point, Pose, Quaternion
from rclpy.qos import QoSProfile
from shape_msgs.msg import SolidPrimitive
from std_msgs.msg import Header, String

from mmrobot.errors import (
    DeadlineError,
    ExecutionFailedError,
    GraspFailedError,
    InvalidConfigError,
    UnreachableError,
)
from mmrobot.ros.node_process import run_node
from mmrobot.ros.optional_messages import interface
from mmrobot.ros.parameters import declare
from mmrobot.ros.skill_server import SkillServer
from mmrobot.types import BASE_FRAME, GroundedObject, PlanStep, Vector3

ACTION, GRIPPER_ACTION, STOP_TOPIC = (
    "move_action",
    "gripper_controller/gripper_cmd",
    "trajectory_execution_event",
)
FOR = "an arm behind MoveIt 2"
POSITION_M, ANGLE_RAD, JOINT_RAD = 0.002, 0.02, 0.01
# How deep the fingers reach over a thing, and how far they stay from the table.
GRIP_DEPTH_M, OVER_TABLE_M = 0.035, 0.008
EMPTY_M = 0.004
SUCCESS = 1
# moveit_msgs/MoveItErrorCodes: no way was found, or the goal cannot be had.
NO_WAY = {-1: "PLANNING_FAILED", -2: "INVALID_MOTION_PLAN", -10: "START_STATE_IN_COLLISION",
          -12: "GOAL_IN_COLLISION", -14: "GOAL_CONSTRAINTS_VIOLATED", -31: "NO_IK_SOLUTION"}  # fmt: skip
TIMED_OUT = -6


def finger_yaw(thing: GroundedObject) -> float:
    """The turn about z of the line along which the fingers close: over the narrower side, radians."""
    return thing.yaw_rad + (0.0 if thing.size_m[0] <= thing.size_m[1] else math.pi / 2)


def from_above(yaw_rad: float) -> Quaternion:
    """Of a tool whose z points down and whose y is turned by `yaw_rad` about the base's z.

    That is half a turn about (cos a, sin a, 0), which takes y to the angle 2 a - pi / 2.
    """
    a = yaw_rad / 2 + math.pi / 4
    return Quaternion(x=math.cos(a), y=math.sin(a), z=0.0, w=0.0)


class MoveItServer(SkillServer):
    """One arm, one gripper."""

    def __init__(self) -> None:
        self._move = interface("moveit_msgs/action/MoveGroup", FOR)
        self._grip = interface("control_msgs/action/GripperCommand", FOR)
        self._types = {
            name: interface(f"moveit_msgs/msg/{name}", FOR)
            for name in ("Constraints", "PositionConstraint", "OrientationConstraint", "JointConstraint",
                         "BoundingVolume", "CollisionObject", "PlanningScene")
        }  # fmt: skip
        self._stop_out: Any = None
        super().__init__()
        self._group = declare(self, "group", "manipulator", "MoveIt's planning group of the arm")
        self._link = declare(self, "link", "tool0", "link whose pose is planned: z out of the hand")
        self._tool_m = declare(self, "tool_length_m", 0.12, "from that link to the finger tips, along z")
        self._tool_turn = declare(self, "tool_turn_rad", 0.0, "from the link's y to where the fingers close")
        self._open_at = declare(self, "gripper_open", 0.04, "GripperCommand position of open fingers")
        self._closed_at = declare(self, "gripper_closed", 0.0, "GripperCommand position of closed fingers")
        self._speed = declare(self, "speed_scale", 0.3, "of the arm's largest speed and acceleration")
        joints = declare(self, "home_joints", [""], "joints of the posture out of the camera's view")
        positions = declare(self, "home_positions", [0.0], "their positions, rad")
        self._home = dict(zip([j for j in joints if j], positions, strict=False))
        if len([j for j in joints if j]) != len(positions) and any(joints):
            raise InvalidConfigError(
                f"{len(joints)} home_joints and {len(positions)} home_positions", "give one for each"
            )
        self._grip_over_bottom_m = 0.0
        self._stop_out = self.create_publisher(String, STOP_TOPIC, QoSProfile(depth=10))

    def halt(self) -> None:
        """MoveIt's executor stops; the goal itself is cancelled as the skill ends."""
        if self._stop_out is not None:
            self._stop_out.publish(String(data="stop"))

    def pick(self, step: PlanStep) -> None:
        """From above, grasp, lift. Raises GraspFailedError when the fingers meet."""
        thing = step.target
        assert thing is not None
        x, y, _ = thing.position_m
        z = max(thing.top_z_m - GRIP_DEPTH_M, thing.bottom_z_m + OVER_TABLE_M)
        yaw, over_m = finger_yaw(thing), self.config.motion.approach_height_m
        self.phase("approach", 0.1)
        self._gripper(self._open_at)
        self._to((x, y, thing.top_z_m + over_m), yaw, step.obstacles)
        self.phase("descend", 0.4)
        self._to((x, y, z), yaw, step.obstacles)
        self.phase("grasp", 0.6)
        stalled, position = self._gripper(self._closed_at)
        if not stalled and abs(position - self._closed_at) < EMPTY_M:
            self._to((x, y, thing.top_z_m + over_m), yaw, step.obstacles)
            raise GraspFailedError(f"the fingers closed and hold no '{thing.label}'", "try again")
        self._grip_over_bottom_m = z - thing.bottom_z_m
        self.phase("lift", 0.8)
        self._to((x, y, thing.top_z_m + over_m), yaw, step.obstacles)

    def place(self, step: PlanStep) -> None:
        """Over the goal, down, open, up."""
        goal = step.goal_position_m
        assert goal is not None and step.target is not None
        z = goal[2] + self._grip_over_bottom_m + self.config.planning.drop_height_m
        yaw, over_m = finger_yaw(step.target), self.config.motion.carry_height_m
        self.phase("carry", 0.1)
        self._to((goal[0], goal[1], z + over_m), yaw, step.obstacles)
        self.phase("lower", 0.4)
        self._to((goal[0], goal[1], z), yaw, step.obstacles)
        self.phase("release", 0.7)
        self._gripper(self._open_at)
        self._to((goal[0], goal[1], z + over_m), yaw, step.obstacles)

    def home(self, step: PlanStep) -> None:
        """To the posture of the parameters; without one the arm stays where it is."""
        self.phase("home", 0.1)
        if self._home:
            constraint = self._types["JointConstraint"]
            joints = [
                constraint(joint_name=name, position=float(at), tolerance_above=JOINT_RAD,
                           tolerance_below=JOINT_RAD, weight=1.0)
                for name, at in self._home.items()
            ]  # fmt: skip
            self._plan_and_move(self._types["Constraints"](joint_constraints=joints), step.obstacles)

    # -- MoveIt ------------------------------------------------------------------------------------

    def _to(self, tip_m: Vector3, yaw_rad: float, obstacles: Sequence[GroundedObject]) -> None:
        """The finger tips to a point of the base, from above."""
        header = Header(frame_id=BASE_FRAME)
        at = Pose(position=Point(x=tip_m[0], y=tip_m[1], z=tip_m[2] + self._tool_m))
        at.orientation.w = 1.0
        region = self._types["BoundingVolume"](
            primitives=[SolidPrimitive(type=SolidPrimitive.SPHERE, dimensions=[POSITION_M])],
            primitive_poses=[at],
        )
        position = self._types["PositionConstraint"](
            header=header, link_name=self._link, constraint_region=region, weight=1.0
        )
        orientation = self._types["OrientationConstraint"](
            header=header,
            link_name=self._link,
            orientation=from_above(yaw_rad - self._tool_turn),
            absolute_x_axis_tolerance=ANGLE_RAD,
            absolute_y_axis_tolerance=ANGLE_RAD,
            absolute_z_axis_tolerance=ANGLE_RAD,
            weight=1.0,
        )
        constraints = self._types["Constraints"](
            position_constraints=[position], orientation_constraints=[orientation]
        )
        self._plan_and_move(constraints, obstacles)

    def _plan_and_move(self, constraints: Any, obstacles: Sequence[GroundedObject]) -> None:
        goal = self._move.Goal()
        request = goal.request
        request.group_name = self._group
        request.num_planning_attempts, request.allowed_planning_time = 5, 5.0
        request.max_velocity_scaling_factor = request.max_acceleration_scaling_factor = float(self._speed)
        request.start_state.is_diff = True
        request.workspace_parameters.header.frame_id = BASE_FRAME
        request.goal_constraints = [constraints]
        goal.planning_options.planning_scene_diff = self._scene(obstacles)
        result = self.call_action(self._move, ACTION, goal, self.config.runner.step_timeout_s)
        code = int(result.error_code.val)
        if code == SUCCESS:
            return
        if code in NO_WAY:
            raise UnreachableError(f"MoveIt found no way: {NO_WAY[code]}", "move the thing, or clear the way")
        if code == TIMED_OUT:
            raise DeadlineError("MoveIt ran out of time", "allow more planning time")
        raise ExecutionFailedError(f"MoveIt ended with error {code}", "see moveit_msgs/MoveItErrorCodes")

    def _scene(self, obstacles: Sequence[GroundedObject]) -> Any:
        """What else is seen, as boxes."""
        kind, scene = self._types["CollisionObject"], self._types["PlanningScene"](is_diff=True)
        scene.robot_state.is_diff = True
        for i, thing in enumerate(obstacles):
            x, y, z = thing.position_m
            turn = Quaternion(z=math.sin(thing.yaw_rad / 2), w=math.cos(thing.yaw_rad / 2))
            box = SolidPrimitive(type=SolidPrimitive.BOX, dimensions=[float(s) for s in thing.size_m])
            scene.world.collision_objects.append(
                kind(
                    header=Header(frame_id=BASE_FRAME),
                    id=f"mmrobot_{i}",
                    pose=Pose(position=Point(x=x, y=y, z=z), orientation=turn),
                    primitives=[box],
                    primitive_poses=[Pose()],
                    operation=kind.ADD,
                )
            )
        return scene

    def _gripper(self, position: float) -> tuple[bool, float]:
        """Whether the fingers were held up by something, and where they stand."""
        goal = self._grip.Goal()
        goal.command.position, goal.command.max_effort = float(position), self.config.motion.gripper_force_n
        result = self.call_action(self._grip, GRIPPER_ACTION, goal, 10.0)
        return bool(result.stalled), float(result.position)


def main() -> int:
    """Run the node."""
    return run_node(MoveItServer, threads=3)


if __name__ == "__main__":
    raise SystemExit(main())
