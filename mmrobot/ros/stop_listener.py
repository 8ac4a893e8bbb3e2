"""Hears every form of stop, without the model: the topic `stop_all` and stop words on `instruction`."""

from __future__ import annotations

from collections.abc import Callable

from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.node import Node
from std_msgs.msg import Empty, String

from mmrobot.command.stop_words import is_stop
from mmrobot.ros.qos import COMMAND


class StopListener:
    """Calls `on_stop(reason)` on a callback group of its own, so that no other callback delays it."""

    def __init__(self, node: Node, on_stop: Callable[[str], None]) -> None:
        self._on_stop = on_stop
        group = MutuallyExclusiveCallbackGroup()
        node.create_subscription(Empty, "stop_all", self._hear_topic, COMMAND, callback_group=group)
        node.create_subscription(String, "instruction", self._hear_words, COMMAND, callback_group=group)

    def _hear_topic(self, _: Empty) -> None:
        self._on_stop("stop_all was published")

    def _hear_words(self, message: String) -> None:
        if is_stop(message.data):
            self._on_stop(f"somebody said '{message.data.strip()[:40]}'")
