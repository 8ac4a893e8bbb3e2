"""The gripper's one command, an opening, as Gazebo's two fingers need it: ramped, halved, never far ahead."""

from __future__ import annotations

from mmrobot.simulator.gazebo.arm import FINGER_GAINS
from mmrobot.simulator.gripper import AHEAD, SPEED_M_S

# The opening that lets both fingers push with all that they may.
AHEAD_M = AHEAD * 2 * FINGER_GAINS.limit / FINGER_GAINS.position
# Fingers this far behind their command, both together, press on something.
GRIPPING_M = 0.004


class FingerRamp:
    """Moves the setpoint of the opening at a steady speed, as the embedded simulator's gripper does."""

    def __init__(self, width_m: float, speed_m_s: float = SPEED_M_S) -> None:
        self._speed_m_s = speed_m_s
        self._target_m = self._setpoint_m = width_m

    def command(self, width_m: float) -> None:
        """Move towards an opening from now on."""
        self._target_m = width_m

    def hold(self, width_m: float) -> None:
        """Stay at the measured opening; a grip keeps its force."""
        if width_m - self._setpoint_m < GRIPPING_M:
            self._target_m = self._setpoint_m = width_m

    def step(self, width_m: float, duration_s: float) -> float:
        """The position of each finger (m) for now, with the opening measured and time passed."""
        far = self._speed_m_s * max(duration_s, 0.0)
        towards = min(max(self._target_m, self._setpoint_m - far), self._setpoint_m + far)
        self._setpoint_m = min(max(towards, width_m - AHEAD_M), width_m + AHEAD_M)
        return self._setpoint_m / 2
