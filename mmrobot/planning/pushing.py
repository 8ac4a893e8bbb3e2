"""Where a push takes a thing: straight over the table, along a free lane, inside the work area.

Metres of base_link.

A push has a direction (no reference: by `planning.push_m` that way) or a reference (near: until it touches).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from mmrobot.config import Config
from mmrobot.errors import UnsafeError
from mmrobot.planning.footprint import Footprint, footprint_of, gap_m
from mmrobot.planning.places import DIRECTIONS_RAD
from mmrobot.types import GroundedObject, PlanStep, Vector3

NEAR = "near"
RELATIONS_OF_PUSH = (*DIRECTIONS_RAD, NEAR)
# A thing stands on the table if its underside is no higher.
_STANDS_M = 0.02
_STEP_M = 0.01
# Between two things that touch, as boxes seen.
_TOUCH_M = 0.004
# Shorter, and nobody would see that it was pushed.
SHORTEST_M = 0.06


def is_push(step: PlanStep) -> bool:
    """Whether a step, or the look after it, is of a push."""
    return step.relation == NEAR or (step.reference is None and step.relation in DIRECTIONS_RAD)


def direction_of(relation: str, target: GroundedObject, reference: GroundedObject | None) -> float:
    """Direction of a push in the table's plane, radians from x. A reference is pushed towards."""
    if relation != NEAR or reference is None:
        return DIRECTIONS_RAD[relation]
    dx, dy = (reference.position_m[k] - target.position_m[k] for k in (0, 1))
    return math.atan2(dy, dx)


def push_goal(
    relation: str,
    target: GroundedObject,
    reference: GroundedObject | None,
    others: Sequence[GroundedObject],
    config: Config,
) -> Vector3:
    """Where the middle of the target's underside is to end up; shorter than asked where the lane ends.

    `others` are all other things, without target and reference. Raises UnsafeError: the thing does not
    stand on the table (rule "on_table"), or there is no way for it (rules "lane" and "work_area").
    """
    if not stands_on_table(target, config):
        raise UnsafeError(
            f"'{target.label}' does not stand on the table, so it cannot be pushed",
            "have it put on the table first",
            rule="on_table",
        )
    turn = direction_of(relation, target, reference)
    wanted_m = config.planning.push_m
    if reference is not None:
        wanted_m = _until_touch(target, reference, turn)
        if wanted_m < _STEP_M:
            raise UnsafeError(
                f"'{target.label}' is near '{reference.label}' already", "push it elsewhere", rule="lane"
            )
    shortest_m = min(SHORTEST_M, wanted_m)
    steps = [wanted_m - k * _STEP_M for k in range(int((wanted_m - shortest_m) / _STEP_M) + 1)]
    blocked = None
    for along_m in steps if reference is None else steps[:1]:
        blocked = _blocked(target, turn, along_m, others, config)
        if blocked is None:
            x, y = (target.position_m[k] + along_m * f(turn) for k, f in enumerate((math.cos, math.sin)))
            return (x, y, config.work_area.table_z_m)
    rule, why = blocked or ("lane", "nothing is free")
    raise UnsafeError(
        f"'{target.label}' cannot be pushed {_words(relation, reference)}: {why}",
        "clear the way, or push it another way",
        rule=rule,
    )


def stands_on_table(thing: GroundedObject, config: Config) -> bool:
    """Whether a thing stands on the table itself."""
    return abs(thing.bottom_z_m - config.work_area.table_z_m) <= _STANDS_M


def lane(target: GroundedObject, goal_m: Vector3) -> Footprint:
    """All that a thing passes over on its way, as a rectangle along the way."""
    dx, dy = goal_m[0] - target.position_m[0], goal_m[1] - target.position_m[1]
    turn, away_m, own = math.atan2(dy, dx), math.hypot(dx, dy), footprint_of(target)
    half_x, half_y = own.half_extent(turn), own.half_extent(turn + math.pi / 2)
    return Footprint(own.x_m + dx / 2, own.y_m + dy / 2, half_x + away_m / 2, half_y, turn)


def _blocked(
    target: GroundedObject, turn: float, along_m: float, others: Sequence[GroundedObject], config: Config
) -> tuple[str, str] | None:
    """The rule that a way breaks, and why; None when it is free."""
    x = target.position_m[0] + along_m * math.cos(turn)
    y = target.position_m[1] + along_m * math.sin(turn)
    if not config.work_area.contains(x, y, -config.planning.edge_margin_m):
        return "work_area", f"x={x:.2f}, y={y:.2f} m is outside of the work area"
    way = lane(target, (x, y, 0.0))
    for other in others:
        if gap_m(way, footprint_of(other)) < _TOUCH_M and gap_m(
            footprint_of(target), footprint_of(other)
        ) > gap_m(way, footprint_of(other)):
            return "lane", f"'{other.label}' is in the way"
    return None


def _until_touch(target: GroundedObject, reference: GroundedObject, turn: float) -> float:
    """How far a thing goes until it touches."""
    own, other = footprint_of(target), footprint_of(reference)
    away_m = math.hypot(other.x_m - own.x_m, other.y_m - own.y_m)
    free_m = 0.0
    while free_m < away_m:
        x, y = own.x_m + free_m * math.cos(turn), own.y_m + free_m * math.sin(turn)
        if gap_m(own.at(x, y), other) < _TOUCH_M:
            break
        free_m += _TOUCH_M
    return max(0.0, free_m - _TOUCH_M)


def _words(relation: str, reference: GroundedObject | None) -> str:
    if reference is not None:
        return f"to '{reference.label}'"
    return {"left_of": "to the left", "right_of": "to the right", "behind": "away", "in_front_of": "nearer"}[
        relation
    ]
