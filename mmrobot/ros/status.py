"""What nodes tell people and programs while they work: JSON on `status`, words on `speech`."""

from __future__ import annotations

import json
from typing import Any

from rclpy.node import Node
from std_msgs.msg import String

from mmrobot.errors import MmrobotError
from mmrobot.ros.qos import STATE


class StatusPublisher:
    """Publishes one JSON object on `status` per change: node, state, message, and what else is known."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._status = node.create_publisher(String, "status", STATE)
        self._speech = node.create_publisher(String, "speech", STATE)

    def report(self, state: str, message: str, error: MmrobotError | None = None, **more: Any) -> None:
        """One change, also into the log: errors as errors, the rest as information."""
        content = {"node": self._node.get_name(), "state": state, "message": message, **more}
        if error is not None:
            content["error"] = error.as_dict()
        self._status.publish(String(data=json.dumps(content)))
        if error is not None:
            self._node.get_logger().error(f"{state}: {message}. {error.fix}")
        else:
            self._node.get_logger().info(f"{state}: {message}")

    def say(self, text: str) -> None:
        """Words for a person."""
        self._speech.publish(String(data=text))
