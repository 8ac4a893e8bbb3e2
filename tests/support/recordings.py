"""Recordings as the recorder writes them, without a graph: a rendered scene, words, plans."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from geometry_msgs.msg import Quaternion, Transform, TransformStamped, Vector3
from rclpy.serialization import serialize_message
from scipy.spatial.transform import Rotation
from std_msgs.msg import Header, String
from tf2_msgs.msg import TFMessage

from mmrobot.ros import camera_messages
from mmrobot.ros.mcap_file import McapFile
from mmrobot.ros.messages import plan_to_message, to_time
from mmrobot.simulator.simulator import Simulator
from mmrobot.tabletop.scene import Scene
from mmrobot.types import ActionPlan, RgbdFrame

IMAGE, INFO = "sensor_msgs/msg/Image", "sensor_msgs/msg/CameraInfo"
STRING, PLAN = "std_msgs/msg/String", "mmrobot_msgs/msg/ActionPlan"


def rendered(scene: dict[str, Any]) -> RgbdFrame:
    """One look at a scene, stamp 1 s."""
    simulator = Simulator(scene=Scene.from_dict(scene), seed=7)
    try:
        frame = simulator.render()
    finally:
        simulator.close()
    return RgbdFrame(frame.rgb, frame.depth_m, frame.camera, frame.T_base_camera, 1_000_000_000)


class Writer:
    """An open recording; `close` it."""

    def __init__(self, path: Path) -> None:
        self.file = McapFile(path)

    def put(self, topic: str, kind: str, message: Any, time_ns: int) -> None:
        self.file.write(topic, kind, bytes(serialize_message(message)), time_ns)

    def look(self, frame: RgbdFrame, name: str = "", with_image: bool = True) -> None:
        """The camera's place, its infos, colour and depth, at the frame's stamp; topics below `name`."""
        at, camera = frame.stamp_ns, frame.camera
        pose = frame.T_base_camera
        assert pose is not None and frame.depth_m is not None
        x, y, z, w = (float(v) for v in Rotation.from_matrix(pose[:3, :3]).as_quat())
        t = [float(v) for v in pose[:3, 3]]
        one = TransformStamped(
            header=Header(stamp=to_time(at), frame_id="base_link"),
            child_frame_id=camera.frame_id,
            transform=Transform(
                translation=Vector3(x=t[0], y=t[1], z=t[2]), rotation=Quaternion(x=x, y=y, z=z, w=w)
            ),
        )
        self.put("/tf_static", "tf2_msgs/msg/TFMessage", TFMessage(transforms=[one]), at)
        info = camera_messages.camera_to_message(camera, at)
        self.put(f"{name}/camera_info", INFO, info, at)
        self.put(f"{name}/depth/camera_info", INFO, info, at)
        if with_image:
            rgb = camera_messages.rgb_to_message(frame.rgb, at, camera.frame_id)
            self.put(f"{name}/image", IMAGE, rgb, at)
        depth = camera_messages.depth_to_message(np.asarray(frame.depth_m), at, camera.frame_id)
        self.put(f"{name}/depth", IMAGE, depth, at)

    def status(self, time_ns: int, state: str, words: str, message: str = "", code: str = "") -> None:
        content: dict[str, Any] = {
            "node": "vlm",
            "state": state,
            "message": message,
            "instruction": words[:200],
        }
        if code:
            content["error"] = {"code": code, "message": message, "fix": ""}
        self.put("/status", STRING, String(data=json.dumps(content)), time_ns)

    def plan(self, time_ns: int, plan: ActionPlan) -> None:
        self.put("/plan", PLAN, plan_to_message(plan), time_ns)

    def close(self) -> None:
        self.file.close()
