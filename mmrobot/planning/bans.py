"""What may not be touched: wider than it is wherever a way is planned, and marked in every step.

The mark is a condition of the step, `untouched(the cup)`, so that it travels with the plan to any robot; the
thing itself is among the step's obstacles under that label, with the room around it that is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from mmrobot.errors import UnsafeError
from mmrobot.planning.footprint import Footprint, footprint_of, gap_m
from mmrobot.types import GroundedObject, PlanStep

_MARK = "untouched("


def widened(thing: GroundedObject, room_m: float) -> GroundedObject:
    """A thing with room on all sides and above."""
    x, y, z = thing.size_m
    px, py, pz = thing.position_m
    size, middle = (x + 2 * room_m, y + 2 * room_m, z + room_m), (px, py, pz + room_m / 2)
    # Its inside, where it is hollow, is no place either.
    return replace(thing, size_m=size, position_m=middle, surface_z_m=pz + z / 2 + room_m)


def banned_marks(things: Sequence[GroundedObject]) -> tuple[str, ...]:
    """The conditions that say so."""
    return tuple(f"{_MARK}{thing.label})" for thing in things)


def banned(step: PlanStep) -> tuple[GroundedObject, ...]:
    """A step's forbidden things, with their room."""
    labels = {c[len(_MARK) : -1] for c in step.postconditions if c.startswith(_MARK)}
    return tuple(o for o in step.obstacles if o.label in labels)


def violation(step: PlanStep) -> str | None:
    """Why a step would touch what is forbidden; None when it keeps clear."""
    labels = {c[len(_MARK) : -1] for c in step.postconditions if c.startswith(_MARK)}
    for thing in (step.target, step.reference):
        if thing is not None and thing.label in labels:
            return f"'{thing.label}' itself is not to be touched"
    parts: list[tuple[str, Footprint]] = []
    if step.skill != "place" and step.target is not None:
        parts.append((f"'{step.target.label}'", footprint_of(step.target)))
    if step.goal_position_m is not None and step.target is not None:
        x, y, _ = step.goal_position_m
        parts.append(("the goal", footprint_of(step.target).at(x, y)))
    for o in banned(step):
        for name, part in parts:
            if gap_m(part, footprint_of(o)) < 0.0:
                return f"{name} is too near to '{o.label}', which is not to be touched"
    return None


def check_ban(step: PlanStep) -> None:
    """Raises UnsafeError, rule "untouched"."""
    why = violation(step)
    if why is not None:
        raise UnsafeError(why, "say it without that condition, or make room", rule="untouched")
