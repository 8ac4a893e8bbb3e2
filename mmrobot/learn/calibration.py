"""Probabilities that mean what they say: one temperature for each head that gives any.

Guo et al. 2017, "On Calibration of Modern Neural Networks" (arXiv:1706.04599): logits are divided by the
temperature under which what happened was most likely; no answer changes by it. Fitted on one half of the
validation scenes, measured on the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import expit

from mmrobot.errors import InvalidConfigError

BINS = 15
LIMITS = (0.05, 20.0)
"""Of the temperature; a fit at a limit would mean that the head has learned nothing."""

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def negative_log_likelihood(logits: Floats, happened: Bools, temperature: float) -> float:
    """Mean over (N,) logits, in nats."""
    return float(np.logaddexp(0, np.where(happened, -logits, logits) / temperature).mean())


def fit_temperature(logits: Floats, happened: Bools) -> float:
    """Of the least negative log-likelihood. Raises InvalidConfigError where only one thing happened."""
    if len(np.unique(happened)) < 2:
        raise InvalidConfigError(
            f"a temperature cannot be fitted to {len(logits)} outcomes that are all alike",
            "calibrate on more pictures: mmrobot train pictures --pictures 12000",
        )
    found = minimize_scalar(
        lambda log_t: negative_log_likelihood(logits, happened, float(np.exp(log_t))),
        bounds=tuple(np.log(LIMITS)),
        method="bounded",
    )
    return float(np.exp(found.x))


def expected_calibration_error(probabilities: Floats, happened: Bools) -> float:
    """Mean distance of what was said from what happened, over BINS equal bins of [0, 1]; 0 of nothing."""
    if len(probabilities) == 0:
        return 0.0
    bins = np.minimum((probabilities * BINS).astype(int), BINS - 1)
    off = np.bincount(bins, probabilities - happened, BINS)
    return float(np.abs(off).sum() / len(probabilities))


@dataclass(frozen=True)
class Calibration:
    """A head's temperature, and the errors on `n` outcomes that it was not fitted to."""

    temperature: float
    n: int
    ece_before: float
    ece_after: float
    nll_before: float
    nll_after: float

    def __str__(self) -> str:
        return (
            f"temperature {self.temperature:.3f}, "
            f"calibration error {self.ece_before:.4f} to {self.ece_after:.4f}, "
            f"NLL {self.nll_before:.4f} to {self.nll_after:.4f} ({self.n} outcomes)"
        )


def calibrate(logits: Floats, happened: Bools, fits: Bools) -> Calibration:
    """All (N,); `fits` marks those that the temperature is fitted to."""
    temperature = fit_temperature(logits[fits], happened[fits])
    kept, truth = logits[~fits], happened[~fits]
    ece = [expected_calibration_error(expit(kept / t), truth) for t in (1.0, temperature)]
    nll: list[Any] = [negative_log_likelihood(kept, truth, t) for t in (1.0, temperature)]
    return Calibration(temperature, len(kept), *ece, *nll)
