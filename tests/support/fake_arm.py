"""An arm in thought: it follows every trajectory exactly, and grips what a test puts in its hand."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mmrobot.arm.hand import ARM_JOINTS, OBSERVE_POSTURE
from mmrobot.arm.port import ArmState
from mmrobot.arm.skills import ArmSkills
from mmrobot.execution.robot import SkillStatus
from mmrobot.simulator.spline import HermiteSpline
from mmrobot.types import JointTrajectory

FINGER_SPEED_M_S = 0.15


class FakeArm:
    """An ArmPort with its own clock. `thing_m` is the width of what lies in the hand, 0 for nothing;
    `grip_n` the effort that it reports, NaN for none."""

    def __init__(self) -> None:
        self.time_s = 0.0
        self.thing_m = 0.0
        self.width_m = 0.06
        self.grip_n = float("nan")
        self.blocked = False
        self.silent = False
        self.epoch = 0
        self.held = False
        self.sent: list[tuple[float, JointTrajectory]] = []
        self.gripper_sent: list[float] = []
        self._target_m = self.width_m
        self._spline: HermiteSpline | None = None
        self._start_s = 0.0
        self.positions: NDArray[np.float64] = np.array(OBSERVE_POSTURE)
        self.velocities: NDArray[np.float64] = np.zeros(6)

    def now_s(self) -> float:
        return self.time_s

    def state(self) -> ArmState | None:
        if self.silent:
            return None
        speed = 0.0 if abs(self.width_m - self._target_m) < 1e-9 else FINGER_SPEED_M_S
        return ArmState(
            self.positions.copy(), self.velocities.copy(), self.width_m, speed, self.grip_n, self.time_s
        )

    def send_trajectory(self, trajectory: JointTrajectory) -> None:
        assert trajectory.joint_names == ARM_JOINTS
        if self.held:
            return
        self.sent.append((self.time_s, trajectory))
        self._spline = HermiteSpline(
            np.concatenate([[0.0], trajectory.times_s]), np.vstack([self.positions, trajectory.positions]),
            np.vstack([self.velocities, trajectory.velocities]),
        )
        self._start_s = self.time_s

    def send_gripper(self, width_m: float) -> None:
        if self.held:
            return
        self.gripper_sent.append(width_m)
        self._target_m = width_m

    def hold(self) -> None:
        """As the arm server does: what was sent ends, nothing more passes, the fingers go on."""
        self.held = True
        self._spline, self.velocities = None, np.zeros(6)

    def let_go_on(self) -> None:
        """After a hold."""
        self.held = False
        self.epoch += 1

    def step(self, duration_s: float = 0.02) -> None:
        self.time_s += duration_s
        if self._spline is not None and not self.blocked:
            self.positions, self.velocities, _ = self._spline.at(self.time_s - self._start_s)
        reach = FINGER_SPEED_M_S * duration_s
        move = np.clip(self._target_m - self.width_m, -reach, reach)
        width = self.width_m + float(move)
        self.width_m = max(width, self.thing_m) if move < 0 else width


def run(skills: ArmSkills, arm: FakeArm, limit_s: float = 40.0) -> SkillStatus:
    """Until the skill is done; fails the test when it takes too long."""
    while not (status := skills.poll()).done:
        assert arm.time_s < limit_s, f"still in phase {status.phase}"
        arm.step()
    return status
