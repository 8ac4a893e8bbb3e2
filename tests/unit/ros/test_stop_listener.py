"""A stop is heard once: late or twice, it ends nothing that was commanded by one who knew of it."""

from __future__ import annotations

from typing import Any

import pytest
from std_msgs.msg import Bool, Empty, String

from mmrobot.command.stop_words import StopKind
from mmrobot.errors import StoppedError
from mmrobot.ros import stop_listener
from mmrobot.ros.stop_listener import StopListener


class Topics:
    """A node as far as the listener needs one: what it subscribes to can be published here."""

    def __init__(self) -> None:
        self.callbacks: dict[str, Any] = {}

    def create_subscription(self, _kind: type, topic: str, callback: Any, _qos: Any, **_: Any) -> None:
        self.callbacks[topic] = callback

    def say(self, words: str, stamp: int) -> None:
        self.callbacks["instruction"](String(data=words), {"source_timestamp": stamp})

    def stop_all(self, stamp: int) -> None:
        self.callbacks["stop_all"](Empty(), {"source_timestamp": stamp})


def listener() -> tuple[Topics, StopListener, list[str]]:
    topics, reasons = Topics(), []

    def hear(reason: str, kind: StopKind | None) -> None:
        reasons.append(reason if kind is None else f"{kind}: {reason}")

    return topics, StopListener(topics, hear), reasons  # type: ignore[arg-type]


def test_words_and_topic_are_heard_each_with_its_reason() -> None:
    topics, stops, reasons = listener()
    topics.say("stop!", 1)
    topics.say("pick up the red cube", 2)
    topics.stop_all(3)
    topics.say("hold on", 4)
    topics.say("never mind", 5)
    assert reasons == [
        "stop: somebody said 'stop!'",
        "stop: stop_all was published",
        "hold: somebody said 'hold on'",
        "cancel: somebody said 'never mind'",
    ]
    assert stops.heard() == [1, 3, 4, 5]


def test_a_stop_known_from_others_is_no_new_one_and_a_newer_one_is() -> None:
    topics, stops, reasons = listener()
    # What ran before it was told of must end, also where the others' goal overtakes the stop itself.
    stops.know([5])
    assert reasons == ["a stop that others have heard"]
    stops.know([5])
    topics.say("stop", 5)
    assert len(reasons) == 1
    # Another publisher's clock may lag: only the same stamp is the same stop.
    topics.say("stop", 4)
    assert len(reasons) == 2


def test_without_a_stamp_every_stop_counts() -> None:
    topics, stops, reasons = listener()
    stops.know([0])
    assert not reasons
    topics.stop_all(0)
    topics.stop_all(0)
    assert len(reasons) == 2


def test_a_goal_sent_in_ignorance_of_a_fresh_stop_is_told_apart(monkeypatch: Any) -> None:
    topics, stops, _ = listener()
    assert not stops.missed_by([])
    topics.stop_all(7)
    assert stops.missed_by([]) and stops.missed_by([6]) and not stops.missed_by([6, 7])
    now_s = stop_listener.time.monotonic()
    monkeypatch.setattr(stop_listener.time, "monotonic", lambda: now_s + stop_listener.FRESH_S + 0.1)
    assert not stops.missed_by([])


def test_a_button_stops_when_pressed_and_resets_nothing_when_it_comes_free() -> None:
    topics, stops, reasons = listener()
    topics.callbacks["emergency_stop"](Bool(data=True), {"source_timestamp": 9})
    topics.callbacks["emergency_stop"](Bool(data=False), {"source_timestamp": 10})
    assert reasons == ["stop: true came on 'emergency_stop'"] and stops.heard() == [9]


def test_what_is_latched_is_told_until_it_is_free() -> None:
    topics, stops, _ = listener()
    stops.check()
    topics.callbacks["emergency_stop/reason"](String(data="the button"))
    with pytest.raises(StoppedError, match="latched: the button"):
        stops.check()
    topics.callbacks["emergency_stop/reason"](String(data=""))
    stops.check()
