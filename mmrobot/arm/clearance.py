"""Room for the fingers and the palm beside the things on the table, seen from above. Metres of base_link."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from mmrobot.arm.hand import HAND, HandModel
from mmrobot.planning.footprint import Footprint, footprint_of, gap_m
from mmrobot.types import GroundedObject

# A thing whose middle lies this much below its rim is hollow.
HOLLOW_M = 0.006
WALL_M = 0.006
# Width of a bowl's inside at its floor and of a cup's, relative to the rim; trays have upright walls.
BOWL_FLOOR_RATIO = 0.58
CUP_FLOOR_RATIO = 0.80
CUP_HEIGHT_M = 0.062
# Fingers may sink this far below a neighbour's top without meeting it: noise of what was seen.
OVERLAP_M = 0.002
FREE_M = 1.0


def is_hollow(thing: GroundedObject) -> bool:
    return thing.surface_z_m < thing.top_z_m - HOLLOW_M


def encloses(thing: GroundedObject, x_m: float, y_m: float) -> bool:
    """Whether a point lies within a hollow thing, seen from above."""
    return is_hollow(thing) and footprint_of(thing).covers(x_m, y_m)


def fingers(
    x_m: float, y_m: float, finger_yaw_rad: float, opening_m: float, hand: HandModel = HAND
) -> list[Footprint]:
    """Both fingers at an opening, as rectangles whose x axes lie along the closing direction."""
    offset = (opening_m + hand.finger_thickness_m) / 2
    c, s = math.cos(finger_yaw_rad), math.sin(finger_yaw_rad)
    return [
        Footprint(x_m + side * offset * c, y_m + side * offset * s, hand.finger_thickness_m / 2,
                  hand.finger_width_m / 2, finger_yaw_rad)
        for side in (1, -1)
    ]


def hand_clearance(
    x_m: float, y_m: float, z_m: float, finger_yaw_rad: float, opening_m: float,
    obstacles: Iterable[GroundedObject], hand: HandModel = HAND,
) -> float:
    """The narrowest gap between the hand, tcp at (x, y, z), and any obstacle; negative where they meet.

    Hollow obstacles around the tcp count from within: the gap to their wall at the height of the finger ends.
    """
    pads = fingers(x_m, y_m, finger_yaw_rad, opening_m, hand)
    palm = Footprint(x_m, y_m, hand.palm_length_m / 2, hand.palm_width_m / 2, finger_yaw_rad)
    tips_z = z_m - hand.tip_m
    clearance = FREE_M
    for thing in obstacles:
        if thing.top_z_m > z_m + hand.palm_m - OVERLAP_M and not encloses(thing, x_m, y_m):
            clearance = min(clearance, gap_m(palm, footprint_of(thing)))
        if thing.top_z_m <= tips_z + OVERLAP_M:
            continue
        if encloses(thing, x_m, y_m):
            clearance = min(clearance, *(inside_margin(thing, pad, tips_z) for pad in pads))
        else:
            clearance = min(clearance, *(gap_m(pad, footprint_of(thing)) for pad in pads))
    return clearance


def inside_margin(container: GroundedObject, part: Footprint, z_m: float) -> float:
    """How far a rectangle at height z stays off a hollow thing's wall; negative outside or in the wall."""
    height = container.size_m[2]
    half_x, half_y = container.size_m[0] / 2, container.size_m[1] / 2
    corners = _corners(part, container)
    if _round(container):
        ratio = CUP_FLOOR_RATIO if height > CUP_HEIGHT_M else BOWL_FLOOR_RATIO
        rise = min(max((z_m - container.bottom_z_m) / height, 0.0), 1.0)
        radius = (half_x + half_y) / 2 * (ratio + (1 - ratio) * rise) - WALL_M
        return radius - max(math.hypot(x, y) for x, y in corners)
    return min(min(half_x - WALL_M - abs(x), half_y - WALL_M - abs(y)) for x, y in corners)


def _round(thing: GroundedObject) -> bool:
    """Round containers look square from above; trays do not."""
    return min(thing.size_m[:2]) > 0.88 * max(thing.size_m[:2])


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
