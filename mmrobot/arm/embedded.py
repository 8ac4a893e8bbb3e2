"""The arm in-process: skills on the embedded simulator without ROS, for evaluation, data and tests."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from mmrobot.arm.port import ArmState, arm_state
from mmrobot.arm.skills import ArmSkills
from mmrobot.config import Config
from mmrobot.errors import DeadlineError
from mmrobot.execution.robot import SkillStatus
from mmrobot.simulator.mjcf import compile_models
from mmrobot.simulator.sdf_parse import MODELS_FOLDER, parse_model
from mmrobot.simulator.simulator import Simulator
from mmrobot.types import JointTrajectory

TICK_S = 0.02


@cache
def arm_model() -> Any:
    """The MuJoCo model (MjModel) of the shipped arm alone, from its SDF; shared, not to be changed."""
    return compile_models([parse_model(MODELS_FOLDER / "arm" / "model.sdf")])


class EmbeddedArm:
    """An ArmPort on a Simulator that somebody else steps."""

    epoch = 0
    """Nobody holds this arm from outside."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator

    def now_s(self) -> float:
        return self._simulator.time_s

    def state(self) -> ArmState:
        joints = self._simulator.joint_state()
        return arm_state(
            joints.names, joints.positions.tolist(), joints.velocities.tolist(), joints.efforts.tolist(),
            joints.stamp_s,
        )

    def send_trajectory(self, trajectory: JointTrajectory) -> None:
        self._simulator.command_trajectory(trajectory)

    def send_gripper(self, width_m: float) -> None:
        self._simulator.command_gripper(width_m)


def embedded_skills(
    simulator: Simulator, config: Config | None = None, speed_scale: float = 1.0
) -> ArmSkills:
    """The shipped arm's skills on a simulator."""
    return ArmSkills(arm_model(), EmbeddedArm(simulator), config, speed_scale)


def run_until_done(
    simulator: Simulator, skills: ArmSkills, timeout_s: float = 30.0,
    each_tick: Callable[[], None] | None = None,
) -> SkillStatus:
    """Steps the simulator and polls the skill until it is done.

    Raises DeadlineError, with the arm held, when it takes longer than `timeout_s` of simulated time.
    """
    begin = simulator.time_s
    while True:
        status = skills.poll()
        if status.done:
            return status
        if simulator.time_s - begin > timeout_s:
            skills.stop()
            raise DeadlineError(
                f"the skill took more than {timeout_s} s, now in phase '{status.phase}'", "allow it more time"
            )
        simulator.step(TICK_S)
        if each_tick is not None:
            each_tick()
