"""The arm's first motion in Gazebo: from where the SDF's zero puts it, straight up, to its home posture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mmrobot.types import JointTrajectory

DURATION_S = 3.0
STEP_S = 0.025
# Further than this from zero, the arm has been moved by somebody: it is left alone.
AT_ZERO_RAD = 0.1


def at_zero(positions: NDArray[np.float64]) -> bool:
    """Whether the arm stands as Gazebo loads it."""
    return bool(np.abs(positions).max() < AT_ZERO_RAD)


def home_trajectory(
    names: tuple[str, ...], start: NDArray[np.float64], home: NDArray[np.float64]
) -> JointTrajectory:
    """(J,) to (J,) radians, all joints at once, at rest at both ends, without steps in acceleration."""
    times = np.arange(STEP_S, DURATION_S + STEP_S / 2, STEP_S)
    share = times / DURATION_S
    position = share - np.sin(2 * np.pi * share) / (2 * np.pi)
    speed = (1 - np.cos(2 * np.pi * share)) / DURATION_S
    way = home - start
    return JointTrajectory(names, times, start + np.outer(position, way), np.outer(speed, way))
