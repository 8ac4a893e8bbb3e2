"""The newest look: colour, depth and info of one stamp and the camera's place; or why there is none.

Messages are kept as they came; a picture is decoded when somebody looks, not when it arrives. Ages are
of ROS time, so that a simulation slower than real time has no dead camera; a clock that stands still
is told by wall time.
"""

from __future__ import annotations

import threading
import time
from functools import partial
from typing import Any

from numpy.typing import NDArray
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, Image

from mmrobot.config import CameraConfig
from mmrobot.errors import (
    InvalidImageError,
    MmrobotError,
    NoCameraError,
    NoDepthError,
    TransformUnavailableError,
)
from mmrobot.perception.frame import (
    camera_from_message,
    depth_from_message,
    image_from_message,
    make_frame,
)
from mmrobot.perception.pairing import (
    COLOUR,
    COLOUR_INFO,
    DEPTH,
    DEPTH_INFO,
    FramePairer,
    PairedSet,
    PairingConfig,
)
from mmrobot.ros.frame_health import StillPicture, calibration_problem, stamp_problem
from mmrobot.ros.messages import NS, from_time
from mmrobot.ros.sensor_subscription import SensorSubscriptions
from mmrobot.ros.transforms import TransformBuffer
from mmrobot.types import BASE_FRAME, CameraModel, RgbdFrame

TOPICS: dict[str, tuple[str, Any]] = {
    "image": (COLOUR, Image),
    "camera_info": (COLOUR_INFO, CameraInfo),
    "depth": (DEPTH, Image),
    "depth/camera_info": (DEPTH_INFO, CameraInfo),
}
POLL_S = 0.01
CLOCK_STALL_S = 4.0
# A process that was starved itself hears in that time what lies in its queues, before it calls a camera dead.
CATCH_UP_S = 0.5
# The gate takes no plans of later pictures (gate.max_future_s).
AHEAD_S = 0.5


