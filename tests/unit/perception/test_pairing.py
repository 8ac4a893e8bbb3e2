"""Pairing by stamp: what belongs together, nothing else, bounded, and alive after any disorder."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmrobot.errors import InvalidImageError
from mmrobot.perception.pairing import (
    COLOUR,
    COLOUR_INFO,
    DEPTH,
    DEPTH_INFO,
    STREAMS,
    FramePairer,
    PairedSet,
    PairingConfig,
)

MS = 1_000_000
T0 = 10_000 * MS


def feed(pairer: FramePairer, stamp_ns: int, *streams: str, now_s: float = 0.0) -> list[PairedSet]:
    out = [pairer.add(stream, stamp_ns, (stream, stamp_ns), now_s) for stream in streams]
    return [found for found in out if found is not None]


def test_a_set_is_complete_in_any_order() -> None:
    for order in ((COLOUR, DEPTH, COLOUR_INFO), (COLOUR_INFO, DEPTH, COLOUR), (DEPTH, COLOUR, COLOUR_INFO)):
        pairer = FramePairer()
        (found,) = feed(pairer, T0, *order)
        assert found.colour == (COLOUR, T0)
        assert found.depth == (DEPTH, T0)
        assert found.depth_info is None
        assert pairer.take() is found
        assert pairer.take() is None


def test_tolerance_and_skew() -> None:
    pairer = FramePairer(PairingConfig(tolerance_s=0.02))
    feed(pairer, T0, COLOUR, COLOUR_INFO)
    assert feed(pairer, T0 + 21 * MS, DEPTH) == []
    (found,) = feed(pairer, T0 - 19 * MS, DEPTH)
    assert found.skew_s == pytest.approx(0.019)


def test_latest_wins() -> None:
    pairer = FramePairer()
    feed(pairer, T0, COLOUR, DEPTH, COLOUR_INFO)
    feed(pairer, T0 + 100 * MS, COLOUR, DEPTH, COLOUR_INFO)
    newest = pairer.take()
    assert newest is not None
    assert newest.stamp_ns == T0 + 100 * MS
    assert feed(pairer, T0 + 50 * MS, COLOUR, DEPTH, COLOUR_INFO) == [], "older than what was given out"


def test_without_depth_when_it_is_not_needed() -> None:
    pairer = FramePairer(PairingConfig(need_depth=False))
    (found,) = feed(pairer, T0, COLOUR, COLOUR_INFO)
    assert found.depth is None


def test_depth_info_when_it_is_needed() -> None:
    pairer = FramePairer(PairingConfig(need_depth_info=True))
    assert feed(pairer, T0, COLOUR, COLOUR_INFO, DEPTH) == []
    (found,) = feed(pairer, T0, DEPTH_INFO)
    assert found.depth_info == (DEPTH_INFO, T0)


@pytest.mark.parametrize(
    ("stamp", "fault"), [(0, "zero_stamp"), (-5, "bad_stamp"), (1.5, "bad_stamp"), (None, "bad_stamp")]
)
def test_bad_stamps_are_refused_and_counted(stamp: object, fault: str) -> None:
    pairer = FramePairer()
    with pytest.raises(InvalidImageError) as caught:
        pairer.add(DEPTH, stamp, None, 0.0)  # type: ignore[arg-type]
    assert caught.value.fault == fault
    assert pairer.statistics(0.0)["streams"][DEPTH]["faults"] == {fault: 1}


def test_backward_jump_starts_anew() -> None:
    pairer = FramePairer()
    feed(pairer, T0, COLOUR, DEPTH, COLOUR_INFO)
    early = 500 * MS
    (found,) = feed(pairer, early, COLOUR, DEPTH, COLOUR_INFO)
    assert found.stamp_ns == early
    assert pairer.statistics(0.0)["resets"] == 1


def test_queues_are_bounded() -> None:
    pairer = FramePairer(PairingConfig(queue_size=4))
    for k in range(50):
        feed(pairer, T0 + k * MS, COLOUR)
    stream = pairer.statistics(0.0)["streams"][COLOUR]
    assert stream["waiting"] == 4
    assert stream["dropped"] == 46


def test_ages_and_late_faults() -> None:
    pairer = FramePairer()
    assert pairer.age_s(COLOUR, 3.0) is None
    feed(pairer, T0, COLOUR, now_s=1.0)
    assert pairer.age_s(COLOUR, 3.5) == 2.5
    pairer.count_fault(COLOUR, "short_data")
    assert pairer.statistics(3.5)["streams"][COLOUR]["faults"] == {"short_data": 1}


steps = st.tuples(
    st.sampled_from(STREAMS), st.integers(0, 12).map(lambda k: T0 + 10 * MS * k) | st.integers(0, 2 * T0)
)


@settings(deadline=None, max_examples=60)
@given(st.lists(steps, max_size=60))
def test_any_disorder_gives_only_true_pairs(messages: list[tuple[str, int]]) -> None:
    config = PairingConfig(queue_size=5)
    pairer = FramePairer(config)
    last = 0
    for stream, stamp in messages:
        if stamp == 0:
            continue
        resets = pairer.statistics(0.0)["resets"]
        found = pairer.add(stream, stamp, (stream, stamp), 0.0)
        if pairer.statistics(0.0)["resets"] > resets:
            last = 0
        for s in pairer.statistics(0.0)["streams"].values():
            assert s["waiting"] <= 5
        if found is None:
            continue
        assert found.stamp_ns > last, "stamps rise until a new start"
        last = found.stamp_ns
        assert found.colour == (COLOUR, found.stamp_ns)
        for name, message in ((DEPTH, found.depth), (COLOUR_INFO, found.colour_info)):
            assert message is not None
            assert message[0] == name
            assert abs(message[1] - found.stamp_ns) <= 20 * MS


@settings(deadline=None, max_examples=60)
@given(st.lists(steps, max_size=40))
def test_it_recovers_after_any_disorder(messages: list[tuple[str, int]]) -> None:
    pairer = FramePairer()
    for stream, stamp in messages:
        if stamp:
            pairer.add(stream, stamp, (stream, stamp), 0.0)
    calm = 3 * T0
    assert feed(pairer, calm, COLOUR, DEPTH, COLOUR_INFO), "the next sound set is given out at once"


def test_many_threads() -> None:
    pairer = FramePairer()
    taken: list[PairedSet] = []

    def publish(stream: str) -> None:
        for k in range(300):
            pairer.add(stream, T0 + 100 * MS * k, (stream, T0 + 100 * MS * k), 0.0)

    threads = [threading.Thread(target=publish, args=(s,)) for s in (COLOUR, DEPTH, COLOUR_INFO)]
    for thread in threads:
        thread.start()
    while any(t.is_alive() for t in threads):
        found = pairer.take()
        if found is not None:
            taken.append(found)
    for found in taken:
        assert found.depth == (DEPTH, found.stamp_ns)
    assert pairer.statistics(0.0)["streams"][COLOUR]["received"] == 300
