"""Where and how the hand takes a thing from above: the way it closes, how wide, how deep."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from mmrobot.arm.clearance import hand_clearance
from mmrobot.arm.hand import HAND, HandModel
from mmrobot.errors import UnreachableError
from mmrobot.types import GroundedObject

# Closing direction relative to the narrower side; the slanted ones only help where neighbours are in the way.
TURNS_DEG = (0, 90, 30, -30, 60, -60, 15, -15, 45, -45)
# What a finger has to spare on each side when it goes down, most wanted first.
SPARES_M = (0.014, 0.010, 0.007, 0.005)
MIN_SPARE_M = 0.004
WANTED_CLEARANCE_M = 0.008
MAX_PENETRATION_M = 0.003
# The finger ends stay this far above what the thing stands on.
TIP_LIFT_M = 0.004


@dataclass(frozen=True)
class Grasp:
    """A top-down grasp in base_link: metres, radians.

    `tcp_m` between the finger pads; `finger_yaw_rad` the direction of closing; `opening_m` before and
    `width_m` (expected) after closing; `height_m` of the tcp above the thing's underside;
    `clearance_m` between the open hand and its neighbours, negative when they may be brushed.
    """

    tcp_m: tuple[float, float, float]
    finger_yaw_rad: float
    opening_m: float
    width_m: float
    height_m: float
    clearance_m: float


def width_across(thing: GroundedObject, direction_rad: float) -> float:
    """How wide a thing is for fingers that close along a direction: its side for a hand along a side."""
    turn = direction_rad - thing.yaw_rad
    x, y = thing.size_m[0], thing.size_m[1]
    return x * abs(math.cos(turn)) + y * abs(math.sin(turn))


def grasp_height(thing: GroundedObject, hand: HandModel = HAND) -> float:
    """Of the tcp above the thing's underside: its middle, unless fingers or palm would touch first."""
    height = thing.size_m[2]
    return max(height / 2, hand.tip_m + TIP_LIFT_M, height - hand.palm_m + 0.008)


def plan_grasps(
    target: GroundedObject, obstacles: Sequence[GroundedObject], hand: HandModel = HAND
) -> tuple[Grasp, ...]:
    """Grasps of a thing, best first; never empty.

    Raises UnreachableError when the thing is too wide for the hand, or neighbours leave the fingers no room.
    """
    narrow = min(target.size_m[:2])
    limit = hand.max_opening_m - 2 * MIN_SPARE_M
    if narrow > limit:
        raise UnreachableError(
            f"'{target.label}' is {1000 * narrow:.0f} mm wide at its narrowest, the hand takes "
            f"at most {1000 * limit:.0f} mm", "name something smaller",
        )
    across = target.yaw_rad + (math.pi / 2 if target.size_m[1] <= target.size_m[0] else 0.0)
    scored = []
    for rank, turn in enumerate(TURNS_DEG):
        yaw = _half_turn(across + math.radians(turn))
        grasp = _grasp(target, yaw, obstacles, hand)
        if grasp is None or grasp.clearance_m < -MAX_PENETRATION_M:
            continue
        cost = (
            2.0 * max(0.0, WANTED_CLEARANCE_M - grasp.clearance_m)
            + 0.3 * (grasp.width_m - narrow) + 0.0005 * rank
        )
        scored.append((cost, grasp))
    if not scored:
        raise UnreachableError(
            f"neighbours leave the fingers no room to take '{target.label}'",
            "move the things next to it away",
        )
    return tuple(grasp for _, grasp in sorted(scored, key=lambda pair: pair[0]))


def _grasp(
    target: GroundedObject, yaw: float, obstacles: Sequence[GroundedObject], hand: HandModel
) -> Grasp | None:
    width = width_across(target, yaw)
    if width > hand.max_opening_m - 2 * MIN_SPARE_M:
        return None
    x, y, _ = target.position_m
    height = grasp_height(target, hand)
    z = target.bottom_z_m + height
    best: Grasp | None = None
    for spare in SPARES_M:
        opening = min(width + 2 * spare, hand.max_opening_m)
        clearance = hand_clearance(x, y, z, yaw, opening, obstacles, hand)
        grasp = Grasp((x, y, z), yaw, opening, width, height, clearance)
        if clearance >= WANTED_CLEARANCE_M:
            return grasp
        if best is None or clearance > best.clearance_m + 0.001:
            best = grasp
    return best


def _half_turn(angle_rad: float) -> float:
    """The hand is symmetric: the same closing direction within [-pi/2, pi/2)."""
    return (angle_rad + math.pi / 2) % math.pi - math.pi / 2
