"""The arm's controllers, as a real arm has them: torques within the limits of the SDF's joints.

The joint trajectory controller adds computed torque (inertia times wanted acceleration, plus gravity and
Coriolis) to a PD law; the gripper closes with a bounded force. Both drive MuJoCo actuators whose damping
the integrator treats implicitly, so that stiff gains are stable at 2 ms.
"""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np
from numpy.typing import NDArray

from mmrobot.errors import ExecutionFailedError, UnsupportedSdfError
from mmrobot.simulator.mjcf import JointInfo
from mmrobot.simulator.spline import HermiteSpline
from mmrobot.types import JointTrajectory

Vector = NDArray[np.float64]

# Where the SDF's controllers give no gains: natural frequency and damping of the PD law, per unit of
# the joint's torque limit.
DEFAULT_P_PER_EFFORT = 20.0
DEFAULT_D_PER_P = 0.035
# How far a commanded position may lie outside of a joint's limits: rounding of streamed windows.
LIMIT_SLACK = 1e-3
# A start further than this from where the joint is commanded to be now is a jump, not a motion.
MAX_START_JUMP = 0.35

GRIPPER_P = 4000.0
GRIPPER_D = 80.0
CENTRING_P = 20000.0
CENTRING_D = 300.0
# Inertia of the motor and screw, as the fingers feel it: without it 35 g fingers chatter on what they grip.
FINGER_ARMATURE_KG = 0.2


# Where the SDF names no initial position: tucked at the robot's right side, clear of the work area.
HOME_POSTURE = {
    "shoulder_pan_joint": -1.83,
    "shoulder_lift_joint": 0.66,
    "elbow_joint": 1.47,
    "wrist_2_joint": 1.01,
}
HOME_WIDTH_M = 0.06


@dataclass(frozen=True)
class ArmJoints:
    """Which joints the two controllers own: revolute ones follow trajectories, two prismatic ones grip."""

    arm: tuple[JointInfo, ...]
    fingers: tuple[JointInfo, ...]

    @staticmethod
    def of(joints: list[JointInfo]) -> ArmJoints:
        """Sorts the commanded joints of a world by kind. Raises UnsupportedSdfError for other robots."""
        commanded = [info for info in joints if info.command is not None]
        arm = tuple(info for info in commanded if info.joint.kind != "prismatic")
        fingers = tuple(info for info in commanded if info.joint.kind == "prismatic")
        if not arm or len(fingers) != 2:
            raise UnsupportedSdfError(
                f"the robot has {len(arm)} commanded turning joints and {len(fingers)} commanded fingers",
                "give the model a JointTrajectoryController for its joints and a JointPositionController "
                "for each of two prismatic fingers",
            )
        return ArmJoints(arm, fingers)


def add_actuators(spec: mujoco.MjSpec, joints: ArmJoints) -> None:
    """Torque-limited actuators for every owned joint; call before compiling."""
    for info in joints.arm:
        p, d = gains(info)
        _add_actuator(spec, info.name, mujoco.mjtTrn.mjTRN_JOINT, info.name, p, d, info.joint.effort)
    force = min(info.joint.effort for info in joints.fingers)
    for info in joints.fingers:
        spec.joint(info.name).armature = FINGER_ARMATURE_KG
    # The fingers share one screw: their sum is the opening, their difference is held at zero.
    for name, sign, p, d, limit in (
        ("gripper_width", 1.0, GRIPPER_P, GRIPPER_D, force),
        ("gripper_centre", -1.0, CENTRING_P, CENTRING_D, np.inf),
    ):
        tendon = spec.add_tendon(name=name)
        tendon.wrap_joint(joints.fingers[0].name, 1.0)
        tendon.wrap_joint(joints.fingers[1].name, sign)
        _add_actuator(spec, name, mujoco.mjtTrn.mjTRN_TENDON, name, p, d, limit)


def gains(info: JointInfo) -> tuple[float, float]:
    """Position (N m/rad) and velocity (N m s/rad) gain of a joint: the SDF's, or from its torque limit."""
    command = info.command
    effort = info.joint.effort if np.isfinite(info.joint.effort) else 50.0
    p = command.p_gain if command is not None and command.p_gain > 0 else DEFAULT_P_PER_EFFORT * effort
    d = command.d_gain if command is not None and command.d_gain > 0 else DEFAULT_D_PER_P * p
    return p, d


def home_posture(joints: tuple[JointInfo, ...]) -> Vector:
    """(J,) where the joints stand at the beginning: the SDF's initial positions, else HOME_POSTURE."""
    initial = [info.command.initial_position if info.command is not None else 0.0 for info in joints]
    return np.array(initial if any(initial) else [HOME_POSTURE.get(info.joint.name, 0.0) for info in joints])


def _add_actuator(
    spec: mujoco.MjSpec, name: str, kind: mujoco.mjtTrn, target: str, p: float, d: float, limit: float
) -> None:
    actuator = spec.add_actuator(name=name, trntype=kind, target=target)
    actuator.gaintype = mujoco.mjtGain.mjGAIN_FIXED
    actuator.biastype = mujoco.mjtBias.mjBIAS_AFFINE
    actuator.gainprm[0] = 1.0
    actuator.biasprm[:3] = (0.0, -p, -d)
    if np.isfinite(limit):
        actuator.forcelimited = mujoco.mjtLimited.mjLIMITED_TRUE
        actuator.forcerange = (-limit, limit)


