"""Which deaths are followed by another start."""

from __future__ import annotations

import pytest

from mmrobot.ros.restart_rule import DEATHS_WITHIN_S, MAX_DEATHS, STARTED_S, RestartRule


@pytest.mark.parametrize(
    ("status", "lived_s", "again"),
    [(-9, 0.1, True), (1, STARTED_S - 1, False), (0, STARTED_S - 1, False), (1, STARTED_S + 1, True)],
)
def test_what_is_killed_starts_again_and_what_ends_soon_by_itself_does_not(
    status: int, lived_s: float, again: bool
) -> None:
    assert RestartRule().again("vlm", status, lived_s, 100.0) is again


def test_many_deaths_within_the_time_end_it_and_over_a_longer_time_do_not() -> None:
    often, seldom = RestartRule(), RestartRule()
    step_s = DEATHS_WITHIN_S / (MAX_DEATHS - 1)
    for number in range(MAX_DEATHS):
        last = number == MAX_DEATHS - 1
        assert often.again("vlm", -9, 50.0, 0.9 * step_s * number) is not last
        assert seldom.again("vlm", -9, 50.0, 1.1 * step_s * number)
    assert often.again("executor", -9, 50.0, DEATHS_WITHIN_S), "deaths are counted by name"
