"""What runs on this ROS domain, looked at for some seconds: nodes, the camera's rates and stamps, frames.

    python -m mmrobot.ros.graph_survey      # one line of JSON

For `mmrobot doctor`, which runs it in a process of its own.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any

import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter
from sensor_msgs.msg import CameraInfo, Image

from mmrobot.errors import TransformUnavailableError
from mmrobot.ros.qos import sensor_in
from mmrobot.ros.transform_listener import TransformListener
from mmrobot.ros.transforms import TransformBuffer
from mmrobot.types import BASE_FRAME

DISCOVER_S, LISTEN_S = 2.0, 3.0
MOST_DISCOVER_S = 8.0
"""On a busy machine nodes find each other late: so long is waited before no graph runs here."""
OURS = ("vlm", "executor", "arm_server", "simulator")
CAMERA: dict[str, Any] = {
    "image": Image,
    "camera_info": CameraInfo,
    "depth": Image,
    "depth/camera_info": CameraInfo,
}
NS = 1_000_000_000


@dataclass
class Stream:
    """One topic of the camera. `age_s` is between the last stamp and this machine's (or /clock's) time."""

    topic: str
    publishers: int = 0
    received: int = 0
    rate_hz: float = 0.0
    age_s: float | None = None
    frame_id: str = ""


@dataclass
class Survey:
    """All that was seen. `doubles` are nodes of ours that run more than once under one name."""

    nodes: list[str] = field(default_factory=list)
    doubles: list[str] = field(default_factory=list)
    graphs: list[str] = field(default_factory=list)
    streams: list[Stream] = field(default_factory=list)
    tf_error: str = ""
    tf_fix: str = ""


def survey(node: Node, listen_s: float = LISTEN_S) -> Survey:
    """Look at the graph; spins the node itself."""
    executor = SingleThreadedExecutor(context=node.context)
    executor.add_node(node)
    _spin(executor, DISCOVER_S)
    late_s = time.monotonic() + MOST_DISCOVER_S - DISCOVER_S
    while "vlm" not in node.get_node_names() and time.monotonic() < late_s:
        _spin(executor, 0.2)
    found = Survey()
    pairs = [(name, space) for name, space in node.get_node_names_and_namespaces() if name != node.get_name()]
    full = [f"{space.rstrip('/')}/{name}" for name, space in pairs]
    found.nodes = sorted(set(full))
    counts = Counter(name for name in full if name.rsplit("/", 1)[1] in OURS)
    found.doubles = sorted(name for name, count in counts.items() if count > 1)
    found.graphs = sorted({space for name, space in pairs if name == "vlm"})
    if not found.graphs:
        return found
    if any(topic == "/clock" for topic, _ in node.get_topic_names_and_types()):
        node.set_parameters([Parameter("use_sim_time", Parameter.Type.BOOL, True)])
    transforms = TransformBuffer()
    TransformListener(node, transforms)
    subscribed = dict(node.get_subscriber_names_and_types_by_node("vlm", found.graphs[0]))
    found.streams = [_listen(node, found.graphs[0], name, kind, subscribed) for name, kind in CAMERA.items()]
    _spin(executor, listen_s)
    for stream in found.streams:
        stream.rate_hz = stream.received / listen_s
    frame_id = next((s.frame_id for s in found.streams if s.frame_id), "")
    if frame_id:
        try:
            transforms.lookup(BASE_FRAME, frame_id, int(node.get_clock().now().nanoseconds) - NS)
        except TransformUnavailableError as error:
            found.tf_error, found.tf_fix = error.message, error.fix
    return found


def _spin(executor: SingleThreadedExecutor, seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        executor.spin_once(timeout_sec=0.05)


def _listen(node: Node, space: str, name: str, kind: Any, subscribed: dict[str, Any]) -> Stream:
    """Remapped topics are found by what the vlm node subscribes to, where there is only one of the type."""
    topic = f"{space.rstrip('/')}/{name}"
    if topic not in subscribed:
        package, folder, _ = kind.__module__.split(".")
        same = [t for t, k in subscribed.items() if f"{package}/{folder}/{kind.__name__}" in k]
        fitting = [t for t in same if ("depth" in t) == name.startswith("depth")]
        topic = fitting[0] if len(fitting) == 1 else topic
    stream = Stream(topic, node.count_publishers(topic))
    qos = sensor_in(node, topic)
    if qos is not None:
        node.create_subscription(kind, topic, partial(_take, node, stream), qos)
    return stream


def _take(node: Node, stream: Stream, message: Any) -> None:
    stamp = message.header.stamp.sec * NS + message.header.stamp.nanosec
    stream.received += 1
    stream.age_s = (int(node.get_clock().now().nanoseconds) - stamp) / NS
    stream.frame_id = message.header.frame_id


def main() -> int:
    """One line of JSON: the survey of this process's domain."""
    rclpy.init()
    node = rclpy.create_node("mmrobot_survey")
    try:
        print(json.dumps(asdict(survey(node))), flush=True)
    finally:
        node.destroy_node()
        rclpy.try_shutdown()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
