"""Whether a model's probabilities mean what they say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

BINS = 15


def expected_calibration_error(probabilities: Sequence[float], happened: Sequence[bool]) -> float:
    """Mean distance of said from true frequency over 15 equal bins of [0, 1], weighted by how many fall in
    each (Guo et al. 2017, "On Calibration of Modern Neural Networks"); 0 of nothing."""
    p = np.asarray(probabilities, np.float64)
    if len(p) == 0:
        return 0.0
    bins = np.minimum((p * BINS).astype(int), BINS - 1)
    said = np.bincount(bins, p, BINS)
    true = np.bincount(bins, np.asarray(happened, np.float64), BINS)
    return float(np.abs(said - true).sum() / len(p))


def calibration(pairs: Sequence[tuple[float, bool]]) -> dict[str, Any]:
    """The error with its n."""
    return {
        "n": len(pairs),
        "ece": round(expected_calibration_error([p for p, _ in pairs], [h for _, h in pairs]), 4),
    }
