"""The gripper's controller: an opening to move to, and a force that is never exceeded."""

from __future__ import annotations

import mujoco
import numpy as np

from mmrobot.errors import ExecutionFailedError
from mmrobot.simulator.mjcf import JointInfo

SPEED_M_S = 0.15
"""How fast the opening changes, both fingers together."""

LIMIT_SLACK_M = 1e-3
# The setpoint runs ahead of blocked fingers by a fifth more than the force limit needs.
AHEAD = 1.2
# Fingers that push inwards with more than this share of their force grip something.
GRIPPING = 0.5


class GripperController:
    """Opens and closes at a steady speed; once fingers meet something, the force limit holds it."""

    def __init__(self, model: mujoco.MjModel, data: mujoco.MjData, joints: tuple[JointInfo, ...]) -> None:
        self._model, self._data = model, data
        self.names = tuple(info.name for info in joints)
        self._qpos = np.array([model.joint(name).qposadr[0] for name in self.names])
        self._width_actuator = model.actuator("gripper_width").id
        self._force = float(model.actuator_forcerange[self._width_actuator, 1])
        self._p = -float(model.actuator_biasprm[self._width_actuator, 1])
        self._d = -float(model.actuator_biasprm[self._width_actuator, 2])
        self._timestep_s = float(model.opt.timestep)
        self._step_m = SPEED_M_S * model.opt.timestep
        self.max_width_m = float(sum(info.joint.upper for info in joints))
        self.target_m = self.width_m
        self._setpoint_m = self.target_m

    @property
    def width_m(self) -> float:
        """The opening between the fingers now."""
        return float(self._data.qpos[self._qpos].sum())

    def command(self, width_m: float) -> None:
        """Moves towards an opening; raises ExecutionFailedError when it is none."""
        if not -LIMIT_SLACK_M <= width_m <= self.max_width_m + LIMIT_SLACK_M:
            raise ExecutionFailedError(
                f"gripper width {width_m} m", f"give a width between 0 and {self.max_width_m:.3f} m"
            )
        self.target_m = min(max(width_m, 0.0), self.max_width_m)

    def hold(self) -> None:
        """Stays as it is; a grip on something keeps its force."""
        width = self.width_m
        if (width - self._setpoint_m) * self._p < GRIPPING * self._force:
            self.target_m = self._setpoint_m = width

    def place(self, width_m: float) -> None:
        """Sets the opening without motion: for set-up."""
        self._data.qpos[self._qpos] = width_m / 2
        self.target_m = self._setpoint_m = width_m

    def update(self) -> None:
        """Writes the command of one time step."""
        width = self.width_m
        ahead = self._force / self._p * AHEAD
        towards = min(max(self.target_m, self._setpoint_m - self._step_m), self._setpoint_m + self._step_m)
        setpoint = min(max(towards, width - ahead), width + ahead)
        speed = (setpoint - self._setpoint_m) / self._timestep_s
        self._setpoint_m = setpoint
        self._data.ctrl[self._width_actuator] = self._p * setpoint + self._d * speed
