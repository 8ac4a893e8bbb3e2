"""Where a thing comes to rest: relation + reference + what stands around -> a goal in metres of base_link."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from mmrobot.config import Config
from mmrobot.errors import NotUnderstoodError, UnsafeError
from mmrobot.planning.filling import Spot, contents_of, spot_inside
from mmrobot.planning.footprint import Footprint, footprint_of, gap_m
from mmrobot.planning.vessel import carries_several
from mmrobot.types import RELATIONS, GroundedObject, Vector3

# Direction of each relation on the table: x away from the robot, y to its left.
DIRECTIONS_RAD = {"left_of": math.pi / 2, "right_of": -math.pi / 2, "behind": 0.0, "in_front_of": math.pi}


def goal_position(
    relation: str,
    target: GroundedObject,
    reference: GroundedObject,
    others: Sequence[GroundedObject],
    config: Config,
    wish: Spot | None = None,
) -> Vector3:
    """Where the middle of the target's underside comes to rest.

    `others` are all other things on the table, without target and reference; `wish` is where in a vessel
    it is to go, if it may. Raises UnsafeError when there is no free spot, or none inside the work area.
    """
    if relation == "in" or (relation == "on" and carries_several(reference)):
        return spot_inside(target, reference, others, wish)
    if relation == "on":
        return _upon(target, reference, others, wish)
    if relation in DIRECTIONS_RAD:
        return _beside(relation, target, reference, others, config)
    raise NotUnderstoodError(f"no such relation '{relation}'", f"known relations: {', '.join(RELATIONS)}")


def _upon(
    target: GroundedObject, reference: GroundedObject, others: Sequence[GroundedObject], wish: Spot | None
) -> Vector3:
    """The middle of a thing's top, or the plan's own spot on it, if nothing else lies there."""
    x, y = reference.position_m[:2] if wish is None else wish
    for other in contents_of(reference, others):
        if other.position_m[2] > reference.surface_z_m:
            raise UnsafeError(
                f"'{other.label}' lies on '{reference.label}' already: no place for '{target.label}'",
                "take it off first, or name another place",
                rule="full",
            )
    return (x, y, reference.surface_z_m)


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
