"""The thin edge between the skills and an arm, simulated in-process or reached through ROS topics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mmrobot.arm.hand import ARM_JOINTS, GRIPPER_JOINTS
from mmrobot.errors import RobotUnavailableError
from mmrobot.types import JointTrajectory


@dataclass(frozen=True, eq=False)
class ArmState:
    """The arm as measured: `positions` and `velocities` (6,) rad, rad/s in the order of ARM_JOINTS;
    the fingers' opening (sum of both) and its speed, m, m/s; their efforts' mean size in N, NaN when
    the robot does not report it."""

    positions: NDArray[np.float64]
    velocities: NDArray[np.float64]
    width_m: float
    width_speed_m_s: float
    grip_n: float
    stamp_s: float


class ArmPort(Protocol):
    """An arm that follows trajectories from the moment they are sent. No call blocks."""

    @property
    def epoch(self) -> int:
        """Another number than before once the arm was held from outside and may move again: whatever was
        sent in an earlier epoch has ended, the arm stands where that left it."""

    def now_s(self) -> float:
        """The robot's clock: simulated time in a simulation."""

    def state(self) -> ArmState | None:
        """The newest measured state; None before the first."""

    def send_trajectory(self, trajectory: JointTrajectory) -> None:
        """Replaces the running trajectory; its time 0 is now, its last point is held."""

    def send_gripper(self, width_m: float) -> None:
        """Moves the fingers towards an opening, with bounded force."""


def arm_state(
    names: Sequence[str], positions: Sequence[float], velocities: Sequence[float],
    efforts: Sequence[float], stamp_s: float,
) -> ArmState:
    """From joint states in any order; velocities and efforts may be empty, as sensor_msgs allows.

    Raises RobotUnavailableError when a joint of the arm is missing.
    """
    index = {name: i for i, name in enumerate(names)}
    missing = [name for name in (*ARM_JOINTS, *GRIPPER_JOINTS) if name not in index]
    if missing:
        raise RobotUnavailableError(
            f"joint states lack {', '.join(missing)}", f"publish {', '.join((*ARM_JOINTS, *GRIPPER_JOINTS))}"
        )

    def pick(values: Sequence[float], joints: Sequence[str], absent: float) -> NDArray[np.float64]:
        if len(values) != len(names):
            return np.full(len(joints), absent)
        return np.array([values[index[joint]] for joint in joints], dtype=np.float64)

    return ArmState(
        pick(positions, ARM_JOINTS, 0.0), pick(velocities, ARM_JOINTS, 0.0),
        float(pick(positions, GRIPPER_JOINTS, 0.0).sum()), float(pick(velocities, GRIPPER_JOINTS, 0.0).sum()),
        float(np.abs(pick(efforts, GRIPPER_JOINTS, float("nan"))).mean()), stamp_s,
    )
