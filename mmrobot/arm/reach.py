"""Whether the shipped arm can do a step: what the safety gate asks before anything moves."""

from __future__ import annotations

import math

import mujoco

from mmrobot.arm.grasp import grasp_height
from mmrobot.arm.hand import OBSERVE_POSTURE, top_down
from mmrobot.arm.kinematics import ArmKinematics
from mmrobot.arm.pushing import plan_push, with_postures
from mmrobot.errors import UnreachableError
from mmrobot.types import GroundedObject, PlanStep, Vector3

_TURNS = 4
_ABOVE_M = 0.10


class ArmReach:
    """A safety.rules.Reachability: None when the hand can be where the step needs it, else why not.

    Judges the place by postures of a hand straight down at some turn; whether the fingers have room
    there is the skill's own question. `model` is a MuJoCo model that holds the arm.
    """

    def __init__(self, model: mujoco.MjModel) -> None:
        self._kinematics = ArmKinematics(model)

    def __call__(self, step: PlanStep) -> str | None:
        if step.target is None or step.skill not in ("pick", "place", "push"):
            return None
        if step.skill == "push":
            return self._why_no_push(step)
        if step.skill == "pick":
            x, y, _ = step.target.position_m
            return self._why_not((x, y, step.target.bottom_z_m), step.target)
        return None if step.goal_position_m is None else self._why_not(step.goal_position_m, step.target)

    def _why_no_push(self, step: PlanStep) -> str | None:
        """The hand must be behind the thing, and where the push ends."""
        if step.target is None or step.goal_position_m is None:
            return None
        try:
            around = [*step.obstacles, *([step.reference] if step.reference is not None else [])]
            ways = plan_push(step.target, step.goal_position_m, around, step.goal_position_m[2])
            with_postures(ways, self._kinematics, _ABOVE_M)
        except UnreachableError as error:
            return error.message
        return None

    def _why_not(self, underside_m: Vector3, thing: GroundedObject) -> str | None:
        x, y, z = underside_m
        failure = ""
        for k in range(_TURNS):
            pose = top_down(x, y, z + grasp_height(thing), math.pi * k / _TURNS)
            try:
                self._kinematics.solve(pose, OBSERVE_POSTURE, restarts=3)
            except UnreachableError as error:
                failure = error.message
            else:
                return None
        return failure
