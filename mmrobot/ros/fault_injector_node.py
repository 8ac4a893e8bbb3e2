"""Stands between camera and robot and spoils what passes: a relay for tests of faults (mmrobot faults).

    python -m mmrobot.ros.fault_injector_node --ros-args -p clock:=true

The camera publishes under `raw/` (topics remapped), this node under the topics that the robot listens to.
It tells nothing but what the camera told. An Injection (JSON on `faults/inject`) says what is spoiled;
it is repeated on `faults/injected` once it holds. With `moving_camera` the camera's place is told on /tf,
as of a camera that moves, so that it can be late; a little ahead of time, as localisation does (amcl's
transform_tolerance). With `clock` the graph's time passes through here too: /clock, joint states and tf.
"""

from __future__ import annotations

import array
import heapq
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import cv2
import numpy as np
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.clock import Clock as RosClock
from rclpy.clock import ClockType
from rclpy.node import Node
from rclpy.serialization import deserialize_message, serialize_message
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, Image, JointState
from std_msgs.msg import String
from tf2_msgs.msg import TFMessage

from mmrobot.ros.fault_injection import CAMERA_TOPICS, TF_TOPIC, Injection, Timeline, restamped
from mmrobot.ros.frame_keeper import stamp_of
from mmrobot.ros.messages import from_time, to_time
from mmrobot.ros.node_process import guarded_thread, run_node
from mmrobot.ros.parameters import declare
from mmrobot.ros.qos import COMMAND, DYNAMIC_TF, LATCHED, SENSOR_OUT, STATE, STATIC_TF
from mmrobot.types import BASE_FRAME

RAW = "raw"
TF_PERIOD_S, TF_AHEAD_NS = 0.05, 1_000_000_000
TURN_S = 0.01
KINDS: dict[str, Any] = {name: CameraInfo if name.endswith("info") else Image for name in CAMERA_TOPICS}


