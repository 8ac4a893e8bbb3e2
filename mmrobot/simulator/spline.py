"""Cubic Hermite interpolation of a timed joint trajectory: both continuous."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]


class HermiteSpline:
    """Through `positions` (N, J) with `velocities` (N, J) at `times_s` (N,), rising from 0."""

    def __init__(self, times_s: Vector, positions: Vector, velocities: Vector) -> None:
        self._times = np.asarray(times_s, dtype=np.float64)
        self._positions = np.asarray(positions, dtype=np.float64)
        self._velocities = np.asarray(velocities, dtype=np.float64)

    @property
    def duration_s(self) -> float:
        return float(self._times[-1])

    @property
    def end(self) -> Vector:
        """The last positions, (J,)."""
        return self._positions[-1].copy()

    def at(self, time_s: float) -> tuple[Vector, Vector, Vector]:
        """Position, velocity and acceleration (J,) each; after the end the last point, at rest."""
        if time_s >= self._times[-1]:
            zeros = np.zeros(self._positions.shape[1])
            return self._positions[-1].copy(), zeros, zeros.copy()
        i = max(int(np.searchsorted(self._times, time_s, side="right")) - 1, 0)
        span = self._times[i + 1] - self._times[i]
        s = max(time_s - self._times[i], 0.0) / span
        p0, p1 = self._positions[i], self._positions[i + 1]
        m0, m1 = self._velocities[i] * span, self._velocities[i + 1] * span
        a, b = 2 * (p0 - p1) + m0 + m1, 3 * (p1 - p0) - 2 * m0 - m1
        position = ((a * s + b) * s + m0) * s + p0
        velocity = ((3 * a * s + 2 * b) * s + m0) / span
        return position, velocity, (6 * a * s + 2 * b) / span**2