class TrajectoryController:
    """Follows the newest trajectory from now on, then holds its last point."""

    def __init__(self, model: mujoco.MjModel, data: mujoco.MjData, joints: tuple[JointInfo, ...]) -> None:
        self._model, self._data = model, data
        self.names = tuple(info.name for info in joints)
        self._actuators = np.array([model.actuator(name).id for name in self.names])
        self._dofs = np.array([model.joint(name).dofadr[0] for name in self.names])
        self._qpos = np.array([model.joint(name).qposadr[0] for name in self.names])
        self._p = -model.actuator_biasprm[self._actuators, 1]
        self._d = -model.actuator_biasprm[self._actuators, 2]
        self._damping = np.array([np.ravel(model.dof_damping[dof])[0] for dof in self._dofs])
        self._lower = np.array([info.joint.lower for info in joints])
        self._upper = np.array([info.joint.upper for info in joints])
        self._acceleration = np.zeros(model.nv)
        self._torque = np.zeros(model.nv)
        self.spline: HermiteSpline | None = None
        self._start_s = 0.0
        self.commanded_position: Vector = data.qpos[self._qpos].copy()
        self.commanded_velocity: Vector = np.zeros(len(joints))

    def follow(self, trajectory: JointTrajectory) -> None:
        """Replaces the running trajectory, from now. Raises ExecutionFailedError, and keeps the old one."""
        if sorted(trajectory.joint_names) != sorted(self.names):
            raise ExecutionFailedError(
                f"trajectory for joints {list(trajectory.joint_names)}",
                f"name each of {list(self.names)} once",
            )
        if len(trajectory.times_s) == 0 or trajectory.times_s[0] < 0:
            raise ExecutionFailedError(
                f"trajectory with times {list(trajectory.times_s[:1])}",
                "give at least one point, at time 0 or later",
            )
        order = [trajectory.joint_names.index(name) for name in self.names]
        times = np.asarray(trajectory.times_s, dtype=np.float64)
        positions = np.asarray(trajectory.positions, dtype=np.float64)[:, order]
        velocities = np.asarray(trajectory.velocities, dtype=np.float64)[:, order]
        self._check(times, positions)
        if times[0] > 0:
            # As ROS's controller: from where the arm is commanded to be now to the first point.
            times = np.concatenate([[0.0], times])
            positions = np.vstack([self.commanded_position, positions])
            velocities = np.vstack([self.commanded_velocity, velocities])
        self.spline = HermiteSpline(times, positions, velocities)
        self._start_s = self._data.time

    def _check(self, times: Vector, positions: Vector) -> None:
        outside = (positions < self._lower - LIMIT_SLACK) | (positions > self._upper + LIMIT_SLACK)
        if outside.any():
            row, joint = (int(i) for i in np.argwhere(outside)[0])
            raise ExecutionFailedError(
                f"trajectory takes {self.names[joint]} to {positions[row, joint]:.3f}",
                f"stay within {self._lower[joint]:.3f} and {self._upper[joint]:.3f}",
            )
        jump = np.abs(positions[0] - self.commanded_position)
        if times[0] < self._model.opt.timestep and jump.max() > MAX_START_JUMP:
            joint = int(jump.argmax())
            raise ExecutionFailedError(
                f"trajectory starts with {self.names[joint]} at {positions[0, joint]:.3f}, "
                f"commanded now is {self.commanded_position[joint]:.3f}",
                "begin where the arm is, or give the first point a later time",
            )

    def hold(self) -> None:
        """Stays where the arm is now; the commanded velocity is zero at once."""
        self.spline = None
        self.commanded_position = self._data.qpos[self._qpos].copy()
        self.commanded_velocity = np.zeros(len(self.names))

    def place(self, positions: Vector) -> None:
        """Puts the joints there without motion: for set-up and pictures, never while running."""
        self._data.qpos[self._qpos] = positions
        self._data.qvel[self._dofs] = 0.0
        self.hold()

    @property
    def moving(self) -> bool:
        return self.spline is not None

    def update(self) -> None:
        """Writes the commands of one time step."""
        acceleration = None
        if self.spline is not None:
            elapsed = self._data.time - self._start_s
            self.commanded_position, self.commanded_velocity, acceleration = self.spline.at(elapsed)
            if elapsed >= self.spline.duration_s:
                self.spline = None
        torque = self._data.qfrc_bias[self._dofs] + self._damping * self.commanded_velocity
        if acceleration is not None:
            self._acceleration[self._dofs] = acceleration
            mujoco.mj_mulM(self._model, self._data, self._torque, self._acceleration)
            torque += self._torque[self._dofs]
        self._data.ctrl[self._actuators] = (
            torque + self._p * self.commanded_position + self._d * self.commanded_velocity
        )
