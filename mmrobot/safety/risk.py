"""What makes a plan worth a person's look before it is carried out. It allows and refuses nothing."""

from __future__ import annotations

import math

import numpy as np

from mmrobot.config import Config
from mmrobot.types import ActionPlan, GroundedObject, PlanStep


def risks(plan: ActionPlan, config: Config) -> tuple[str, ...]:
    """Reasons in words, each once, in the order of the steps; empty for a plan without any.

    Judged by the section `risk` of the configuration: how sure the model is, how well things are located
    (standard deviation along the worst axis, from their covariance), how high and how near to the edge
    something is put, pushes, and the plan's length.
    """
    limits = config.risk
    found: list[str] = []
    if plan.confidence < limits.sure_from:
        found.append(f"the model is only {plan.confidence:.0%} sure of it")
    moves = sum(s.target is not None for s in plan.steps)
    if moves > limits.max_moves:
        found.append(f"it has {moves} moves, more than {limits.max_moves}")
    for step in plan.steps:
        found += _of_step(step, config)
    return tuple(dict.fromkeys(found))


def _of_step(step: PlanStep, config: Config) -> list[str]:
    limits, area = config.risk, config.work_area
    said: list[str] = []
    for thing in (step.target, step.reference):
        if thing is not None and _spread_m(thing) > limits.located_within_m:
            said.append(f"'{thing.label}' is located to within {1000 * _spread_m(thing):.0f} mm only")
    if step.skill == "push":
        said.append(f"'{step.target.label if step.target else 'it'}' is pushed, and may fall or roll")
    goal = step.goal_position_m
    if goal is not None:
        name = step.target.label if step.target else "it"
        if goal[2] - area.table_z_m > limits.max_height_m:
            said.append(f"'{name}' is put {100 * (goal[2] - area.table_z_m):.0f} cm above the table")
        if not area.contains(goal[0], goal[1], -limits.edge_m):
            said.append(f"'{name}' is put within {100 * limits.edge_m:.0f} cm of the work area's edge")
    return said


def _spread_m(thing: GroundedObject) -> float:
    """One standard deviation along the worst axis; infinite for a covariance that is none."""
    if not np.isfinite(thing.covariance).all():
        return math.inf
    return math.sqrt(max(float(np.linalg.eigvalsh(thing.covariance)[-1]), 0.0))
