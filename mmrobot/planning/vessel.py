"""Hollow things as seen from above: their inside, its floor and its walls. Metres of base_link."""

from __future__ import annotations

import math
from collections.abc import Sequence

from mmrobot.planning.footprint import Footprint, footprint_of
from mmrobot.types import GroundedObject

# A thing whose middle lies this much below its rim is hollow.
HOLLOW_M = 0.006
WALL_M = 0.006
BROAD_M = 0.10
# Width of a bowl's inside at its floor and of a cup's, relative to the rim; trays have upright walls.
BOWL_FLOOR_RATIO = 0.58
CUP_FLOOR_RATIO = 0.80
CUP_HEIGHT_M = 0.062
# A floor where contents hide it: the thickest among trays, bowls and cups.
FLOOR_M = 0.008


def is_hollow(thing: GroundedObject) -> bool:
    return thing.surface_z_m < thing.top_z_m - HOLLOW_M


def carries_several(thing: GroundedObject) -> bool:
    """Whether things go in it or side by side onto it. A tray whose floor is hidden by what lies there does
    not look hollow, but is broad."""
    return is_hollow(thing) or min(thing.size_m[:2]) >= BROAD_M


def encloses(thing: GroundedObject, x_m: float, y_m: float) -> bool:
    """Whether a point lies within a hollow thing, seen from above."""
    return is_hollow(thing) and footprint_of(thing).covers(x_m, y_m)


def floor_z(thing: GroundedObject) -> float:
    """Height of the floor, also where contents hide it."""
    return min(thing.surface_z_m, thing.bottom_z_m + FLOOR_M)


def inside_margin(container: GroundedObject, part: Footprint, z_m: float) -> float:
    """How far a rectangle at height z stays off a hollow thing's wall; negative outside or in the wall."""
    half_x, half_y = container.size_m[0] / 2, container.size_m[1] / 2
    corners = _corners(part, container)
    if is_round(container):
        rise = min(max((z_m - container.bottom_z_m) / container.size_m[2], 0.0), 1.0)
        ratio = _floor_ratio(container)
        radius = (half_x + half_y) / 2 * (ratio + (1 - ratio) * rise) - WALL_M
        return radius - max(math.hypot(x, y) for x, y in corners)
    return min(min(half_x - WALL_M - abs(x), half_y - WALL_M - abs(y)) for x, y in corners)


def rest_height(container: GroundedObject, part: Footprint) -> float:
    """The lowest z at which a rectangle is clear of the wall: of the floor, or where the slope holds it."""
    floor = floor_z(container)
    if not is_round(container):
        return floor
    ratio, radius = _floor_ratio(container), sum(container.size_m[:2]) / 4
    reach = max(math.hypot(x, y) for x, y in _corners(part, container)) + WALL_M
    rise = (reach / radius - ratio) / (1 - ratio)
    return min(max(floor, container.bottom_z_m + rise * container.size_m[2]), container.top_z_m)


def is_round(thing: GroundedObject) -> bool:
    """Round containers look square from above; trays do not."""
    return min(thing.size_m[:2]) > 0.88 * max(thing.size_m[:2])


def _floor_ratio(container: GroundedObject) -> float:
    return CUP_FLOOR_RATIO if container.size_m[2] > CUP_HEIGHT_M else BOWL_FLOOR_RATIO


def _corners(part: Footprint, container: GroundedObject) -> Sequence[tuple[float, float]]:
    """A rectangle's corners in a container's own frame."""
    c, s = math.cos(part.yaw_rad), math.sin(part.yaw_rad)
    cc, cs = math.cos(container.yaw_rad), math.sin(container.yaw_rad)
    corners = []
    for i in (1, -1):
        for j in (1, -1):
            x = part.x_m + i * part.half_x_m * c - j * part.half_y_m * s - container.position_m[0]
            y = part.y_m + i * part.half_x_m * s + j * part.half_y_m * c - container.position_m[1]
            corners.append((cc * x + cs * y, -cs * x + cc * y))
    return corners
