"""Signs of life between the nodes, in wall time: while one is silent the robot holds still.

A process that is starved for a moment falls silent, and so does one that has died: `timeout_s` of
silence holds the robot, `give_up_s` ends what it was doing (both of the configuration).

A beat is a node's name and a word that each start of the node draws anew: a node that died and came
back within the limit has forgotten what it was asked, so it counts as missed. A lifecycle node adds its
state: it lives in all of them, and works in one.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from std_msgs.msg import String

from mmrobot.ros.qos import STATE

PERIOD_S = 0.1
# A node whose executor has not turned for this long is as good as dead, though its thread beats.
STUCK_S = 1.0
# A watcher whose own turn comes later than this was starved itself.
LATE_S = 0.1
# It needs that long at most to hear what lies in its queue: for those who give up, not for who holds the arm.
CATCH_UP_S = 0.5


class Heartbeat:
    """Publishes the node's name and life on `heartbeat` at 10 Hz; with `state` what that says, too.

    The beat comes from a thread of its own, so that a long callback does not look like death; it
    ends when the node's executor has not run a timer for STUCK_S, so that a hung node does. It begins
    when the node knows the time: in simulation, once `/clock` has arrived.
    """

    def __init__(self, node: Node, name: str, state: Callable[[], str] | None = None) -> None:
        self._publisher = node.create_publisher(String, "heartbeat", STATE)
        self._node = node
        self._words = f"{name} {uuid.uuid4().hex[:8]}"
        self._state = state
        self._turned_s = float("-inf")
        self._closed = threading.Event()
        node.create_timer(
            PERIOD_S,
            self._turn,
            callback_group=MutuallyExclusiveCallbackGroup(),
            clock=Clock(clock_type=ClockType.STEADY_TIME),
        )
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the beat; call before the node is destroyed."""
        self._closed.set()
        self._thread.join(1.0)

    def _turn(self) -> None:
        if self._node.get_clock().now().nanoseconds > 0:
            self._turned_s = time.monotonic()

    def _beat(self) -> None:
        while not self._closed.wait(PERIOD_S):
            if time.monotonic() - self._turned_s < STUCK_S:
                state = f" {self._state()}" if self._state is not None else ""
                self._publisher.publish(String(data=self._words + state))


class HeartbeatMonitor:
    """Remembers when each name was last heard on `heartbeat` (monotonic wall seconds), and in which life.

    Whoever watches calls `turn` first at each turn of its timer, which comes every `watch_period_s`. After
    a late turn the watcher was itself starved, and beats may lie unheard in its queue: nobody counts as
    silent in that turn, nor for `grace_s` after it.
    """

    def __init__(self, node: Node, watch_period_s: float, grace_s: float = 0.0) -> None:
        self._heard: dict[str, tuple[float, str, str]] = {}
        self._sent_ns: dict[str, int] = {}
        self._life_since_s: dict[str, float] = {}
        self._watch_period_s, self._grace_s = watch_period_s, grace_s
        self._due_s = float("inf")
        self._judging, self._judge_from_s = True, float("-inf")
        # rclpy hands the message's info to callbacks of two parameters; its types do not say so.
        subscribe: Any = node.create_subscription
        subscribe(String, "heartbeat", self._hear, STATE, callback_group=MutuallyExclusiveCallbackGroup())

    def _hear(self, message: String, info: Mapping[str, Any]) -> None:
        name, life, state = (str(message.data).split(" ") + ["", ""])[:3]
        now_s, sent_ns = time.monotonic(), int(info["source_timestamp"])
        # A dead node's last beats may come after its successor's first ones: they are no third life. One that
        # sends on beside its successor is.
        if name in self._heard and self._heard[name][1] != life and 0 < sent_ns < self._sent_ns[name]:
            return
        self._sent_ns[name] = sent_ns
        if name not in self._heard or self._heard[name][1] != life:
            self._life_since_s[name] = now_s
        self._heard[name] = (now_s, life, state)

    def turn(self) -> bool:
        """Whether silence may be judged in this turn of the watcher.

        A late turn puts it off; late turns in a row put it off once.
        """
        now_s = time.monotonic()
        late = now_s > self._due_s + LATE_S
        self._due_s = now_s + self._watch_period_s
        if late and self._judging:
            self._judging, self._judge_from_s = False, now_s + self._grace_s
        else:
            self._judging = now_s >= self._judge_from_s
        return self._judging

    def silence_s(self, name: str) -> float:
        """Wall seconds since `name` was heard; infinite when it never was."""
        heard = self._heard.get(name)
        return float("inf") if heard is None else time.monotonic() - heard[0]

    def await_heard(self, names: Iterable[str], timeout_s: float) -> bool:
        """Wait until each of `names` was heard once; whether they were. Not in the callback group of this."""
        names, deadline_s = list(names), time.monotonic() + timeout_s
        while not all(name in self._heard for name in names):
            if time.monotonic() > deadline_s:
                return False
            time.sleep(PERIOD_S / 2)
        return True

    def life_since_s(self, name: str) -> float:
        """When the present life of `name` was first heard (monotonic wall s); -inf when it never was."""
        return self._life_since_s.get(name, float("-inf"))

    def lives(self, names: Iterable[str]) -> dict[str, str]:
        """The life of each of `names` that was heard: a node that starts again has another one."""
        return {name: self._heard[name][1] for name in names if name in self._heard}

    def idle(self, names: Iterable[str]) -> list[str]:
        """Those of `names` whose last beat told of a lifecycle state other than active."""
        return [n for n in names if n in self._heard and self._heard[n][2] not in ("", "active")]

    def missing(
        self, names: Iterable[str], limit_s: float, lives: Mapping[str, str] | None = None
    ) -> list[str]:
        """Those of `names` silent for longer than `limit_s`, or whose life is not that of `lives`.

        While silence may not be judged (see `turn`), nobody counts as silent.
        """
        reborn = [] if lives is None else self.reborn(names, lives)
        return [
            name for name in names if (self.silence_s(name) > limit_s and self._judging) or name in reborn
        ]

    def reborn(self, names: Iterable[str], lives: Mapping[str, str]) -> list[str]:
        """Those of `names` whose life is another than in `lives`: a fact, however late it is heard."""
        now = self.lives(names)
        return [name for name in names if lives.get(name) != now.get(name)]
