"""Records a run: an MCAP file for Foxglove, a video of camera and spectator, the annotated picture.

    python -m mmrobot.ros.recorder_node --ros-args -p directory:=runs/today

Small messages go into the file as they are on the wire; pictures as JPEG, drawn and encoded on a
thread of its own, the oldest dropped when it falls behind.
"""

from __future__ import annotations

import array
import json
import threading
from collections import deque
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.node import Node
from rclpy.qos import QoSProfile
from rclpy.serialization import deserialize_message, serialize_message
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, JointState
from std_msgs.msg import Header, String
from tf2_msgs.msg import TFMessage
from visualization_msgs.msg import MarkerArray

from mmrobot.errors import InvalidConfigError, InvalidImageError
from mmrobot.perception.frame import image_from_message
from mmrobot.ros.mcap_file import McapFile
from mmrobot.ros.messages import from_time, plan_from_message
from mmrobot.ros.node_process import guarded_thread, run_node
from mmrobot.ros.overlay import Caption, annotate, side_by_side, with_caption
from mmrobot.ros.parameters import declare
from mmrobot.ros.qos import DYNAMIC_TF, LATCHED, SENSOR_OUT, STATE, STATIC_TF
from mmrobot.ros.sensor_subscription import SensorSubscriptions
from mmrobot.ros.video_file import VideoFile
from mmrobot.types import ActionPlan
from mmrobot_msgs.msg import ActionPlan as ActionPlanMsg

MCAP_NAME, VIDEO_NAME, PICTURE_NAME = "run.mcap", "demo.mp4", "annotated.png"
MAX_WAITING = 20
FRAMES_PER_S = 10
JPEG_QUALITY = 88
NOT_YET = np.zeros((540, 960, 3), dtype=np.uint8)


