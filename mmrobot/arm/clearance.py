"""Room for the fingers and the palm beside the things on the table, seen from above. Metres of base_link."""

from __future__ import annotations

import math
from collections.abc import Iterable

from mmrobot.arm.hand import HAND, HandModel
from mmrobot.planning.footprint import Footprint, footprint_of, gap_m
from mmrobot.planning.vessel import encloses, inside_margin
from mmrobot.types import GroundedObject

# Fingers may sink this far below a neighbour's top without meeting it: noise of what was seen.
OVERLAP_M = 0.002
FREE_M = 1.0


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
