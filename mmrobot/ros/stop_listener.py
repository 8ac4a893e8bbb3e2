"""Hears every form of stop, without the model: the topics `stop_all` and `emergency_stop`, and stop words on
`instruction`; and whether an emergency stop is latched (emergency_stop.py).

One stop reaches several nodes, each in its own time; a starved node may hear it when the others have
stopped, said so, and been given a new task. A stop ends all that was commanded before it and nothing that
was commanded by one who had heard it already. So each goal and each result carries the stops that its
sender has heard, by the time stamp that the publisher's middleware gave them: equal ones are the same
stop, and no two clocks are compared.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.node import Node
from std_msgs.msg import Bool, Empty, String

from mmrobot.command.stop_words import StopKind, stop_kind
from mmrobot.errors import StoppedError
from mmrobot.ros.qos import COMMAND, LATCHED
from mmrobot.safety.emergency_latch import HOW_TO_RESET

KEPT = 16
FRESH_S = 2.0


class StopListener:
    """Calls `on_stop(reason, kind)` on a callback group of its own, so that no other callback delays it. The
    kind is None where others heard the stop, who do not tell it."""

    def __init__(self, node: Node, on_stop: Callable[[str, StopKind | None], object]) -> None:
        self._on_stop = on_stop
        self._lock = threading.Lock()
        self._acting = threading.Lock()
        self._heard: deque[int] = deque(maxlen=KEPT)
        self._newest_s = float("-inf")
        group = MutuallyExclusiveCallbackGroup()
        # rclpy hands the message's info to callbacks of two parameters; its types do not say so.
        subscribe: Any = node.create_subscription
        subscribe(Empty, "stop_all", self._hear_topic, COMMAND, callback_group=group)
        subscribe(String, "instruction", self._hear_words, COMMAND, callback_group=group)
        subscribe(Bool, "emergency_stop", self._hear_button, COMMAND, callback_group=group)
        self._latched = ""
        subscribe(String, "emergency_stop/reason", self._hear_latch, LATCHED, callback_group=group)

    def heard(self) -> list[int]:
        """The last stops heard, or known of from others: source time stamps, ns; oldest first."""
        with self._lock:
            return list(self._heard)

    def know(self, stops: Iterable[int]) -> None:
        """Hears of stops by a goal or a result that tells of them: what runs now was commanded before those
        that are new here, so they are acted on at once; heard on their topics later, they are no new ones.
        Before the goal is accepted, and without a lock that `on_stop` takes."""
        with self._acting:
            with self._lock:
                new = [s for s in stops if s > 0 and s not in self._heard]
                self._heard.extend(new)
            if new:
                self._on_stop("a stop that others have heard", None)

    def missed_by(self, stops: Iterable[int]) -> bool:
        """Whether a stop was heard in the last FRESH_S that is not among those that a goal's sender knew."""
        with self._lock:
            fresh = time.monotonic() - self._newest_s < FRESH_S
            return fresh and bool(self._heard) and self._heard[-1] not in set(stops)

    def check(self) -> None:
        """Raises StoppedError while an emergency stop is latched."""
        if self._latched:
            raise StoppedError(f"the emergency stop is latched: {self._latched}", HOW_TO_RESET)

    def _hear_latch(self, message: String) -> None:
        self._latched = str(message.data)

    def _hear_button(self, message: Bool, info: dict[str, Any]) -> None:
        if message.data:
            self._hear(info, "true came on 'emergency_stop'", StopKind.STOP)

    def _hear_topic(self, _: Empty, info: dict[str, Any]) -> None:
        self._hear(info, "stop_all was published", StopKind.STOP)

    def _hear_words(self, message: String, info: dict[str, Any]) -> None:
        kind = stop_kind(message.data)
        if kind is not None:
            self._hear(info, f"somebody said '{message.data.strip()[:40]}'", kind)

    def _hear(self, info: dict[str, Any], reason: str, kind: StopKind) -> None:
        stop = int(info["source_timestamp"])
        with self._acting:
            with self._lock:
                known = stop > 0 and stop in self._heard
                if not known:
                    self._heard.append(stop)
                    self._newest_s = time.monotonic()
            if not known:
                self._on_stop(reason, kind)