class FrameSource:
    """Subscribes to the camera's four topics; `look` may be called from any thread."""

    def __init__(
        self, node: Node, config: CameraConfig, transforms: TransformBuffer, without_depth: bool = False
    ) -> None:
        """`without_depth`: while depth is gone, frames come without it."""
        self._node, self._config, self._transforms = node, config, transforms
        self._without_depth = without_depth
        self._first_s: float | None = None
        self._pairer = FramePairer(PairingConfig(config.pair_tolerance_s, config.queue_size))
        self._lock = threading.Lock()
        self._newest: PairedSet | None = None
        self._frame_id = ""
        self._still = StillPicture()
        self._bad_stamp: tuple[InvalidImageError, float] | None = None
        self._camera: CameraModel | None = None
        self._clock = (-1.0, time.monotonic())
        group = MutuallyExclusiveCallbackGroup()
        subscriptions = SensorSubscriptions(node)
        for topic, (stream, kind) in TOPICS.items():
            subscriptions.add(kind, topic, partial(self._take, stream), group)

    def _take(self, stream: str, message: Any) -> None:
        if stream == COLOUR_INFO:
            self._frame_id = message.header.frame_id
        now_s = self._now_s()
        if self._first_s is None or now_s < self._first_s:
            self._first_s = now_s
        self._pairer.want_depth(not self.depth_is_gone())
        try:
            found = self._pairer.add(stream, from_time(message.header.stamp), message, now_s)
        except InvalidImageError as error:
            self._bad_stamp = (error, now_s)
            self._node.get_logger().warning(error.message, throttle_duration_sec=5.0)
            return
        if stream == COLOUR:
            self._still.take(message.data, from_time(message.header.stamp))
        if found is not None:
            with self._lock:
                self._newest = found

    def _now_s(self) -> float:
        return float(self._node.get_clock().now().nanoseconds) / NS

    def _clock_stall_s(self) -> float:
        """Wall seconds for which ROS time has not changed, as seen by calls of this."""
        now_s = self._now_s()
        if now_s != self._clock[0]:
            self._clock = (now_s, time.monotonic())
        return time.monotonic() - self._clock[1]

    def depth_is_gone(self) -> bool:
        """Whether frames come without depth, since it has been silent for too long and that is allowed."""
        if not self._without_depth or self._first_s is None:
            return False
        now_s = self._now_s()
        age_s = self._pairer.age_s(DEPTH, now_s)
        return (now_s - self._first_s if age_s is None else age_s) > self._config.depth_timeout_s

    def problem(self) -> MmrobotError | None:
        """What is missing for a look, most basic first; None when all is there."""
        stall_s = self._clock_stall_s()
        if self._newest is not None and stall_s > CLOCK_STALL_S:
            return NoCameraError(
                f"/clock has stood still for {stall_s:.1f} s, so the last picture is {stall_s:.1f} s old",
                "start the simulator again, or set use_sim_time to false on a real robot",
            )
        for topic, limit_s, kind in (
            ("image", self._config.timeout_s, NoCameraError),
            ("camera_info", self._config.timeout_s, NoCameraError),
            ("depth", self._config.depth_timeout_s, NoDepthError),
        ):
            if topic == "depth" and self.depth_is_gone():
                self._node.get_logger().warning(
                    "there is no depth: things are located by their outlines on the table, less surely",
                    throttle_duration_sec=10.0,
                )
                continue
            age_s = self._pairer.age_s(TOPICS[topic][0], self._now_s())
            name = self._node.resolve_topic_name(topic)
            if age_s is None:
                return kind(
                    f"nothing has arrived on '{name}'", f"start the camera, or remap '{topic}' to its topic"
                )
            if age_s > limit_s:
                return kind(
                    f"the last message on '{name}' is {age_s:.1f} s old, allowed are {limit_s} s",
                    "check the camera's cable and driver, or start it again",
                )
        newest = self._newest
        told = self._stamps_told()
        if newest is None:
            return told or self._unmatched(0)
        limit_s = self._config.timeout_s
        wrong = stamp_problem(newest, self._now_s(), limit_s, limit_s, AHEAD_S)
        if wrong is not None:
            return told or wrong
        frozen = self._still.problem(newest.stamp_ns, limit_s, self._transforms.moved)
        if frozen is not None:
            return frozen
        try:
            # A moving camera's transform may trail its newest picture a little.
            self._transforms.lookup(BASE_FRAME, self._frame_id, newest.stamp_ns - NS // 5)
        except TransformUnavailableError as error:
            try:
                self._transforms.lookup(BASE_FRAME, self._frame_id, newest.stamp_ns)
            except TransformUnavailableError:
                return error
        return None

    def _stamps_told(self) -> InvalidImageError | None:
        """What is wrong with stamps of messages that have come just now."""
        if self._bad_stamp is None:
            return None
        error, at_s = self._bad_stamp
        return error if 0 <= self._now_s() - at_s <= self._config.timeout_s else None

    def look(self, after_ns: int = 0, timeout_s: float = 3.0) -> RgbdFrame:
        """The newest frame with a stamp later than `after_ns`; waits for it, so not for callbacks.

        For one younger than `max_age_s` it waits a moment too. Raises NoCameraError, NoDepthError,
        StaleError, TransformUnavailableError or InvalidImageError; that once for a camera that was changed.
        """
        began_s = time.monotonic()
        deadline = began_s + timeout_s
        bad_since_s: float | None = None
        while True:
            problem = self.problem()
            if problem is not None:
                bad_since_s = bad_since_s or time.monotonic()
                if time.monotonic() - bad_since_s > CATCH_UP_S:
                    raise problem
                time.sleep(POLL_S)
                continue
            bad_since_s = None
            newest = self._newest
            if newest is not None and newest.stamp_ns > after_ns:
                fresh = self._now_s() - newest.stamp_ns / NS <= self._config.max_age_s
                if fresh or time.monotonic() - began_s > CATCH_UP_S:
                    return self._decode(newest)
            if time.monotonic() > deadline:
                raise self._unmatched(after_ns)
            time.sleep(POLL_S)

    def _unmatched(self, after_ns: int) -> MmrobotError:
        newest = "none" if self._newest is None else f"{self._newest.stamp_ns / NS:.3f} s"
        return NoCameraError(
            f"no picture, info and depth of one stamp after {after_ns / NS:.3f} s (newest: {newest})",
            f"synchronise the camera's streams; their stamps may differ by {self._config.pair_tolerance_s} s",
        )

    def _decode(self, found: PairedSet) -> RgbdFrame:
        camera = camera_from_message(found.colour_info)
        before, self._camera = self._camera, camera
        changed = calibration_problem(before, camera)
        if changed is not None:
            raise changed
        return make_frame(
            image_from_message(found.colour),
            camera,
            found.stamp_ns,
            self._pose(camera.frame_id, found.stamp_ns),
            None if found.depth is None else depth_from_message(found.depth),
            None if found.depth_info is None else camera_from_message(found.depth_info),
        )

    def _pose(self, frame_id: str, stamp_ns: int) -> NDArray[Any]:
        deadline = time.monotonic() + self._config.transform_timeout_s
        while True:
            try:
                return self._transforms.lookup(BASE_FRAME, frame_id, stamp_ns)
            except TransformUnavailableError:
                if time.monotonic() > deadline:
                    raise
            time.sleep(POLL_S)
