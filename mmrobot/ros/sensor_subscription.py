"""Subscriptions to a camera's topics, made when its publishers are known, with the QoS that they offer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rclpy.callback_groups import CallbackGroup, MutuallyExclusiveCallbackGroup
from rclpy.clock import Clock, ClockType
from rclpy.node import Node

from mmrobot.ros.qos import sensor_in

LOOK_PERIOD_S = 0.25


class SensorSubscriptions:
    """Wanted topics become subscriptions as their publishers appear."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._wanted: dict[str, tuple[Any, Callable[[Any], None], CallbackGroup, bool, int]] = {}
        self._timer = node.create_timer(
            LOOK_PERIOD_S,
            self._look,
            callback_group=MutuallyExclusiveCallbackGroup(),
            clock=Clock(clock_type=ClockType.STEADY_TIME),
        )

    def add(
        self,
        kind: Any,
        topic: str,
        take: Callable[[Any], None],
        group: CallbackGroup,
        raw: bool = False,
        depth: int = 2,
    ) -> None:
        """Want a topic of a message type, with `raw` as bytes as on the wire; before the node spins.

        `depth` messages wait while `take` is busy; older ones are lost.
        """
        self._wanted[topic] = (kind, take, group, raw, depth)

    def _look(self) -> None:
        for topic, (kind, take, group, raw, depth) in list(self._wanted.items()):
            qos = sensor_in(self._node, topic, depth)
            if qos is not None:
                del self._wanted[topic]
                self._node.create_subscription(kind, topic, take, qos, callback_group=group, raw=raw)
        if not self._wanted:
            self._timer.cancel()
