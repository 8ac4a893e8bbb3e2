"""Records a run: an MCAP file for Foxglove and replay, a video, the annotated picture; or only a black box.

    python -m mmrobot.ros.recorder_node --ros-args -p directory:=runs/today

All messages go into the file as they are on the wire. Pictures go in as JPEG; exactly, only those that a
plan rests on and some a second, with their depth. They are drawn and encoded on a thread of its own, the
oldest dropped when it falls behind. With `recording.black_box` of the configuration the last seconds are
remembered as well, and written when a plan fails or a node reports a fault.
"""

from __future__ import annotations

import array
import json
import threading
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from numpy.typing import NDArray
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from rclpy.serialization import deserialize_message, serialize_message
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, JointState
from std_msgs.msg import Empty, Header, String
from tf2_msgs.msg import TFMessage
from visualization_msgs.msg import MarkerArray

from mmrobot import __version__
from mmrobot.config import Config, config_as_yaml
from mmrobot.errors import InvalidConfigError, InvalidImageError
from mmrobot.perception.frame import image_from_message
from mmrobot.ros.black_box import BlackBox
from mmrobot.ros.film import Film
from mmrobot.ros.frame_keeper import FrameKeeper, Kept
from mmrobot.ros.mcap_file import McapFile
from mmrobot.ros.messages import from_time, plan_from_message
from mmrobot.ros.node_process import guarded_thread, run_node
from mmrobot.ros.parameters import declare, declare_config
from mmrobot.ros.qos import COMMAND, DYNAMIC_TF, LATCHED, SENSOR_OUT, STATE, STATIC_TF
from mmrobot.ros.sensor_subscription import SensorSubscriptions
from mmrobot_msgs.msg import ActionPlan as ActionPlanMsg
from mmrobot_msgs.msg import GroundedObject as GroundedObjectMsg

MCAP_NAME, VIDEO_NAME, PICTURE_NAME = "run.mcap", "demo.mp4", "annotated.png"
IMAGE_TYPE, JPEG_TYPE = "sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage"
MAX_WAITING = 20
# While the recorder is busy; a picture is about a megabyte.
INFOS_WAITING, FRAMES_WAITING = 30, 10
JPEG_QUALITY = 88
# What follows a failure closely belongs to it; failures that follow each other are one.
AFTER_S, AGAIN_S = 1.0, 5.0
TELL_S = 0.5
# Of words that were no good, or that people took back, nothing is to be learned from pictures.
EVERYDAY = frozenset("INVALID_INSTRUCTION NOT_UNDERSTOOD AMBIGUOUS CANCELLED PREEMPTED BUSY".split())
REPLAYED = ("image", "camera_info", "depth", "depth/camera_info", "plan", "status", "executor/held")


