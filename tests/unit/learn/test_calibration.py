"""Temperatures are found again, and what is said comes nearer to what happens."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from mmrobot.errors import InvalidConfigError
from mmrobot.learn.calibration import calibrate, expected_calibration_error, fit_temperature


def outcomes(temperature: float, n: int = 20_000) -> tuple[np.ndarray, np.ndarray]:
    """Logits that are `temperature` times too sure, and what happened."""
    rng = np.random.default_rng(0)
    true = rng.normal(0, 2, n)
    return true * temperature, rng.random(n) < expit(true)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_the_temperature_is_found(temperature: float) -> None:
    assert fit_temperature(*outcomes(temperature)) == pytest.approx(temperature, rel=0.05)


def test_calibration_is_measured_on_the_other_half_and_better() -> None:
    logits, happened = outcomes(3.0)
    fits = np.arange(len(logits)) % 2 == 0
    found = calibrate(logits, happened, fits)
    assert found.n == len(logits) // 2
    assert found.ece_after < 0.02 < 0.1 < found.ece_before
    assert found.nll_after < found.nll_before
    assert "temperature 3." in str(found) or "temperature 2.9" in str(found)


def test_calibration_error_by_hand() -> None:
    said = np.array([0.9, 0.9, 0.9, 0.9, 0.1])
    happened = np.array([True, True, False, False, False])
    assert expected_calibration_error(said, happened) == pytest.approx((4 * 0.4 + 0.1) / 5)
    assert expected_calibration_error(np.ones(3), np.ones(3, bool)) == 0
    assert expected_calibration_error(np.zeros(0), np.zeros(0, bool)) == 0


def test_nothing_is_fitted_to_outcomes_that_are_all_alike() -> None:
    with pytest.raises(InvalidConfigError, match="all alike"):
        fit_temperature(np.array([1.0, 2.0]), np.array([True, True]))
