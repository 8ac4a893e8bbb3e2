"""Intervals and tests against known figures."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmrobot.evals.statistics import Rate, mcnemar, wilson


@pytest.mark.parametrize(
    ("passed", "n", "low", "high"),
    # Newcombe, Statistics in Medicine 17 (1998), table I, method 3.
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_as_published(passed, n, low, high):
    assert wilson(passed, n) == pytest.approx((low, high), abs=1e-4)


@given(st.integers(0, 400), st.integers(0, 400))
def test_wilson_holds_the_rate(passed, more):
    n = passed + more
    low, high = wilson(passed, n)
    assert 0.0 <= low <= high <= 1.0
    if n:
        assert low - 1e-12 <= passed / n <= high + 1e-12


def test_wilson_refuses_nonsense():
    with pytest.raises(ValueError, match="5 of 4"):
        wilson(5, 4)


def test_mcnemar():
    assert mcnemar(0, 0) == 1.0
    assert mcnemar(5, 5) == 1.0
    assert mcnemar(0, 6) == pytest.approx(2 / 64)
    assert mcnemar(10, 1) == mcnemar(1, 10) < 0.05


def test_rate_as_a_cell():
    assert Rate(98, 100).as_dict() == {
        "n": 100, "passed": 98, "success": 0.98, "wilson95": [0.93, 0.9945],
    }  # fmt: skip
    assert str(Rate(1, 2)).startswith("50.0 %")
    assert Rate(0, 0).value == 0.0