class FaultInjectorNode(Node):
    """Messages go through as bytes; only what is spoiled inside is unpacked."""

    def __init__(self) -> None:
        super().__init__("fault_injector")
        with_clock = bool(declare(self, "clock", False, "true: time passes through here too"))
        moving = bool(declare(self, "moving_camera", False, "true: the camera's place is told on /tf"))
        self._lock = threading.RLock()
        self._injection, self._timeline = Injection(), Timeline()
        self._last: dict[str, bytes] = {}
        self._kept: dict[str, bytes] = {}
        self._late: list[tuple[float, int, Callable[[], None]]] = []
        self._number = 0
        self._true_ns = 0
        self._camera: Any | None = None
        self._told = self.create_publisher(String, "faults/injected", LATCHED)
        group = MutuallyExclusiveCallbackGroup
        self.create_subscription(String, "faults/inject", self._inject, COMMAND, callback_group=group())
        self._out = {name: self.create_publisher(kind, name, SENSOR_OUT) for name, kind in KINDS.items()}
        for name, kind in KINDS.items():
            take = partial(self._take, name)
            topic = f"{RAW}/{name}"
            self.create_subscription(kind, topic, take, SENSOR_OUT, callback_group=group(), raw=True)
        self._tf_out = self.create_publisher(TFMessage, TF_TOPIC, DYNAMIC_TF)
        self._tf_static_out = self.create_publisher(TFMessage, "/tf_static", STATIC_TF)
        if moving:
            self._listen(TFMessage, "/tf_static", self._take_static, STATIC_TF)
        self._clock_out = self._joints_out = None
        if with_clock:
            self._clock_out = self.create_publisher(Clock, "/clock", STATE)
            self._joints_out = self.create_publisher(JointState, "joint_states", STATE)
            self._listen(Clock, "/clock", self._take_clock, STATE, raw=True)
            self._listen(JointState, "/joint_states", self._take_joints, STATE, raw=True)
            self._listen(TFMessage, TF_TOPIC, self._take_tf, DYNAMIC_TF)
        steady = RosClock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(TF_PERIOD_S, self._tell_camera, callback_group=group(), clock=steady)
        self.create_timer(TURN_S, self._turn, callback_group=group(), clock=steady)
        self._closed = threading.Event()
        self._thread = guarded_thread(self._tell_large, "large pictures")

    def close(self) -> None:
        """End the thread of the large pictures."""
        self._closed.set()
        self._thread.join(2.0)

    def _listen(self, kind: Any, topic: str, take: Callable[..., None], qos: Any, raw: bool = False) -> None:
        group = MutuallyExclusiveCallbackGroup()
        self.create_subscription(kind, f"/{RAW}{topic}", take, qos, callback_group=group, raw=raw)

    def _inject(self, message: String) -> None:
        injection = Injection.from_json(message.data)
        with self._lock:
            self._injection = injection
            self._timeline.change(injection, self._true_ns)
            self._kept = {name: self._last[name] for name in injection.frozen if name in self._last}
        self._told.publish(String(data=injection.to_json()))
        self.get_logger().info(f"injected: {injection.to_json()}")

    # -- the camera --------------------------------------------------------------------------------

    def _take(self, name: str, data: bytes) -> None:
        with self._lock:
            injection, self._last[name] = self._injection, data
            if name in injection.silent or (injection.pixels and name != "depth"):
                return
            told_ns = injection.stamp_ns(name, self._timeline.of(stamp_of(data)))
            content = self._kept.get(name, data)
        if name.endswith("info"):
            content = _info(content, injection)
        elif name == "depth" and injection.no_depth:
            content = _no_depth(content)
        self._send(injection.delay_s.get(name, 0.0), self._out[name], restamped(content, told_ns))

    def _send(self, delay_s: float, publisher: Any, message: Any) -> None:
        if delay_s <= 0:
            publisher.publish(message)
            return
        with self._lock:
            self._number += 1
            due_s = time.monotonic() + delay_s
            heapq.heappush(self._late, (due_s, self._number, lambda: publisher.publish(message)))

    def _turn(self) -> None:
        due = []
        with self._lock:
            while self._late and self._late[0][0] <= time.monotonic():
                due.append(heapq.heappop(self._late)[2])
        for publish in due:
            publish()

    def _tell_large(self) -> None:
        """The newest picture of `pixels` at `rate_hz`, or as fast as this machine can."""
        source, picture, info = b"", b"", b""
        while not self._closed.is_set():
            injection = self._injection
            if injection.pixels is None or not {"image", "camera_info"} <= set(self._last):
                self._closed.wait(0.05)
                continue
            began_s = time.monotonic()
            if self._last["image"] is not source:
                source = self._last["image"]
                picture, info = _blown_up(source, self._last["camera_info"], injection.pixels)
            # Of the newest depth, so that they pair.
            stamp_ns = self._timeline.of(stamp_of(self._last.get("depth", self._last["image"])))
            self._out["camera_info"].publish(restamped(info, stamp_ns))
            self._out["image"].publish(restamped(picture, stamp_ns))
            self._closed.wait(max(0.0, began_s + 1.0 / max(injection.rate_hz, 0.1) - time.monotonic()))

    # -- frames ------------------------------------------------------------------------------------

    def _take_static(self, message: TFMessage) -> None:
        fixed = [t for t in message.transforms if t.header.frame_id != BASE_FRAME]
        moving = [t for t in message.transforms if t.header.frame_id == BASE_FRAME]
        self._camera = moving[0] if moving else None
        if fixed:
            self._tf_static_out.publish(TFMessage(transforms=fixed))

    def _tell_camera(self) -> None:
        camera, injection = self._camera, self._injection
        now_ns = int(self.get_clock().now().nanoseconds)
        if camera is None or now_ns <= 0 or TF_TOPIC in injection.silent:
            return
        camera.header.stamp = to_time(injection.stamp_ns(TF_TOPIC, now_ns + TF_AHEAD_NS))
        message = serialize_message(TFMessage(transforms=[camera]))
        self._send(injection.delay_s.get(TF_TOPIC, 0.0), self._tf_out, bytes(message))

    def _take_tf(self, message: TFMessage) -> None:
        for one in message.transforms:
            one.header.stamp = to_time(self._timeline.of(from_time(one.header.stamp)))
        self._tf_out.publish(message)

    # -- time --------------------------------------------------------------------------------------

    def _take_clock(self, data: bytes) -> None:
        assert self._clock_out is not None
        with self._lock:
            self._true_ns = stamp_of(data)
            told_ns = self._timeline.of(self._true_ns)
        self._clock_out.publish(restamped(data, told_ns))

    def _take_joints(self, data: bytes) -> None:
        assert self._joints_out is not None
        self._joints_out.publish(restamped(data, self._timeline.of(stamp_of(data))))


def _info(data: bytes, injection: Injection) -> bytes:
    if injection.focal == 1.0 and not injection.half_info:
        return data
    info = deserialize_message(data, CameraInfo)
    k = list(info.k)
    k[0], k[4] = k[0] * injection.focal, k[4] * injection.focal
    info.k = k
    if injection.half_info:
        info.width, info.height = info.width // 2, info.height // 2
    return bytes(serialize_message(info))


def _no_depth(data: bytes) -> bytes:
    depth = deserialize_message(data, Image)
    depth.data = array.array("B", np.full(depth.height * depth.width, np.nan, "<f4").tobytes())
    return bytes(serialize_message(depth))


def _blown_up(image: bytes, info: bytes, pixels: tuple[int, int]) -> tuple[bytes, bytes]:
    picture, camera = deserialize_message(image, Image), deserialize_message(info, CameraInfo)
    rgb = np.frombuffer(picture.data, np.uint8).reshape(picture.height, picture.width, 3)
    width, height = pixels
    large = cv2.resize(rgb, (width, height), interpolation=cv2.INTER_NEAREST)
    sx, sy = width / picture.width, height / picture.height
    k = list(camera.k)
    k[0], k[2], k[4], k[5] = k[0] * sx, (k[2] + 0.5) * sx - 0.5, k[4] * sy, (k[5] + 0.5) * sy - 0.5
    camera.k, camera.width, camera.height = k, width, height
    picture.width, picture.height, picture.step = width, height, 3 * width
    picture.data = array.array("B", large.tobytes())
    return bytes(serialize_message(picture)), bytes(serialize_message(camera))


def main() -> int:
    """Run the node."""
    return run_node(FaultInjectorNode, threads=4)


if __name__ == "__main__":
    raise SystemExit(main())
