"""Where the hand lets go: height, turn and opening, so that nothing is pushed aside."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from mmrobot.arm.clearance import hand_clearance
from mmrobot.arm.hand import HAND, HandModel
from mmrobot.errors import UnreachableError
from mmrobot.planning.footprint import Footprint, footprint_of, gap_m
from mmrobot.planning.vessel import encloses, inside_margin, is_hollow
from mmrobot.types import GroundedObject, Vector3

# Closing direction that keeps the fingers off the reference: across the relation's direction.
PREFERRED_YAW_RAD = {"left_of": 0.0, "right_of": 0.0, "behind": math.pi / 2, "in_front_of": math.pi / 2}
TURNS = 12
LONG_RATIO = 1.3
RELEASE_SPARES_M = (0.012, 0.008, 0.005)
WANTED_CLEARANCE_M = 0.006
WANTED_GAP_M = 0.010
RIM_LIFT_M = 0.004
TURN_COST_M = 0.004
# Higher than this a thing is not let go: into a container, elsewhere.
MAX_DROP_INTO_M = 0.09
MAX_DROP_M = 0.025


@dataclass(frozen=True)
class Held:
    """What the hand holds: `height_m` of the tcp above its underside, `width_m` between the fingers,
    `size_m` of its upright box, `turn_rad` of that box's x axis from the closing direction, and
    `finger_yaw_rad`, the closing direction when it was taken: with it again the thing stands as it stood."""

    label: str
    height_m: float
    width_m: float
    size_m: Vector3
    turn_rad: float
    finger_yaw_rad: float = 0.0

    @property
    def long(self) -> bool:
        """Whether its turn matters: planned places are for the turn it had."""
        return max(self.size_m[:2]) > LONG_RATIO * min(self.size_m[:2])


@dataclass(frozen=True)
class Placement:
    """Where the hand lets go, in base_link: tcp, closing direction, and the opening that releases."""

    tcp_m: tuple[float, float, float]
    finger_yaw_rad: float
    opening_m: float
    drop_m: float
    clearance_m: float


def plan_placements(
    held: Held, goal_m: Vector3, relation: str | None, reference: GroundedObject | None,
    obstacles: Sequence[GroundedObject], drop_m: float = 0.004, hand: HandModel = HAND,
) -> tuple[Placement, ...]:
    """Ways to let go with the middle of the underside `drop_m` above `goal_m`, best first; never empty.

    Raises UnreachableError when the fingers have no room to open anywhere above the goal.
    """
    things = [*obstacles, *([reference] if reference is not None else [])]
    scored: list[tuple[float, Placement]] = []
    first = held.finger_yaw_rad
    if not held.long:
        first = PREFERRED_YAW_RAD.get(relation or "", first)
    for k in range(TURNS):
        yaw = first + math.pi * k / TURNS
        placement = _lowest(held, goal_m, yaw, things, drop_m, hand)
        if placement is None:
            continue
        room = _room(held, goal_m, yaw, things)
        cost = (
            2.0 * max(0.0, WANTED_CLEARANCE_M - placement.clearance_m) + 3.0 * max(0.0, WANTED_GAP_M - room)
            + 0.5 * (placement.drop_m - drop_m) + TURN_COST_M * _turn_between(yaw, first)
        )
        scored.append((cost, placement))
    if not scored:
        x, y, z = goal_m
        raise UnreachableError(
            f"no room for the fingers to let go of '{held.label}' at ({x:.2f}, {y:.2f}, {z:.2f}) m",
            "clear some room there, or name another place",
        )
    return tuple(placement for _, placement in sorted(scored, key=lambda pair: pair[0]))


def _lowest(
    held: Held, goal_m: Vector3, yaw: float, things: Sequence[GroundedObject], drop_m: float, hand: HandModel
) -> Placement | None:
    """The lowest release with room for the fingers: just above the goal, or above what is in the way."""
    x, y, goal_z = goal_m
    inside = any(encloses(thing, x, y) for thing in things)
    allowed = MAX_DROP_INTO_M if inside else MAX_DROP_M
    # Above the tops of what the fingers might meet; the first height is the wanted one.
    tops = sorted({thing.top_z_m for thing in things})
    heights = [goal_z + held.height_m + drop_m, *(top + RIM_LIFT_M + hand.tip_m for top in tops)]
    for z in heights:
        drop = z - held.height_m - goal_z
        if drop < drop_m - 1e-9 or drop > max(allowed, drop_m):
            continue
        for spare in RELEASE_SPARES_M:
            opening = min(held.width_m + 2 * spare, hand.max_opening_m)
            clearance = hand_clearance(x, y, z, yaw, opening, things, hand)
            if clearance >= WANTED_CLEARANCE_M or (spare == RELEASE_SPARES_M[-1] and clearance > 0.0):
                return Placement((x, y, z), yaw, opening, drop, clearance)
    return None


def _room(held: Held, goal_m: Vector3, yaw: float, things: Sequence[GroundedObject]) -> float:
    """The gap between the thing put down and what stands around it, or to the wall of what it is put in."""
    own = Footprint(goal_m[0], goal_m[1], held.size_m[0] / 2, held.size_m[1] / 2, yaw + held.turn_rad)
    room = 1.0
    for thing in things:
        if encloses(thing, goal_m[0], goal_m[1]):
            room = min(room, inside_margin(thing, own, thing.top_z_m))
        elif thing.top_z_m > goal_m[2] + 0.004 or is_hollow(thing):
            room = min(room, gap_m(own, footprint_of(thing)))
    return room


def _turn_between(a_rad: float, b_rad: float) -> float:
    """The angle between two closing directions, 0 to pi/2."""
    turn = (a_rad - b_rad) % math.pi
    return min(turn, math.pi - turn)
