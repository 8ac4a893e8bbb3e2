"""What the embedded simulator does beside physics, for Gazebo: frames, the gripper's one command, going home.

    python -m mmrobot.ros.gazebo_companion_node --ros-args -p scene:=my_scene.yaml -p use_sim_time:=true

Publishes /tf of the arm's links (from `joint_states`) and /tf_static of the camera, turns `gripper_command`
(the opening) into `gripper_finger_position` (each finger), and takes the arm to its home posture once, from
straight up, where Gazebo loads it.
"""

from __future__ import annotations

import threading

import numpy as np
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from sensor_msgs.msg import JointState
from std_msgs.msg import Float64
from tf2_msgs.msg import TFMessage
from trajectory_msgs.msg import JointTrajectory as JointTrajectoryMsg

from mmrobot.arm.hand import ARM_JOINTS, GRIPPER_JOINTS, HAND, OBSERVE_POSTURE
from mmrobot.ros.heartbeat import Heartbeat
from mmrobot.ros.messages import from_duration, from_time, trajectory_to_message
from mmrobot.ros.node_process import run_node
from mmrobot.ros.parameters import declare
from mmrobot.ros.qos import COMMAND, DYNAMIC_TF, STATE, STATIC_TF
from mmrobot.ros.scene_file import load_scene
from mmrobot.ros.simulator_frames import CAMERA_LINK, T_LINK_OPTICAL, transform_message
from mmrobot.simulator.files import MODELS_FOLDER
from mmrobot.simulator.gazebo.fingers import FingerRamp
from mmrobot.simulator.gazebo.frames import arm_frames, camera_pose
from mmrobot.simulator.gazebo.homing import at_zero, home_trajectory
from mmrobot.simulator.sdf_parse import parse_model
from mmrobot.tabletop.scene import Scene
from mmrobot.types import BASE_FRAME

FINGERS_S = 0.02
TF_PERIOD_NS = 50_000_000
# The command home is said again as long as the arm has not left: a bridge that starts late hears it then.
HOMING_AGAIN_NS = 1_000_000_000
CAMERA_FRAME = "camera_optical_frame"


