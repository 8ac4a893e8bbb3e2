"""What the arm's joints report."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class JointState:
    """All movable joints of the arm, as `sensor_msgs/JointState`: rad or m, rad/s or m/s, N m or N.

    Arrays are (J,) float64 in the order of `names`; `stamp_s` is simulated time.
    """

    names: tuple[str, ...]
    positions: NDArray[np.float64]
    velocities: NDArray[np.float64]
    efforts: NDArray[np.float64]
    stamp_s: float = 0.0

    def position(self, name: str) -> float:
        """One joint's position."""
        return float(self.positions[self.names.index(name)])
