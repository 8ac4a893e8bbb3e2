"""Where a thing comes to rest: relation + reference + what stands around -> a goal in metres of base_link."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from mmrobot.config import Config
from mmrobot.errors import NotUnderstoodError, UnsafeError
from mmrobot.planning.footprint import Footprint, footprint_of, gap_m
from mmrobot.types import RELATIONS, GroundedObject, Vector3

# Direction of each relation on the table: x away from the robot, y to its left.
DIRECTIONS_RAD = {"left_of": math.pi / 2, "right_of": -math.pi / 2, "behind": 0.0, "in_front_of": math.pi}

# A hollow thing's floor where its contents hide it: the thickest floor among trays, bowls and cups.
_FLOOR_M = 0.008
# Off its middle a bowl's floor rises; and footprints seen are a little larger than the things.
_SLOPE_M = 0.008
_TOUCH_M = 0.004


def goal_position(
    relation: str,
    target: GroundedObject,
    reference: GroundedObject,
    others: Sequence[GroundedObject],
    config: Config,
) -> Vector3:
    """Where the middle of the target's underside comes to rest.

    `others` are all other things on the table, without target and reference. Raises UnsafeError when
    there is no free spot inside the work area.
    """
    if relation == "in":
        return _inside(target, reference, others)
    if relation == "on":
        return (reference.position_m[0], reference.position_m[1], reference.surface_z_m)
    if relation in DIRECTIONS_RAD:
        return _beside(relation, target, reference, others, config)
    raise NotUnderstoodError(f"no such relation '{relation}'", f"known relations: {', '.join(RELATIONS)}")


def _inside(target: GroundedObject, reference: GroundedObject, others: Sequence[GroundedObject]) -> Vector3:
    """The middle of the container, or beside what already lies in it where there is room."""
    x, y, _ = reference.position_m
    whole = footprint_of(reference)
    inside = [o for o in others if whole.covers(o.position_m[0], o.position_m[1])]
    if not inside:
        return (x, y, reference.surface_z_m)
    contents = [footprint_of(o) for o in inside]
    floor_z_m = reference.bottom_z_m + _FLOOR_M
    room = _room_in(reference, target)
    own = footprint_of(target)
    spots = [
        (x + room * radius * math.cos(turn), y + room * radius * math.sin(turn))
        for radius in (1.0, 0.75)
        for turn in (k * math.pi / 8 for k in range(16))
    ]
    best = max(spots, key=lambda spot: min(gap_m(own.at(*spot), c) for c in contents))
    if min(gap_m(own.at(*best), c) for c in contents) > -_TOUCH_M:
        return (*best, floor_z_m + _SLOPE_M)
    # No room beside them: on top, where the pile is lowest.
    return (*best, max([floor_z_m, *(o.top_z_m for o in inside)]))


def _room_in(reference: GroundedObject, target: GroundedObject) -> float:
    """How far from a container's middle a thing may stand: walls slope, so two thirds of the rim count."""
    inner = min(reference.size_m[0], reference.size_m[1]) / 2 * 0.75
    return max(0.0, inner - max(target.size_m[0], target.size_m[1]) / 2)


def _beside(
    relation: str,
    target: GroundedObject,
    reference: GroundedObject,
    others: Sequence[GroundedObject],
    config: Config,
) -> Vector3:
    planning, area = config.planning, config.work_area
    own, around = footprint_of(target), [footprint_of(o) for o in others]
    best: tuple[float, Footprint] | None = None
    nearest_free: tuple[float, float] | None = None
    for cost, spot in _spots(DIRECTIONS_RAD[relation], own, footprint_of(reference), config):
        gap = min((gap_m(spot, o) for o in around), default=math.inf)
        if gap < planning.clearance_m:
            continue
        nearest_free = nearest_free or (spot.x_m, spot.y_m)
        if not area.contains(spot.x_m, spot.y_m, -planning.edge_margin_m):
            continue
        # Room for the fingers is wished for, not asked for.
        cost += 2.0 * max(0.0, planning.hand_clearance_m - gap)
        if best is None or cost < best[0]:
            best = (cost, spot)
    if best is not None:
        return (best[1].x_m, best[1].y_m, area.table_z_m)
    words = f"{relation.replace('_', ' ')} {reference.label}"
    if nearest_free is None:
        raise UnsafeError(
            f"no free place {words}: other things stand within {planning.clearance_m} m of every spot",
            "clear some room there, or name another place",
            rule="free_place",
        )
    raise UnsafeError(
        f"no place {words} inside the work area: the nearest would be x={nearest_free[0]:.2f}, "
        f"y={nearest_free[1]:.2f} m, allowed is x {area.x_min_m}..{area.x_max_m}, "
        f"y {area.y_min_m}..{area.y_max_m}",
        "name a place nearer to the middle of the table",
        rule="work_area",
    )


def _spots(
    direction_rad: float, own: Footprint, reference: Footprint, config: Config
) -> Iterator[tuple[float, Footprint]]:
    """Spots beside the reference with their costs in metres, those straight on the axis and near first."""
    planning = config.planning
    gaps = (
        planning.beside_gap_m,
        (planning.beside_gap_m + planning.beside_gap_max_m) / 2,
        planning.beside_gap_max_m,
        planning.beside_gap_min_m,
    )
    angles = [k * planning.beside_angle_max_rad / 4 * sign for k in range(5) for sign in (1, -1)][1:]
    for gap in gaps:
        for angle in angles:
            # The gap is kept along the relation's axis; the angle shifts the spot sideways.
            along = own.half_extent(direction_rad) + reference.half_extent(direction_rad) + gap
            sideways = along * math.tan(angle)
            cost = abs(gap - planning.beside_gap_m) + 0.3 * abs(sideways)
            x = reference.x_m + along * math.cos(direction_rad) - sideways * math.sin(direction_rad)
            y = reference.y_m + along * math.sin(direction_rad) + sideways * math.cos(direction_rad)
            yield cost, own.at(x, y)