class RecorderNode(Node):
    """Subscribes; publishes only on /diagnostics whether it records yet."""

    def __init__(self) -> None:
        super().__init__("recorder")
        self._config = declare_config(self)
        directory = declare(self, "directory", "", "folder for run.mcap, demo.mp4 and annotated.png")
        spectator = bool(declare(self, "spectator", False, "true: the spectator's view is published"))
        about = self._about(self._config)
        recording = self._config.recording
        if not directory and not recording.black_box:
            raise InvalidConfigError(
                "the recorder has nothing to do: no folder, and no black box",
                "set the parameter `directory`, or recording.black_box in the configuration",
            )
        self._box = BlackBox(recording, about) if recording.black_box else None
        self._folder = Path(directory) if directory else None
        self._mcap: McapFile | None = None
        self._film: Film | None = None
        if self._folder is not None:
            self._open(self._folder, spectator, about)
        self._file_lock = threading.Lock()
        self._lost = ""
        self._keeper = FrameKeeper(recording.frames_hz, self._config.camera.pair_tolerance_s)
        self._waiting: deque[tuple[str, Any]] = deque(maxlen=MAX_WAITING)
        self._failure: tuple[str, float] | None = None
        self._dumped_s = float("-inf")
        self._was_ready = False
        self._wake = threading.Condition()
        self._closed = False
        self._group = MutuallyExclusiveCallbackGroup()
        self._missing = {"image", "camera_info"}
        self._subscribe()
        self._diagnostics_out = self.create_publisher(DiagnosticArray, "/diagnostics", STATE)
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(TELL_S, self._tell, callback_group=MutuallyExclusiveCallbackGroup(), clock=steady)
        self._thread = guarded_thread(self._work, "pictures")

    def close(self) -> None:
        """Write what waits, then the ends of both files."""
        self._closed = True
        with self._wake:
            self._wake.notify()
        self._thread.join(10.0)
        with self._file_lock:
            mcap, self._mcap = self._mcap, None
            if mcap is not None:
                self._writing("the recording's end", mcap.close)
            if self._film is not None:
                self._writing("the video's end", self._film.close)

    def _about(self, config: Config) -> dict[str, dict[str, str]]:
        """What replay must know of the whole: which topic is which, and the settings."""
        topics = {name: self.resolve_topic_name(name) for name in REPLAYED}
        return {"topics": topics, "mmrobot": {"version": __version__, "config": config_as_yaml(config)}}

    def _open(self, folder: Path, spectator: bool, about: dict[str, dict[str, str]]) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._mcap = McapFile(folder / MCAP_NAME)
            self._film = Film(folder / VIDEO_NAME, spectator)
        except OSError as error:
            raise InvalidConfigError(
                f"cannot record into '{folder}': {error}", "give a writable folder"
            ) from error
        for title, values in about.items():
            self._mcap.note(title, values)

    def _subscribe(self) -> None:
        self._raw("plan", ActionPlanMsg, LATCHED, self._take_plan)
        self._raw("plan/markers", MarkerArray, LATCHED)
        self._raw("executor/held", GroundedObjectMsg, LATCHED)
        self._raw("status", String, STATE, self._take_status)
        self._raw("speech", String, STATE)
        self._raw("instruction", String, STATE)
        self._raw("stop_all", Empty, COMMAND)
        self._raw("joint_states", JointState, STATE)
        self._raw("/diagnostics", DiagnosticArray, STATE)
        self._raw("/tf", TFMessage, DYNAMIC_TF)
        self._raw("/tf_static", TFMessage, STATIC_TF)
        sensors = SensorSubscriptions(self)
        for topic in ("camera_info", "depth/camera_info"):
            take = self._writer(topic, CameraInfo, SENSOR_OUT)
            sensors.add(CameraInfo, topic, take, self._group, raw=True, depth=INFOS_WAITING)
        for topic in ("image", "depth"):
            take = partial(self._take_frame, topic)
            sensors.add(Image, topic, take, self._group, raw=True, depth=FRAMES_WAITING)
        sensors.add(Image, "spectator", partial(self._take_picture, "spectator"), self._group, raw=True)
        self.create_subscription(
            Image,
            "image_annotated",
            partial(self._take_picture, "image_annotated"),
            LATCHED,
            callback_group=self._group,
            raw=True,
        )

    def _raw(self, topic: str, kind: Any, qos: QoSProfile, then: Any = None) -> None:
        take = self._writer(topic, kind, qos, then)
        self.create_subscription(kind, topic, take, qos, raw=True, callback_group=self._group)

    def _writer(self, topic: str, kind: Any, qos: QoSProfile, then: Any = None) -> Any:
        package, folder, _ = kind.__module__.split(".")
        type_name = f"{package}/{folder}/{kind.__name__}"
        resolved = self.resolve_topic_name(topic)
        latched = qos.durability == DurabilityPolicy.TRANSIENT_LOCAL

        def take(data: bytes) -> None:
            self._write(resolved, type_name, data, self._now_ns(), latched)
            self._missing.discard(topic)
            if then is not None:
                then(deserialize_message(data, kind))

        return take

    def _tell(self) -> None:
        """People wait for it: what is said before cannot be replayed."""
        level, words = DiagnosticStatus.OK, "ok"
        if self._lost:
            level, words = DiagnosticStatus.ERROR, self._lost
        elif self._missing:
            level, words = DiagnosticStatus.WARN, f"nothing of {', '.join(sorted(self._missing))} yet"
        told = DiagnosticStatus(
            level=level,
            name=f"{self.get_fully_qualified_name().strip('/')}: recording",
            message=words,
            hardware_id="recorder",
        )
        message = DiagnosticArray(status=[told])
        message.header.stamp = self.get_clock().now().to_msg()
        self._diagnostics_out.publish(message)

    def _now_ns(self) -> int:
        return int(self.get_clock().now().nanoseconds)

    def _write(self, topic: str, type_name: str, data: bytes, time_ns: int, latched: bool = False) -> None:
        if self._box is not None:
            self._box.write(topic, type_name, data, time_ns, latched)
        with self._file_lock:
            mcap = self._mcap
            if mcap is None or self._closed:
                return
            if not self._writing("messages", lambda: mcap.write(topic, type_name, data, time_ns)):
                # What is in the file stays; half a chunk after it would spoil that.
                self._mcap = None

    def _writing(self, what: str, write: Callable[[], None]) -> bool:
        """Whether it was written. A disk that takes no more ends the recording, never the robot."""
        try:
            write()
        except (OSError, av.FFmpegError) as error:
            self._lost = f"cannot record any more: {what} not written: {error}"
            self.get_logger().error(self._lost, throttle_duration_sec=5.0)
            return False
        return True

    def _write_frames(self, frames: list[Kept]) -> None:
        for frame in frames:
            name = self.resolve_topic_name(frame.stream)
            self._write(name, IMAGE_TYPE, frame.data, frame.received_ns)

    def _take_frame(self, topic: str, data: bytes) -> None:
        try:
            self._write_frames(self._keeper.add(topic, data, self._now_ns()))
        except ValueError as error:
            self.get_logger().error(f"'{topic}' not recorded: {error}", throttle_duration_sec=5.0)
            return
        if topic == "image":
            self._missing.discard("image")
            self._take_picture(topic, data)

    def _take_picture(self, topic: str, data: bytes) -> None:
        with self._wake:
            self._waiting.append((topic, data))
            self._wake.notify()

    def _take_plan(self, message: ActionPlanMsg) -> None:
        self._write_frames(self._keeper.want(from_time(message.header.stamp)))
        try:
            plan = plan_from_message(message)
        except ValueError as error:
            self.get_logger().error(f"plan not drawn: {error}")
            return
        if self._film is not None:
            self._film.take_plan(plan)

    def _take_status(self, message: String) -> None:
        try:
            content = json.loads(message.data)
        except ValueError as error:
            self.get_logger().error(f"status not understood: {error}", throttle_duration_sec=5.0)
            return
        if self._film is not None:
            self._film.take_status(content)
        why = self._fault(content)
        if why and self._box is not None and time.monotonic() - self._dumped_s > AGAIN_S:
            with self._wake:
                self._failure = self._failure or (why, time.monotonic() + AFTER_S)
                self._wake.notify()

    def _fault(self, content: dict[str, Any]) -> str:
        """What a status tells of a failure that is worth a file; "" for none."""
        state, node = str(content.get("state", "")), str(content.get("node", ""))
        was_ready, self._was_ready = self._was_ready, self._was_ready or state == "ready"
        if state == "not_ready":
            self._was_ready = False
            return f"{node} not ready" if was_ready else ""
        if state == "held" and node == "arm_server":
            return "arm held"
        code = str((content.get("error") or {}).get("code", ""))
        return f"{state} {code}" if code and code not in EVERYDAY else ""

    def _work(self) -> None:
        while True:
            with self._wake:
                if not self._closed and not self._waiting:
                    self._wake.wait(self._patience_s())
                if self._closed and not self._waiting:
                    break
                topic, data = self._waiting.popleft() if self._waiting else ("", b"")
            if topic:
                self._save(topic, data)
            if self._failure is not None and time.monotonic() >= self._failure[1]:
                self._dump()
        if self._failure is not None:
            self._dump()

    def _patience_s(self) -> float | None:
        return None if self._failure is None else max(0.0, self._failure[1] - time.monotonic())

    def _dump(self) -> None:
        assert self._box is not None and self._failure is not None
        why, self._failure, self._dumped_s = self._failure[0], None, time.monotonic()
        try:
            path = self._box.dump(why)
        except OSError as error:
            self.get_logger().error(f"the last seconds before '{why}' are lost: {error}")
            return
        self.get_logger().warning(f"'{why}': the last seconds are in {path}; see: mmrobot replay {path}")

    def _save(self, topic: str, data: bytes) -> None:
        message = deserialize_message(data, Image)
        try:
            rgb = image_from_message(message)
        except InvalidImageError as error:
            self.get_logger().error(f"'{topic}' not recorded: {error.message}", throttle_duration_sec=5.0)
            return
        if self._film is not None and topic == "spectator":
            self._film.spectator = rgb
        elif topic == "image" and not self._filmed(rgb):
            self._film = None
        self._save_jpeg(topic, rgb, message)

    def _filmed(self, rgb: NDArray[np.uint8]) -> bool:
        film = self._film
        return film is None or self._writing("the video", lambda: film.write(rgb))

    def _save_jpeg(self, topic: str, rgb: NDArray[np.uint8], message: Any) -> None:
        bgr = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
        if topic == "image_annotated" and self._folder is not None:
            cv2.imwrite(str(self._folder / PICTURE_NAME), bgr)
        _, jpeg = cv2.imencode(".jpg", bgr, (cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY))
        packed = CompressedImage(
            header=Header(stamp=message.header.stamp, frame_id=message.header.frame_id), format="jpeg"
        )
        packed.data = array.array("B", jpeg.tobytes())
        name = f"{self.resolve_topic_name(topic)}/compressed"
        # Black boxes start anew when time jumps back, so the time of arrival counts, not the stamp.
        self._write(name, JPEG_TYPE, bytes(serialize_message(packed)), self._now_ns())


def main() -> int:
    """Run the node."""
    return run_node(RecorderNode, threads=2)


if __name__ == "__main__":
    raise SystemExit(main())