class RecorderNode(Node):
    """Subscribes, never publishes."""

    def __init__(self) -> None:
        super().__init__("recorder")
        directory = declare(self, "directory", "", "folder for run.mcap, demo.mp4 and annotated.png")
        if not directory:
            raise InvalidConfigError("the recorder needs a folder, got ''", "set the parameter `directory`")
        self._folder = Path(directory)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._mcap = McapFile(self._folder / MCAP_NAME)
            self._video = VideoFile(self._folder / VIDEO_NAME, FRAMES_PER_S)
        except OSError as error:
            raise InvalidConfigError(
                f"cannot record into '{directory}': {error}", "give a writable folder"
            ) from error
        self._file_lock = threading.Lock()
        self._spectator: Image | None = None
        # A video has one size: the spectator's place is kept from the first frame on.
        self._with_spectator = bool(
            declare(self, "spectator", False, "true: the spectator's view is published")
        )
        self._plan: ActionPlan | None = None
        self._step: int | None = None
        self._caption = Caption("waiting for an instruction")
        self._waiting: deque[tuple[str, Image]] = deque(maxlen=MAX_WAITING)
        self._wake = threading.Condition()
        self._closed = False
        self._group = MutuallyExclusiveCallbackGroup()
        self._subscribe()
        self._thread = guarded_thread(self._work, "pictures")

    def close(self) -> None:
        """Write what waits, then the ends of both files."""
        self._closed = True
        with self._wake:
            self._wake.notify()
        self._thread.join(10.0)
        with self._file_lock:
            self._mcap.close()
            self._video.close()

    def _subscribe(self) -> None:
        self._raw("plan", ActionPlanMsg, LATCHED, self._take_plan)
        self._raw("plan/markers", MarkerArray, LATCHED)
        self._raw("status", String, STATE, self._take_status)
        self._raw("speech", String, STATE)
        self._raw("instruction", String, STATE)
        self._raw("joint_states", JointState, STATE)
        self._raw("camera_info", CameraInfo, SENSOR_OUT)
        self._raw("/tf", TFMessage, DYNAMIC_TF)
        self._raw("/tf_static", TFMessage, STATIC_TF)
        sensors = SensorSubscriptions(self)
        for topic in ("image", "spectator"):
            sensors.add(Image, topic, partial(self._take_picture, topic), self._group)
        self.create_subscription(
            Image,
            "image_annotated",
            partial(self._take_picture, "image_annotated"),
            LATCHED,
            callback_group=self._group,
        )

    def _raw(self, topic: str, kind: Any, qos: QoSProfile, then: Any = None) -> None:
        package, folder, _ = kind.__module__.split(".")
        type_name = f"{package}/{folder}/{kind.__name__}"
        resolved = self.resolve_topic_name(topic)

        def take(data: bytes) -> None:
            self._write(resolved, type_name, data, self.get_clock().now().nanoseconds)
            if then is not None:
                then(deserialize_message(data, kind))

        self.create_subscription(kind, topic, take, qos, raw=True, callback_group=self._group)

    def _take_picture(self, topic: str, message: Image) -> None:
        with self._wake:
            self._waiting.append((topic, message))
            self._wake.notify()

    def _write(self, topic: str, type_name: str, data: bytes, time_ns: int) -> None:
        with self._file_lock:
            if not self._closed:
                self._mcap.write(topic, type_name, data, time_ns)

    def _take_plan(self, message: ActionPlanMsg) -> None:
        try:
            self._plan, self._step = plan_from_message(message), None
        except ValueError as error:
            self.get_logger().error(f"plan not drawn: {error}")

    def _take_status(self, message: String) -> None:
        content = json.loads(message.data)
        title = content.get("instruction") or self._caption.title
        state, steps = content["state"], content.get("steps") or 0
        if content["node"] == "executor" and content.get("step") is not None:
            self._step = content["step"] + (state == "step_finished")
        success = {"done": True, "failed": False}.get(state)
        detail = content["message"]
        if content["node"] == "executor" and self._step is not None and steps and self._step < steps:
            phase = state == "phase" and self._plan is not None and self._step < len(self._plan.steps)
            summary = self._plan.steps[self._step].summary if phase and self._plan else ""
            detail = f"step {self._step + 1} of {steps}: " + (f"{summary} ({detail})" if phase else detail)
        if content["node"] == "vlm" or success is None:
            self._caption = Caption(title, detail, success)

    def _work(self) -> None:
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._closed or bool(self._waiting))
                if not self._waiting:
                    return
                topic, message = self._waiting.popleft()
            try:
                rgb = image_from_message(message)
            except InvalidImageError as error:
                self.get_logger().error(f"'{topic}' not recorded: {error.message}", throttle_duration_sec=5.0)
                continue
            self._save(topic, rgb, message)

    def _save(self, topic: str, rgb: NDArray[np.uint8], message: Image) -> None:
        bgr = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
        if topic == "image_annotated":
            cv2.imwrite(str(self._folder / PICTURE_NAME), bgr)
        if topic == "spectator":
            self._spectator = message
        if topic == "image":
            self._film(rgb)
        _, jpeg = cv2.imencode(".jpg", bgr, (cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY))
        packed = CompressedImage(
            header=Header(stamp=message.header.stamp, frame_id=message.header.frame_id), format="jpeg"
        )
        packed.data = array.array("B", jpeg.tobytes())
        stamp_ns = from_time(message.header.stamp)
        name = f"{self.resolve_topic_name(topic)}/compressed"
        with self._file_lock:
            self._mcap.write(
                name, "sensor_msgs/msg/CompressedImage", bytes(serialize_message(packed)), stamp_ns
            )

    def _film(self, rgb: NDArray[np.uint8]) -> None:
        spectator = NOT_YET if self._with_spectator else None
        if self._spectator is not None:
            spectator = image_from_message(self._spectator)
        view = side_by_side(annotate(rgb, self._plan, active_step=self._step), spectator)
        self._video.write(with_caption(view, self._caption))


def main() -> int:
    """Run the node."""
    return run_node(RecorderNode, threads=2)


if __name__ == "__main__":
    raise SystemExit(main())
