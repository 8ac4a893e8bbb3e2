"""Where a thing goes in a vessel that others share: beside them, else in or on one of them, else nowhere.

A vessel is anything hollow: bowl, cup, tray, plate. Metres of base_link.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mmrobot.errors import UnsafeError
from mmrobot.planning.footprint import Footprint, footprint_of, gap_m
from mmrobot.planning.vessel import floor_z, inside_margin, is_hollow, is_round, rest_height
from mmrobot.types import GroundedObject, Vector3

Spot = tuple[float, float]

_GRID_M = 0.012
_STEPS_M = tuple(0.008 * k for k in range(1, 12))
_LONG_RATIO = 1.3
_TURNS = 4
# Boxes seen are a little larger than the things, and round things fill no corners.
_TOUCH_M = 0.004
_CORE = 0.85
_WISHED_GAP_M = 0.02
_SLOPE_M = 0.008
_PULL = 0.3
# A thing stays on one at least this wide, relative to its own width.
_STEADY_RATIO = 0.5
_RIM_M = 0.003
_ALIKE = 0.93
# From a ball that looks this far over the rim, things roll out of the vessel; from a lower one, into it.
_ROLLS_OFF_M = 0.012
# So far a ball gives way to what comes down beside it.
_ROLLS_ASIDE_M = 0.010
# Bowls and cups are deep, trays and plates are not; in those, so much too long is within the error of a look.
_DEEP_M, _ACROSS_M = 0.035, 0.01
# What is liked less than beside the others, in metres: at the wall, close to them, into, onto, over them.
_TIGHT, _CLOSE, _INTO, _ONTO, _OVER = 0.03, 0.05, 0.10, 0.12, 0.15


@dataclass(frozen=True)
class _Choice:
    cost_m: float
    goal_m: Vector3


def contents_of(vessel: GroundedObject, others: Sequence[GroundedObject]) -> list[GroundedObject]:
    """What lies in or on a thing, seen from above."""
    return [o for o in others if lies_over(vessel, o.position_m[0], o.position_m[1])]


def spot_inside(
    target: GroundedObject, vessel: GroundedObject, others: Sequence[GroundedObject], wish: Spot | None = None
) -> Vector3:
    """Where the middle of the target's underside comes to rest, as near to `wish` (the middle) as may be.

    Raises UnsafeError, rule "full", when what lies there leaves no room beside or on it; rule "fits" when
    it is too large for the vessel.
    """
    x, y, _ = vessel.position_m
    contents = contents_of(vessel, others)
    _check_fits(target, vessel)
    if not contents and (wish is None or _apart(wish, (x, y)) < _TOUCH_M):
        return (x, y, vessel.surface_z_m)
    choices = [*_beside(target, vessel, contents, wish), *_upon(target, contents, vessel.top_z_m)]
    if not choices:
        lies_there = ", ".join(f"'{c.label}'" for c in contents)
        raise UnsafeError(
            f"'{vessel.label}' is full: {lies_there} in it leave no room for '{target.label}'",
            "take something out first, or name another place",
            rule="full",
        )
    return min(choices, key=lambda choice: choice.cost_m).goal_m


def spot_with_company(target: GroundedObject, vessel: GroundedObject) -> Spot:
    """Where the first of several things goes: off the middle, as far as the floor is about level."""
    x, y, _ = vessel.position_m
    best, furthest_m = (x, y), 0.0
    # Away from the robot first, and so from the camera: what stands there hides nothing of the vessel.
    for turn in (0, 1, -1, 2, -2, 3, -3, 4):
        axis = vessel.yaw_rad * (not is_round(vessel)) + math.pi / 4 * turn
        for away_m in _STEPS_M:
            spot = (x + away_m * math.cos(axis), y + away_m * math.sin(axis))
            part = _core(target, target.yaw_rad).at(*spot)
            if (
                inside_margin(vessel, part, vessel.top_z_m) < _TOUCH_M
                or rest_height(vessel, part) > floor_z(vessel) + _SLOPE_M
            ):
                break
            if away_m > furthest_m + _TOUCH_M:
                best, furthest_m = spot, away_m
    return best


def _beside(
    target: GroundedObject, vessel: GroundedObject, contents: Sequence[GroundedObject], wish: Spot | None
) -> Iterator[_Choice]:
    floor = floor_z(vessel)
    boxes = [(footprint_of(c), c, _ROLLS_ASIDE_M if _may_be_ball(c) else 0.0) for c in contents]
    middle = vessel.position_m[:2] if wish is None else wish
    # Where the plan wants it, there is a reason; the middle is but tidy.
    pull = _PULL if wish is None else 1.0
    for own, core in _turned(target, vessel):
        for x, y in (middle, *_grid(vessel)):
            part = own.at(x, y)
            if inside_margin(vessel, core.at(x, y), vessel.top_z_m) < 0.0:
                continue
            z = rest_height(vessel, part)
            gaps = [(gap_m(part, box) + give, c) for box, c, give in boxes]
            gap = min((g for g, _ in gaps), default=_WISHED_GAP_M)
            cost = pull * _apart((x, y), middle) + max(0.0, _WISHED_GAP_M - gap) + (z - floor)
            if inside_margin(vessel, part, vessel.top_z_m) < 0.0:
                cost += _TIGHT
            if gap < 0.0:
                cost += _CLOSE
            if gap < -_TOUCH_M:
                # Over what it would meet, if the walls hold it there.
                z = max([z, *(c.top_z_m for g, c in gaps if g < -_TOUCH_M)])
                if z > vessel.top_z_m - _RIM_M:
                    continue
                cost += _OVER - _CLOSE
            yield _Choice(cost, (x, y, z))


def _upon(target: GroundedObject, contents: Sequence[GroundedObject], rim_m: float) -> Iterator[_Choice]:
    for thing in contents:
        x, y, _ = thing.position_m
        if any(o is not thing and lies_over(thing, *o.position_m[:2]) and o.top_z_m > thing.top_z_m
               for o in contents):  # fmt: skip
            continue
        into = is_hollow(thing) and inside_margin(thing, _core(target, target.yaw_rad).at(x, y),
                                                  thing.top_z_m) > 0.0  # fmt: skip
        if into:
            yield _Choice(_INTO, (x, y, thing.surface_z_m))
        elif thing.top_z_m > rim_m + _ROLLS_OFF_M and _may_be_ball(thing):
            continue
        elif min(thing.size_m[:2]) >= _STEADY_RATIO * min(target.size_m[:2]):
            yield _Choice(_ONTO, (x, y, thing.top_z_m))


def _may_be_ball(thing: GroundedObject) -> bool:
    """As high as wide, and without sides: nothing stays on it."""
    return thing.yaw_rad == 0.0 and min(thing.size_m) > _ALIKE * max(thing.size_m)


def _check_fits(target: GroundedObject, vessel: GroundedObject) -> None:
    """Raises UnsafeError, rule "fits", for what would lie across the rim of a deep vessel."""
    if vessel.size_m[2] < _DEEP_M:
        return
    x, y, _ = vessel.position_m
    margin = max(inside_margin(vessel, core.at(x, y), vessel.top_z_m) for _, core in _turned(target, vessel))
    if margin < -_ACROSS_M:
        raise UnsafeError(
            f"'{target.label}' does not fit into '{vessel.label}': it is "
            f"{100 * max(target.size_m[:2]):.0f} cm long, "
            f"the vessel {100 * min(vessel.size_m[:2]):.0f} cm wide",
            "name a larger vessel, or put it elsewhere",
            rule="fits",
        )


def _turned(target: GroundedObject, vessel: GroundedObject) -> Iterator[tuple[Footprint, Footprint]]:
    """The turns that the hand may give it, as it is seen and without its corners, if it has none: a long
    thing any, others as they stand, or along a tray."""
    yaws = [target.yaw_rad] if is_round(vessel) else [target.yaw_rad, vessel.yaw_rad]
    if max(target.size_m[:2]) > _LONG_RATIO * min(target.size_m[:2]):
        yaws += [target.yaw_rad + math.pi * k / _TURNS for k in range(1, _TURNS)]
    x, y = target.size_m[:2]
    for yaw in yaws:
        yield Footprint(0.0, 0.0, x / 2, y / 2, yaw), _core(target, yaw)


def _core(target: GroundedObject, yaw_rad: float) -> Footprint:
    share = 1.0 if max(target.size_m[:2]) > _LONG_RATIO * min(target.size_m[:2]) else _CORE
    x, y = target.size_m[:2]
    return Footprint(0.0, 0.0, share * x / 2, share * y / 2, yaw_rad)


def _grid(vessel: GroundedObject) -> Iterator[Spot]:
    """Spots over the vessel, its middle among them."""
    c, s = math.cos(vessel.yaw_rad), math.sin(vessel.yaw_rad)
    along, across = (int(size / 2 / _GRID_M) for size in vessel.size_m[:2])
    for i in range(-along, along + 1):
        for j in range(-across, across + 1):
            dx, dy = i * _GRID_M, j * _GRID_M
            yield (vessel.position_m[0] + c * dx - s * dy, vessel.position_m[1] + s * dx + c * dy)


def lies_over(thing: GroundedObject, x_m: float, y_m: float) -> bool:
    """Whether a point lies over a thing; round ones have no corners."""
    if is_round(thing):
        return _apart((x_m, y_m), thing.position_m[:2]) <= max(thing.size_m[:2]) / 2
    return footprint_of(thing).covers(x_m, y_m)


def _apart(a: Spot, b: Sequence[float]) -> float:
    return math.hypot(a[0] - b[0], a[1] - b[1])
