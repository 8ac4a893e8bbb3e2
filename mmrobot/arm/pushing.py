"""How the hand pushes a thing over the table: from behind, low, fingers a little apart, their ends ahead.

Two fingers side by side, across the way, hold a round thing between them and keep a long one from turning.
The hand leans back so that its finger ends touch first: low on a wall that flares, where a tall thing does
not tip; and under the middle of a ball, which between an upright finger and the table would jam. To keep it
from rolling, the finger's friction would have to be cos / (1 - sin) of the lean: 1.43 at 20 degrees. Where
the wrist cannot lean so far back, near the robot, it leans less: the ball then slides, held down but little.
On its way the hand rises a little: fingers that sink, be it by a millimetre, press a thing onto the table
until friction (1.3 x 0.9 > 1) locks it there.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mmrobot.arm.clearance import hand_clearance
from mmrobot.arm.grasp import width_across
from mmrobot.arm.hand import HAND, OBSERVE_POSTURE, HandModel, top_down
from mmrobot.arm.kinematics import ArmKinematics, Joints
from mmrobot.arm.path import JointPath, hand_line
from mmrobot.errors import UnreachableError
from mmrobot.planning.footprint import Footprint, footprint_of, gap_m
from mmrobot.types import GroundedObject, Vector3

LEANS_RAD = tuple(math.radians(degrees) for degrees in (20, 14, 8, 0))
# The lowest edge of the fingers stays this far above the table.
LIFT_M = 0.004
BEHIND_M = 0.012
OPENING_RATIO = 0.45
MAX_OPENING_M = 0.036
RISE_SLOPE, MAX_RISE_M = 0.06, 0.008
# Between two postures 2 cm apart.
MAX_JUMP_RAD = 0.35


@dataclass(frozen=True)
class Push:
    """In base_link: tcp where the hand comes down and where it stops, direction of the push, opening.
    `turned` is the hand turned about by half a turn: it looks the same, and bends the wrist otherwise."""

    behind_m: Vector3
    end_m: Vector3
    direction_rad: float
    opening_m: float
    lean_rad: float
    turned: bool = False

    def pose(self, point_m: Vector3) -> NDArray[np.float64]:
        """T_base_tcp (4, 4) of the leaning hand, its tcp at a point, closing across the push."""
        side = -1 if self.turned else 1
        upright = top_down(*point_m, self.direction_rad + side * math.pi / 2)
        # About the closing axis (y), so that z, which points out of the hand, leads ahead.
        c, s = math.cos(self.lean_rad), math.sin(self.lean_rad)
        ahead = math.copysign(1.0, float(upright[:2, 0] @ _unit(self.direction_rad)))
        upright[:3, :3] = upright[:3, :3] @ np.array([[c, 0, ahead * s], [0, 1, 0], [-ahead * s, 0, c]])
        return upright

    def at(self, share: float, up_m: float = 0.0) -> Vector3:
        """A tcp on the way: 0 behind the thing, 1 at the end; higher by `up_m`."""
        x, y, z = (b + share * (e - b) for b, e in zip(self.behind_m, self.end_m, strict=True))
        return (x, y, z + up_m)


def plan_push(
    target: GroundedObject, goal_m: Vector3, obstacles: Sequence[GroundedObject], table_z_m: float,
    hand: HandModel = HAND,
) -> tuple[Push, ...]:
    """Ways to push a thing's middle to `goal_m`, best first; never empty.

    Raises UnreachableError when neighbours leave the hand no room behind the thing.
    """
    x, y, _ = target.position_m
    dx, dy = goal_m[0] - x, goal_m[1] - y
    if math.hypot(dx, dy) < 1e-6:
        raise UnreachableError(f"'{target.label}' is where it is to be pushed to", "name another way")
    turn = math.atan2(dy, dx)
    ways = [_leaning(target, goal_m, turn, table_z_m, lean, hand) for lean in LEANS_RAD]
    free = [way for way in ways if _clearance(way, obstacles, hand) >= 0.0]
    if not free:
        raise UnreachableError(
            f"neighbours leave the hand no room behind '{target.label}' to push it",
            "move the things next to it away, or push it another way",
        )
    return tuple(free)


def _leaning(
    target: GroundedObject, goal_m: Vector3, turn: float, table_z_m: float, lean: float, hand: HandModel
) -> Push:
    c, s = _unit(turn)
    opening = min(OPENING_RATIO * width_across(target, turn + math.pi / 2), MAX_OPENING_M)
    half, lean_c, lean_s = hand.finger_width_m / 2, math.cos(lean), math.sin(lean)
    # The lower front edge of the fingers touches first; the lower back edge is the lowest.
    reach = width_across(target, turn) / 2 + half * lean_c + hand.tip_m * lean_s
    z = table_z_m + LIFT_M + hand.tip_m * lean_c + half * lean_s
    x, y, start = target.position_m[0], target.position_m[1], reach + BEHIND_M
    behind = (x - start * c, y - start * s, z)
    end = (goal_m[0] - reach * c, goal_m[1] - reach * s)
    rise = min(RISE_SLOPE * math.dist(behind[:2], end), MAX_RISE_M)
    return Push(behind, (*end, z + rise), turn, opening, lean)


def _clearance(push: Push, obstacles: Sequence[GroundedObject], hand: HandModel) -> float:
    """The narrowest gap of the hand behind the thing: of its fingers, and of its palm, which leans back."""
    c, s = _unit(push.direction_rad)
    x, y, z = push.behind_m
    across = push.direction_rad + math.pi / 2
    back, up = hand.palm_m * math.sin(push.lean_rad), hand.palm_m * math.cos(push.lean_rad)
    palm = Footprint(x - back * c, y - back * s, hand.palm_length_m / 2, hand.palm_width_m / 2, across)
    high = [gap_m(palm, footprint_of(o)) for o in obstacles if o.top_z_m > z + up - hand.palm_width_m / 2]
    return min([hand_clearance(x, y, z, across, push.opening_m, obstacles, hand), *high])


def with_postures(ways: Sequence[Push], kinematics: ArmKinematics, up_m: float) -> tuple[Push, Joints]:
    """The first push that the wrist can follow, in one go from `up_m` above behind the thing to the end; and
    the posture that it begins with. Raises UnreachableError when it cannot follow any."""
    failure: UnreachableError | None = None
    for way in [either for push in ways for either in (push, replace(push, turned=True))]:
        above = way.pose(way.at(0.0, up_m))
        seed = np.array(OBSERVE_POSTURE)
        seed[0] = math.atan2(above[1, 3], above[0, 3])
        try:
            begin = kinematics.solve(above, seed)
            low = _steady(hand_line(kinematics, begin, way.pose(way.behind_m)))
            _steady(hand_line(kinematics, low, way.pose(way.end_m)))
        except UnreachableError as error:
            failure = error
            continue
        return way, begin
    raise failure or UnreachableError("no way to push", "push something else")


def _steady(path: JointPath) -> Joints:
    """The end of a way on which the wrist does not whirl round, as it does where it is stretched out."""
    jump_rad = float(np.abs(np.diff(path.waypoints, axis=0)).max())
    if jump_rad > MAX_JUMP_RAD:
        raise UnreachableError(
            f"the wrist would turn by {math.degrees(jump_rad):.0f} degrees at once on the way of the push",
            "push it another way",
        )
    return path.end


def _unit(direction_rad: float) -> tuple[float, float]:
    return math.cos(direction_rad), math.sin(direction_rad)
