"""Time for paths: smooth, within joint speed, joint acceleration and hand speed, and streamed in windows.

The time scaling is a trapezoid of speed whose ramps are raised cosines, so acceleration has no steps.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmrobot.arm.hand import ARM_JOINTS
from mmrobot.arm.kinematics import ArmKinematics, Joints
from mmrobot.arm.path import SAMPLES, JointPath
from mmrobot.types import JointTrajectory

# How much of the joint acceleration a bend of the path may take; the rest is for speeding up.
BEND_SHARE = 0.5
LEAD_S = 0.07
STEP_S = 0.025


@dataclass(frozen=True)
class MotionLimits:
    """Of one motion: rad/s and rad/s^2 for every joint, m/s for the hand."""

    joint_speed_rad_s: float
    joint_acceleration_rad_s2: float
    hand_speed_m_s: float

    def __post_init__(self) -> None:
        if min(self.joint_speed_rad_s, self.joint_acceleration_rad_s2, self.hand_speed_m_s) <= 0:
            raise ValueError(f"motion limits must be positive, got {self}")


@dataclass(frozen=True)
class TimeScaling:
    """s(t) from 0 at rest to `length` at rest, speed at most `speed`, acceleration at most `acceleration`."""

    length: float
    speed: float
    acceleration: float

    @property
    def _peak(self) -> float:
        return min(self.speed, math.sqrt(2 * self.length * self.acceleration / math.pi))

    @property
    def _ramp_s(self) -> float:
        return math.pi / 2 * self._peak / self.acceleration

    @property
    def duration_s(self) -> float:
        if self.length <= 0:
            return 0.0
        return self.length / self._peak + self._ramp_s

    def at(self, time_s: float) -> tuple[float, float]:
        """s and ds/dt."""
        total = self.duration_s
        if time_s <= 0 or total == 0:
            return 0.0, 0.0
        if time_s >= total:
            return self.length, 0.0
        ramp, peak = self._ramp_s, self._peak
        if time_s > total - ramp:
            s, rate = self._ramp(total - time_s, ramp, peak)
            return self.length - s, rate
        if time_s < ramp:
            return self._ramp(time_s, ramp, peak)
        return peak * (time_s - ramp / 2), peak

    @staticmethod
    def _ramp(time_s: float, ramp_s: float, peak: float) -> tuple[float, float]:
        phase = math.pi * time_s / ramp_s
        return peak / 2 * (time_s - ramp_s / math.pi * math.sin(phase)), peak / 2 * (1 - math.cos(phase))


class TimedMotion:
    """A path with time, from `start_s` of its parameter (at rest) to its end (at rest)."""

    def __init__(
        self, path: JointPath, kinematics: ArmKinematics, limits: MotionLimits, start: float = 0.0
    ) -> None:
        self.path, self.limits, self.start = path, limits, start
        self._kinematics = kinematics
        s = np.linspace(start, 1.0, SAMPLES)
        rate = np.abs(path.at(s, 1)).max()
        bend = np.abs(path.at(s, 2)).max()
        hand = np.array([kinematics.forward(q)[:3, 3] for q in path.at(s)])
        hand_rate = float((np.linalg.norm(np.diff(hand, axis=0), axis=1) / max(s[1] - s[0], 1e-9)).max())
        speed = min(limits.joint_speed_rad_s / max(rate, 1e-9), limits.hand_speed_m_s / max(hand_rate, 1e-9))
        if bend > 0:
            speed = min(speed, math.sqrt(BEND_SHARE * limits.joint_acceleration_rad_s2 / bend))
        share = limits.joint_acceleration_rad_s2 - bend * speed**2
        moves = rate * (1.0 - start) > 1e-5
        self.scaling = TimeScaling(1.0 - start if moves else 0.0, speed, share / max(rate, 1e-9))

    @property
    def duration_s(self) -> float:
        return self.scaling.duration_s

    def parameter(self, time_s: float) -> tuple[float, float]:
        """The path's s and ds/dt at a time."""
        s, rate = self.scaling.at(time_s)
        return min(self.start + s, 1.0), rate

    def at(self, time_s: float) -> tuple[Joints, Joints]:
        """Positions and velocities (6,) at a time."""
        s, rate = self.parameter(time_s)
        return self.path.at(s), self.path.at(s, 1) * rate

    def resumed(self, parameter: float) -> TimedMotion:
        """The rest of the path, timed afresh from rest at a parameter."""
        return TimedMotion(self.path, self._kinematics, self.limits, min(max(parameter, 0.0), 1.0))

    def trajectory(self, step_s: float = 0.04) -> JointTrajectory:
        """The whole motion, sampled evenly about `step_s` apart."""
        count = max(1, math.ceil(self.duration_s / step_s))
        times = np.linspace(0.0, max(self.duration_s, 1e-3), count + 1)
        return _trajectory(times, [self.at(t) for t in times])

    def window(self, time_s: float, length_s: float, brake_s: float) -> tuple[JointTrajectory, float]:
        """What follows `time_s`, at most `length_s` long and ending at rest; and the s at its end.

        The last `brake_s` are a steady brake along the path, unless the motion ends before. The first
        point comes LEAD_S after the start: the controller's spline from where the arm is commanded to
        be by then makes up gently for a message that came late.
        """
        remaining = self.duration_s - time_s
        if remaining <= length_s:
            times = _steps(max(remaining, STEP_S))
            return _trajectory(times, [self.at(time_s + t) for t in times]), 1.0
        drive_s = length_s - brake_s
        times = _steps(drive_s)
        states = [self.at(time_s + t) for t in times]
        s, rate = self.parameter(time_s + drive_s)
        # A steady brake to rest covers half of what the speed would; it may not pass the path's end.
        brake_rate = min(rate, 2 * (1.0 - s) / brake_s)
        braking = np.linspace(0.0, brake_s, max(2, math.ceil(brake_s / STEP_S)) + 1)[1:]
        for t in braking:
            part = s + brake_rate * (t - t**2 / (2 * brake_s))
            states.append((self.path.at(part), self.path.at(part, 1) * brake_rate * (1 - t / brake_s)))
        return _trajectory(np.concatenate([times, drive_s + braking]), states), s + brake_rate * brake_s / 2


def hold_trajectory(positions: Joints, velocities: Joints, brake_s: float = 0.04) -> JointTrajectory:
    """One point: at rest, as far on as a steady brake from the present velocity takes."""
    rest = positions + velocities * brake_s / 2
    return _trajectory(np.array([brake_s]), [(rest, np.zeros_like(positions))])


def _steps(length_s: float) -> NDArray[np.float64]:
    """Times from LEAD_S, or the end if that is earlier, to the end, about STEP_S apart."""
    lead = min(LEAD_S, length_s)
    return np.linspace(lead, length_s, math.ceil((length_s - lead) / STEP_S - 1e-9) + 1)


def _trajectory(times_s: NDArray[np.float64], states: list[tuple[Joints, Joints]]) -> JointTrajectory:
    return JointTrajectory(
        ARM_JOINTS, np.asarray(times_s, dtype=np.float64),
        np.array([q for q, _ in states]), np.array([v for _, v in states]),
    )
