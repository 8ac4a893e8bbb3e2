"""How the hand pushes a thing over the table: from behind, low, fingers a little apart, their ends ahead.

Two fingers side by side, across the way, hold a round thing between them and keep a long one from turning.
The hand leans back so that its finger ends touch first: low on a wall that flares, where a tall thing does
not tip; and under the middle of a ball, which between an upright finger and the table would jam. To keep it
from rolling, the finger's friction would have to be cos / (1 - sin) of the lean: 1.43 at 20 degrees.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmrobot.arm.clearance import hand_clearance
from mmrobot.arm.grasp import width_across
from mmrobot.arm.hand import HAND, HandModel, top_down
from mmrobot.errors import UnreachableError
from mmrobot.types import GroundedObject, Vector3

LEAN_RAD = math.radians(20)
# The lowest edge of the fingers stays this far above the table.
LIFT_M = 0.004
BEHIND_M = 0.012
OPENING_RATIO = 0.45
MAX_OPENING_M = 0.036


@dataclass(frozen=True)
class Push:
    """In base_link: tcp where the hand comes down and where it stops, direction of the push, opening."""

    behind_m: Vector3
    end_m: Vector3
    direction_rad: float
    opening_m: float

    def pose(self, point_m: Vector3) -> NDArray[np.float64]:
        """T_base_tcp (4, 4) of the leaning hand, its tcp at a point, closing across the push."""
        upright = top_down(*point_m, self.direction_rad + math.pi / 2)
        # About the closing axis (y), so that z, which points out of the hand, leads ahead.
        c, s = math.cos(LEAN_RAD), math.sin(LEAN_RAD)
        ahead = math.copysign(1.0, float(upright[:2, 0] @ [*_unit(self.direction_rad)]))
        upright[:3, :3] = upright[:3, :3] @ np.array([[c, 0, ahead * s], [0, 1, 0], [-ahead * s, 0, c]])
        return upright

    def at(self, share: float, up_m: float = 0.0) -> Vector3:
        """A tcp on the way: 0 behind the thing, 1 at the end; higher by `up_m`."""
        x, y, z = (b + share * (e - b) for b, e in zip(self.behind_m, self.end_m, strict=True))
        return (x, y, z + up_m)


def plan_push(
    target: GroundedObject, goal_m: Vector3, obstacles: Sequence[GroundedObject], table_z_m: float,
    hand: HandModel = HAND,
) -> Push:
    """The push of a thing's middle to `goal_m`.

    Raises UnreachableError when neighbours leave the hand no room behind the thing.
    """
    x, y, _ = target.position_m
    dx, dy = goal_m[0] - x, goal_m[1] - y
    if math.hypot(dx, dy) < 1e-6:
        raise UnreachableError(f"'{target.label}' is where it is to be pushed to", "name another way")
    turn = math.atan2(dy, dx)
    c, s = _unit(turn)
    across = turn + math.pi / 2
    opening = min(OPENING_RATIO * width_across(target, across), MAX_OPENING_M)
    half, lean_c, lean_s = hand.finger_width_m / 2, math.cos(LEAN_RAD), math.sin(LEAN_RAD)
    # The lower front edge of the fingers touches first; the lower back edge is the lowest.
    reach = width_across(target, turn) / 2 + half * lean_c + hand.tip_m * lean_s
    z = table_z_m + LIFT_M + hand.tip_m * lean_c + half * lean_s
    start = reach + BEHIND_M
    behind = (x - start * c, y - start * s, z)
    back = hand.palm_m * lean_s
    leaning = (behind[0] - back * c, behind[1] - back * s, z)
    if min(hand_clearance(*p, across, opening, obstacles, hand) for p in (behind, leaning)) < 0.0:
        raise UnreachableError(
            f"neighbours leave the hand no room behind '{target.label}' to push it",
            "move the things next to it away, or push it another way",
        )
    return Push(behind, (goal_m[0] - reach * c, goal_m[1] - reach * s, z), turn, opening)


def _unit(direction_rad: float) -> tuple[float, float]:
    return math.cos(direction_rad), math.sin(direction_rad)
