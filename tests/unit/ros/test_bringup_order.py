"""Which transition is due: each node once in a life, in order, and nobody's own choice is undone."""

from __future__ import annotations

import pytest

from mmrobot.ros import bringup_order
from mmrobot.ros.bringup_order import LOST_S, BringupOrder

UP = {"executor": "active", "vlm": "active"}
LIVES = {"executor": "a", "vlm": "a"}


class Clock:
    now_s = 50.0

    def monotonic(self) -> float:
        return self.now_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(bringup_order, "time", clock)
    return clock


@pytest.fixture
def order(clock: Clock) -> BringupOrder:
    return BringupOrder(["executor", "vlm"])


def both(executor: str | None, vlm: str | None) -> dict[str, str | None]:
    return {"executor": executor, "vlm": vlm}


def test_all_are_configured_at_once_and_activated_in_order(order: BringupOrder) -> None:
    assert order.next(both("unconfigured", "unconfigured"), {}) == [
        ("executor", "configure"),
        ("vlm", "configure"),
    ]
    assert order.next(both("configuring", "inactive"), {}) == [], "vlm waits for the executor"
    assert order.next(both("inactive", "inactive"), {}) == [("executor", "activate")]
    assert order.next(both("active", "inactive"), {}) == [("vlm", "activate")]
    assert not order.settled()
    assert order.next(UP, {}) == [] and order.settled()


def test_a_stale_state_asks_for_nothing_twice_and_a_lost_request_is_repeated(
    order: BringupOrder, clock: Clock
) -> None:
    assert order.next(both("unconfigured", None), {}) == [("executor", "configure")]
    order.answered("executor", True)
    clock.now_s += 0.9 * LOST_S
    assert order.next(both("unconfigured", None), {}) == []
    clock.now_s += 0.2 * LOST_S
    assert order.next(both("unconfigured", None), {}) == [("executor", "configure")]


def test_a_failure_is_not_repeated_until_something_changes(order: BringupOrder, clock: Clock) -> None:
    order.next(both("active", "unconfigured"), LIVES)
    order.answered("vlm", False)
    assert order.next(both("active", "unconfigured"), LIVES) == [] and order.failed() == ["vlm"]
    clock.now_s += 10 * LOST_S
    assert order.next(both("active", "unconfigured"), LIVES) == []
    assert order.try_again("vlm") and not order.try_again("executor")
    clock.now_s += 2 * LOST_S
    assert order.next(both("active", "unconfigured"), LIVES) == [("vlm", "configure")]


def test_a_refusal_after_which_the_node_got_there_is_no_failure(order: BringupOrder) -> None:
    order.next(both("active", "unconfigured"), LIVES)
    order.answered("vlm", False)
    assert order.next(both("active", "inactive"), LIVES) == [("vlm", "activate")]
    assert order.failed() == []


@pytest.mark.parametrize("state", ["inactive", "unconfigured"])
def test_what_was_taken_down_by_hand_is_left_so_and_a_new_life_is_brought_up(
    order: BringupOrder, state: str
) -> None:
    assert order.next(UP, LIVES) == []
    assert order.next(both("active", state), LIVES) == []
    reborn = order.next(both("active", "unconfigured"), {**LIVES, "vlm": "b"})
    assert reborn == [("vlm", "configure")]


def test_a_node_that_died_before_its_first_beat_is_brought_up_again(order: BringupOrder) -> None:
    assert order.next(UP, {}) == []
    assert order.next(both("active", None), {}) == []
    assert order.next(both("active", "unconfigured"), {}) == [("vlm", "configure")]
