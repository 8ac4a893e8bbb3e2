"""Ways through joint space without time: straight lines between postures, and straight lines of the hand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from mmrobot.arm.kinematics import ArmKinematics, Joints

SAMPLES = 25


class JointPath:
    """Postures over s in [0, 1]: a straight joint line through two waypoints, a spline through more.

    `waypoints` (N, 6) radians, evenly spread over s.
    """

    def __init__(self, waypoints: NDArray[np.float64]) -> None:
        if waypoints.ndim != 2 or len(waypoints) < 2:
            raise ValueError(f"a path needs two or more waypoints, got an array of shape {waypoints.shape}")
        self.waypoints = waypoints
        self._spline = None
        if len(waypoints) > 2:
            self._spline = CubicSpline(np.linspace(0.0, 1.0, len(waypoints)), waypoints)

    @property
    def start(self) -> Joints:
        return self.waypoints[0]

    @property
    def end(self) -> Joints:
        return self.waypoints[-1]

    def at(self, s: NDArray[np.float64] | float, order: int = 0) -> NDArray[np.float64]:
        """Positions, or first or second derivatives by s: (..., 6) for s of shape (...)."""
        s = np.asarray(s, dtype=np.float64)
        if self._spline is not None:
            values: NDArray[np.float64] = self._spline(s, order)
            return values
        first, last = self.waypoints
        if order == 0:
            return first + s[..., None] * (last - first)
        return np.broadcast_to(last - first if order == 1 else np.zeros_like(first), (*s.shape, len(first)))


def joint_line(start: Sequence[float] | Joints, end: Sequence[float] | Joints) -> JointPath:
    """Every joint at its own steady rate. Two postures with the hand straight down keep it so between."""
    return JointPath(np.array([start, end], dtype=np.float64))


def hand_line(
    kinematics: ArmKinematics, start: Joints, end_pose: NDArray[np.float64], spacing_m: float = 0.02
) -> JointPath:
    """The hand straight from where `start` has it to `end_pose`, keeping the end's orientation throughout.

    Raises UnreachableError when a pose on the way has no posture next to the one before it.
    """
    begin = kinematics.forward(start)[:3, 3]
    travel = end_pose[:3, 3] - begin
    count = max(2, int(np.ceil(np.linalg.norm(travel) / spacing_m)))
    postures = [np.asarray(start, dtype=np.float64)]
    for part in np.linspace(0.0, 1.0, count + 1)[1:]:
        pose = end_pose.copy()
        pose[:3, 3] = begin + part * travel
        postures.append(kinematics.solve(pose, postures[-1], restarts=0))
    return JointPath(np.array(postures))
