"""Who is silent, by a clock of the test's: a watcher that was starved itself accuses nobody."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from std_msgs.msg import String

from mmrobot.ros import heartbeat
from mmrobot.ros.heartbeat import LATE_S, HeartbeatMonitor

PERIOD_S = 0.03
LIMIT_S = 0.35


class Wire:
    """Stands for the node: keeps the monitor's callback."""

    hear: Callable[[String, dict[str, int]], None]
    sent_ns = 1000

    def create_subscription(self, kind: Any, topic: str, callback: Any, *_: Any, **__: Any) -> None:
        assert (kind, topic) == (String, "heartbeat")
        self.hear = callback

    def beat(self, life: str = "a1", name: str = "executor", sent_ns: int | None = None) -> None:
        """Each later than the one before, unless told otherwise."""
        self.sent_ns += 1
        self.hear(
            String(data=f"{name} {life}"), {"source_timestamp": self.sent_ns if sent_ns is None else sent_ns}
        )


class Clock:
    now_s = 100.0
    due: list[tuple[float, Callable[[], None]]]

    def __init__(self) -> None:
        self.due = []

    def monotonic(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        """Time goes on, and what is due by then happens."""
        self.now_s += seconds
        while self.due and self.due[0][0] <= self.now_s:
            self.due.pop(0)[1]()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(heartbeat, "time", clock)
    return clock


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
def monitor(clock: Clock, wire: Wire) -> HeartbeatMonitor:
    return HeartbeatMonitor(wire, PERIOD_S)  # type: ignore[arg-type]


def missing(monitor: HeartbeatMonitor, lives: dict[str, str] | None = None) -> list[str]:
    return monitor.missing(["executor"], LIMIT_S, lives)


def test_silence_is_noticed_in_the_first_turn_after_the_limit(
    monitor: HeartbeatMonitor, wire: Wire, clock: Clock
) -> None:
    assert missing(monitor) == ["executor"], "never heard"
    wire.beat()
    began_s = clock.now_s
    while True:
        assert monitor.turn()
        if missing(monitor):
            break
        clock.now_s += PERIOD_S
    assert LIMIT_S < clock.now_s - began_s <= LIMIT_S + PERIOD_S
    wire.beat()
    assert monitor.turn() and not missing(monitor)


def test_a_starved_watcher_lets_the_beats_in_its_queue_be_heard_first(
    monitor: HeartbeatMonitor, wire: Wire, clock: Clock
) -> None:
    wire.beat()
    monitor.turn()
    clock.now_s += 0.8
    assert not monitor.turn()
    assert not missing(monitor)
    wire.beat()
    clock.now_s += PERIOD_S
    assert monitor.turn() and not missing(monitor)


def test_a_late_turn_puts_the_judgement_off_once_only(
    monitor: HeartbeatMonitor, wire: Wire, clock: Clock
) -> None:
    wire.beat()
    monitor.turn()
    for _ in range(3):
        clock.now_s += 0.8
        assert not monitor.turn() and not missing(monitor)
        clock.now_s += 0.8
        assert monitor.turn() and missing(monitor) == ["executor"]


def test_who_only_gives_up_takes_longer_to_catch_up(wire: Wire, clock: Clock) -> None:
    monitor = HeartbeatMonitor(wire, PERIOD_S, grace_s=0.5)  # type: ignore[arg-type]
    wire.beat()
    monitor.turn()
    for _ in range(2):
        clock.now_s += 0.8
        woke_s = clock.now_s
        while not monitor.turn():
            assert not missing(monitor)
            clock.now_s += 0.12 + PERIOD_S  # late each time
        assert missing(monitor) == ["executor"]
        assert 0.5 <= clock.now_s - woke_s < 0.7


def test_a_turn_a_little_late_judges(monitor: HeartbeatMonitor, wire: Wire, clock: Clock) -> None:
    wire.beat()
    monitor.turn()
    clock.now_s += PERIOD_S + 0.9 * LATE_S
    assert monitor.turn()


def test_another_life_is_missed_at_once_even_in_a_late_turn(
    monitor: HeartbeatMonitor, wire: Wire, clock: Clock
) -> None:
    wire.beat("a1")
    lives = monitor.lives(["executor"])
    assert lives == {"executor": "a1"} and not missing(monitor, lives)
    monitor.turn()
    clock.now_s += 0.8
    wire.beat("b2")
    assert not monitor.turn()
    assert missing(monitor, lives) == ["executor"] == monitor.reborn(["executor"], lives)
    assert not missing(monitor)


def test_a_lifecycle_node_that_beats_and_is_not_active_is_idle_and_not_missing(
    monitor: HeartbeatMonitor, wire: Wire
) -> None:
    wire.beat()
    assert monitor.idle(["executor"]) == [], "other nodes tell no state"
    wire.beat("a1 inactive")
    assert monitor.idle(["executor", "vlm"]) == ["executor"]
    assert monitor.lives(["executor"]) == {"executor": "a1"} and not missing(monitor)
    wire.beat("a1 active")
    assert monitor.idle(["executor"]) == []


def test_a_life_counts_from_its_first_beat(monitor: HeartbeatMonitor, wire: Wire, clock: Clock) -> None:
    assert monitor.life_since_s("executor") == float("-inf")
    wire.beat("a1")
    clock.now_s += 3.0
    wire.beat("a1")
    assert monitor.life_since_s("executor") == clock.now_s - 3.0
    wire.beat("b2")
    assert monitor.life_since_s("executor") == clock.now_s


def test_late_beats_of_a_dead_node_are_no_other_life(
    monitor: HeartbeatMonitor, wire: Wire, clock: Clock
) -> None:
    """Sent before its successor's first one, heard after it: else the node has died twice."""
    wire.beat("a1", sent_ns=10)
    wire.beat("b2", sent_ns=30)
    lives = monitor.lives(["executor"])
    clock.now_s += 0.1
    wire.beat("a1", sent_ns=20)
    assert monitor.lives(["executor"]) == lives == {"executor": "b2"}
    assert monitor.silence_s("executor") == pytest.approx(0.1), "nor a sign of life of the successor"


@pytest.mark.parametrize("sent_ns", [40, 0])
def test_a_second_node_of_a_name_that_sends_on_is_another_life(
    monitor: HeartbeatMonitor, wire: Wire, sent_ns: int
) -> None:
    """Two masters of one arm; without time stamps there is no telling, and the robot rather holds."""
    wire.beat("a1", sent_ns=10)
    wire.beat("b2", sent_ns=30)
    lives = monitor.lives(["executor"])
    wire.beat("a1", sent_ns=sent_ns)
    assert monitor.reborn(["executor"], lives) == ["executor"]


@pytest.mark.parametrize(("comes_after_s", "heard"), [(1.0, True), (4.0, False)])
def test_a_new_process_waits_until_it_has_heard_the_others(
    monitor: HeartbeatMonitor, wire: Wire, clock: Clock, comes_after_s: float, heard: bool
) -> None:
    began_s = clock.now_s
    wire.beat(name="vlm")
    clock.due.append((began_s + comes_after_s, wire.beat))
    assert monitor.await_heard(["vlm", "executor"], 3.0) is heard
    assert clock.now_s - began_s == pytest.approx(min(comes_after_s, 3.0), abs=0.11)
    assert monitor.await_heard([], 3.0)
