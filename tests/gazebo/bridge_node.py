"""Gazebo 11 as a robot on the graph, in the place of ros_gz_sim and ros_gz_bridge: for tests.

    python -m tests.gazebo.bridge_node --ros-args -p scene:=sim/scenes/demo.yaml

It starts gzserver with the generated world and carries what config/gz_bridge.yaml lists, under the names
that it lists; `~/truth` is for judges. Nothing here knows the arm server or the nodes above it.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.node import Node
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, Image, JointState
from std_msgs.msg import Float64, Header, String
from trajectory_msgs.msg import JointTrajectory

from mmrobot.ros import camera_messages, messages
from mmrobot.ros.graph import shared_folder
from mmrobot.ros.node_process import run_node
from mmrobot.ros.parameters import declare
from mmrobot.ros.qos import COMMAND, SENSOR_OUT, STATE
from mmrobot.ros.scene_file import load_scene
from mmrobot.tabletop.goals import ObjectState, WorldState
from mmrobot.types import CameraModel
from tests.gazebo.install_gazebo import SUITE, default_folder
from tests.gazebo.server import GazeboServer

TYPES = {
    "rosgraph_msgs/msg/Clock": Clock,
    "sensor_msgs/msg/Image": Image,
    "sensor_msgs/msg/CameraInfo": CameraInfo,
    "sensor_msgs/msg/JointState": JointState,
    "trajectory_msgs/msg/JointTrajectory": JointTrajectory,
    "std_msgs/msg/Float64": Float64,
}
JOINTS_EVERY, TRUTH_EVERY = 2, 10
FINGERS = ("arm::gripper_left_finger", "arm::gripper_right_finger")
HAND = (*FINGERS, "arm::gripper_link")


class BridgeNode(Node):
    """See the module's docstring. Named as the embedded simulator, whose truth judges know."""

    def __init__(self) -> None:
        super().__init__("simulator")
        path = declare(self, "scene", "", "YAML of a scene or of episodes")
        episode = declare(self, "episode", "", "name of the episode in the scene file; empty: the first")
        pace = declare(self, "real_time_factor", 1.0, "simulated seconds in one of wall time")
        rate_hz = declare(self, "camera_rate_hz", 5.0, "pictures in a simulated second")
        root = declare(self, "gazebo_root", "", "Debian with Gazebo 11; empty: install_gazebo.py's folder")
        bridge = declare(self, "bridge_config", "", "YAML of ros_gz_bridge; empty: config/gz_bridge.yaml")
        entries = yaml.safe_load(Path(bridge or shared_folder("config") / "gz_bridge.yaml").read_text())
        self._outs: dict[str, list[Any]] = {}
        self._server: GazeboServer | None = None
        self._ticks = 0
        for entry in entries:
            self._bridge(entry)
        self._truth_out = self.create_publisher(String, "~/truth", STATE)
        scene, _ = load_scene(path, episode)
        server = GazeboServer(
            Path(root or default_folder() / SUITE), scene, real_time_factor=pace, camera_rate_hz=rate_hz
        )
        server.__enter__()
        self._camera = _camera_model(server.camera)
        self._server = server
        server.on_state, server.on_picture = self._take_state, self._take_picture
        self.get_logger().info(f"Gazebo 11 simulates {len(scene.objects)} objects")

    def close(self) -> None:
        """End Gazebo."""
        if self._server is not None:
            self._server.close()

    def _bridge(self, entry: dict[str, Any]) -> None:
        kind, ros, gz = TYPES[entry["ros_type_name"]], entry["ros_topic_name"], entry["gz_topic_name"]
        if entry["direction"] == "GZ_TO_ROS":
            qos = SENSOR_OUT if gz.startswith("camera/") else STATE
            self._outs.setdefault(gz, []).append(self.create_publisher(kind, ros, qos))
            return
        take = self._trajectory if kind is JointTrajectory else lambda m: self._position(gz, m)
        self.create_subscription(kind, ros, take, COMMAND, callback_group=MutuallyExclusiveCallbackGroup())

    def _publish(self, topic: str, message: Any) -> None:
        for out in self._outs.get(topic, []):
            out.publish(message)

    def _trajectory(self, message: JointTrajectory) -> None:
        if self._server is None:
            return
        trajectory = messages.trajectory_from_message(message)
        points = zip(trajectory.times_s, trajectory.positions, trajectory.velocities, strict=True)
        self._server.send_trajectory(trajectory.joint_names, [(t, list(p), list(v)) for t, p, v in points])

    def _position(self, topic: str, message: Float64) -> None:
        if self._server is not None:
            self._server.send_position(topic, message.data)

    def _take_state(self, state: dict[str, Any]) -> None:
        now_ns = round(state["t"] * 1e9)
        self._publish("clock", Clock(clock=messages.to_time(now_ns)))
        self._ticks += 1
        if self._ticks % JOINTS_EVERY == 0:
            values = list(state["joints"].values())
            self._publish(
                "joint_states",
                JointState(
                    header=Header(stamp=messages.to_time(now_ns)),
                    name=list(state["joints"]),
                    position=[float(v[0]) for v in values],
                    velocity=[float(v[1]) for v in values],
                    effort=[float(v[2]) for v in values],
                ),
            )
        if self._ticks % TRUTH_EVERY == 0 and self._truth_out.get_subscription_count():
            self._truth_out.publish(String(data=json.dumps(asdict(world_state(state)))))

    def _take_picture(self, kind: str, time_s: float, pixels: NDArray[Any]) -> None:
        stamp_ns = round(time_s * 1e9)
        frame = self._camera.frame_id
        if kind == "I":
            self._publish("camera/camera_info", camera_messages.camera_to_message(self._camera, stamp_ns))
            self._publish("camera/image", camera_messages.rgb_to_message(pixels, stamp_ns, frame))
        else:
            self._publish("camera/depth_image", camera_messages.depth_to_message(pixels, stamp_ns, frame))


def world_state(state: dict[str, Any]) -> WorldState:
    """Of the plugin's state; held is what both fingers touch and nothing outside of the hand does."""
    objects = {
        name: ObjectState(name, tuple(v[:3]), tuple(v[3:7]), tuple(v[7:10]), tuple(v[10:13]))
        for name, v in state["models"].items()
    }
    touching: dict[str, set[str]] = {}
    for first, second in state["contacts"]:
        touching.setdefault(first, set()).add(second)
        touching.setdefault(second, set()).add(first)
    for name in objects:
        touched = touching.get(f"{name}::body", set())
        if set(FINGERS) <= touched <= set(HAND):
            return WorldState(objects, name, state["t"])
    return WorldState(objects, None, state["t"])


def _camera_model(camera: dict[str, Any]) -> CameraModel:
    """As Harmonic tells of it: the axis at half the size, which is half a pixel beside the middle."""
    width, height = camera["width"], camera["height"]
    focal = width / 2 / np.tan(camera["hfov"] / 2)
    return CameraModel(
        width, height, float(focal), float(focal), width / 2, height / 2, frame_id="camera_optical_frame"
    )


def main() -> int:
    """Run the node."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    return run_node(BridgeNode, threads=2)


if __name__ == "__main__":
    raise SystemExit(main())