class GazeboCompanionNode(Node):
    """See the module's docstring."""

    def __init__(self) -> None:
        super().__init__("gazebo_companion")
        path = declare(self, "scene", "", "YAML of a scene or of episodes; empty: an empty table")
        episode = declare(self, "episode", "", "name of the episode in the scene file; empty: the first")
        scene = load_scene(path, episode)[0] if path else Scene()
        self._model = parse_model(MODELS_FOLDER / "arm" / "model.sdf")
        self._lock = threading.Lock()
        self._ramp: FingerRamp | None = None
        self._width_m = 0.0
        self._stamp_ns = self._ramped_ns = self._tf_ns = 0
        self._homing_ns: int | None = None
        self._homing_points = 0
        self._loaded = True
        self._tf_out = self.create_publisher(TFMessage, "/tf", DYNAMIC_TF)
        self._tf_static_out = self.create_publisher(TFMessage, "/tf_static", STATIC_TF)
        self._fingers_out = self.create_publisher(Float64, "gripper_finger_position", COMMAND)
        self._trajectory_out = self.create_publisher(JointTrajectoryMsg, "joint_trajectory", COMMAND)
        self._tf_static_out.publish(TFMessage(transforms=_camera_transforms(scene)))
        group = MutuallyExclusiveCallbackGroup()
        self.create_subscription(JointState, "joint_states", self._take_state, STATE, callback_group=group)
        self.create_subscription(
            Float64, "gripper_command", self._take_gripper, COMMAND, callback_group=group
        )
        self.create_subscription(
            JointTrajectoryMsg, "joint_trajectory", self._see_trajectory, COMMAND, callback_group=group
        )
        self.create_timer(
            FINGERS_S,
            self._move_fingers,
            callback_group=MutuallyExclusiveCallbackGroup(),
            clock=Clock(clock_type=ClockType.STEADY_TIME),
        )
        self._heartbeat = Heartbeat(self, "gazebo_companion")
        self.get_logger().info("ready: frames, fingers and the way home for Gazebo")

    def close(self) -> None:
        """End the heartbeat."""
        self._heartbeat.close()

    def _take_state(self, message: JointState) -> None:
        positions = dict(zip(message.name, message.position, strict=False))
        missing = [name for name in (*ARM_JOINTS, *GRIPPER_JOINTS) if name not in positions]
        if missing:
            self.get_logger().error(
                f"joint_states lack {', '.join(missing)}: is this the shipped arm?",
                throttle_duration_sec=5.0,
            )
            return
        stamp_ns = from_time(message.header.stamp)
        with self._lock:
            self._stamp_ns = stamp_ns
            self._width_m = sum(positions[name] for name in GRIPPER_JOINTS)
            if self._ramp is None:
                self._ramp, self._ramped_ns = FingerRamp(self._width_m), stamp_ns
        if not 0 <= stamp_ns - self._tf_ns < TF_PERIOD_NS:
            self._tf_ns = stamp_ns
            frames = arm_frames(positions, self._model)
            transforms = [transform_message(f.parent, f.child, f.pose, stamp_ns) for f in frames]
            self._tf_out.publish(TFMessage(transforms=transforms))
        self._go_home(np.array([positions[name] for name in ARM_JOINTS]), stamp_ns)

    def _go_home(self, positions: np.ndarray, stamp_ns: int) -> None:
        """Once, while the arm stands as loaded and somebody hears; whoever moves it first has it."""
        if not self._loaded:
            return
        if not at_zero(positions):
            self._loaded = False
            return
        again = self._homing_ns is None or stamp_ns - self._homing_ns > HOMING_AGAIN_NS
        # This node hears its own topic: one subscriber is nobody.
        if again and self._trajectory_out.get_subscription_count() > 1:
            self._homing_ns = stamp_ns
            home = home_trajectory(ARM_JOINTS, positions, np.array(OBSERVE_POSTURE))
            self._homing_points = len(home.times_s)
            self._trajectory_out.publish(trajectory_to_message(home))
            self.get_logger().info("taking the arm from where Gazebo loads it to its home posture")

    def _take_gripper(self, message: Float64) -> None:
        if not 0.0 <= message.data <= HAND.max_opening_m + 0.001:
            self.get_logger().error(
                f"gripper_command refused: {message.data} m is not in 0 to {HAND.max_opening_m}"
            )
            return
        with self._lock:
            if self._ramp is not None:
                self._ramp.command(message.data)

    def _see_trajectory(self, message: JointTrajectoryMsg) -> None:
        """Who else commands the arm has it: no way home is said again, least of all after a stop. The arm
        server's way to say "stand still, now" holds the fingers too (see TopicArmPort.halt)."""
        if len(message.points) != self._homing_points:
            self._loaded = False
        if len(message.points) != 1 or from_duration(message.points[0].time_from_start) > 0.0:
            return
        if not any(message.points[0].velocities):
            with self._lock:
                if self._ramp is not None:
                    self._ramp.hold(self._width_m)

    def _move_fingers(self) -> None:
        with self._lock:
            passed_s = (self._stamp_ns - self._ramped_ns) / 1e9
            if self._ramp is None or passed_s == 0.0:
                return
            self._ramped_ns = self._stamp_ns
            finger_m = self._ramp.step(self._width_m, passed_s)
        self._fingers_out.publish(Float64(data=finger_m))


def _camera_transforms(scene: Scene) -> list:
    return [
        transform_message(BASE_FRAME, CAMERA_LINK, camera_pose(scene), 0),
        transform_message(CAMERA_LINK, CAMERA_FRAME, T_LINK_OPTICAL, 0),
    ]


def main() -> int:
    """Run the node."""
    return run_node(GazeboCompanionNode, threads=3)


if __name__ == "__main__":
    raise SystemExit(main())
