"""Goal predicates over the simulator's state: `in(a,b)`, `on(a,b)`, ... , each with `not` if need be.

For judging episodes and for training data only: this state reaches no node of the running robot. Thresholds:

- in(a,b): b is hollow and upright, a's middle is inside its opening seen from above, a's lowest point is
  above b's floor and below its rim (plate and tray: at most on the rim, as a long bar lies; when something
  else already lies inside: at most 1.2 cm above that thing's top).
- on(a,b): a's underside is within 1.2 cm of b's top and its middle above b's footprint; for plate and tray as
  in(a,b).
- rests_on(a,b): a's underside is within 1.2 cm of b's top, and some of it lies over b.
- left_of, right_of, behind, in_front_of: offset of the middles along that axis at least half of the sum of
  both half widths, and no smaller than the offset across.
- near(a,b,m), at(a,x,y,m): distance of the middles on the table's plane at most m.
- held(a): the hand holds it. While it does, none of the others but `near` and `at` holds for it.
- on_table(a): a's underside is within 1.2 cm of the table and the hand does not hold it.
- displaced(a,x,y,dx,dy): from (x, y) a's middle has gone at least as far along (dx, dy) as that is long,
and no
  further across than along.
- amount_in(b,n): exactly n things are in (or on) b.
Over the whole run, where somebody kept watch (WorldState.touched, .picks):
- never_touched(a): neither the arm nor what it held was in contact with a.
- picked_at_most(a,n): the hand closed on a at most n times.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from mmrobot.errors import InvalidSceneError
from mmrobot.tabletop.objects import ROUND, nearest_name
from mmrobot.tabletop.scene import Scene, SceneObject
from mmrobot.types import Vector3

ON_GAP_M = 0.012
BELOW_RIM_M = 0.003
SLACK_M = 0.004
UPRIGHT_COSINE = 0.8
FLAT = ("plate", "tray")

# Objects, numbers that each predicate takes.
ARITY: dict[str, tuple[int, int]] = {
    "in": (2, 0),
    "on": (2, 0),
    "rests_on": (2, 0),
    "left_of": (2, 0),
    "right_of": (2, 0),
    "behind": (2, 0),
    "in_front_of": (2, 0),
    "near": (2, 1),
    "at": (1, 3),
    "held": (1, 0),
    "on_table": (1, 0),
    "displaced": (1, 4),
    "amount_in": (1, 1),
    "never_touched": (1, 0),
    "picked_at_most": (1, 1),
}
# Numbers of these may be zero or less.
_SIGNED = ("displaced", "amount_in", "picked_at_most")
# Axis of base and sign of a - b.
DIRECTIONS: dict[str, tuple[int, int]] = {
    "left_of": (1, 1),
    "right_of": (1, -1),
    "behind": (0, 1),
    "in_front_of": (0, -1),
}


@dataclass(frozen=True)
class ObjectState:
    """Where an object is: its outer box's middle in base, its turn (w, x, y, z); speeds in m/s, rad/s."""

    id: str
    position_m: Vector3
    quaternion_wxyz: tuple[float, float, float, float] = (1.0, 0.0, 0.0, 0.0)
    linear_velocity_m_s: Vector3 = (0.0, 0.0, 0.0)
    angular_velocity_rad_s: Vector3 = (0.0, 0.0, 0.0)


@dataclass(frozen=True)
class WorldState:
    """All objects by id, and the id of what the hand holds. Of the run so far, where somebody kept watch:
    what the arm or what it held has `touched`, and how often the hand closed on each thing."""

    objects: dict[str, ObjectState] = field(default_factory=dict)
    held: str | None = None
    time_s: float = 0.0
    touched: tuple[str, ...] = ()
    picks: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Goal:
    """A predicate over object ids and numbers (metres)."""

    predicate: str
    objects: tuple[str, ...]
    numbers: tuple[float, ...] = ()
    negated: bool = False

    def __str__(self) -> str:
        inner = ", ".join([*self.objects, *(f"{n:g}" for n in self.numbers)])
        return f"{'not ' if self.negated else ''}{self.predicate}({inner})"


_GOAL = re.compile(r"\s*(not\s+)?([A-Za-z_]+)\s*\(([^()]*)\)\s*")


def parse_goal(text: str, source: str = "goal") -> Goal:
    """`not in(a, b)` as a Goal. Raises InvalidSceneError."""
    match = _GOAL.fullmatch(text)
    if match is None:
        raise InvalidSceneError(
            f"{source}: '{text}' is no predicate", "Write it as predicate(id, ...), e.g. in(a, b)."
        )
    negated, name, inner = match.groups()
    if name not in ARITY:
        raise InvalidSceneError(
            f"{source}: '{name}' is no known predicate",
            f"Did you mean '{nearest_name(name, ARITY)}'? Known: {', '.join(ARITY)}.",
        )
    words = [w.strip() for w in inner.split(",")]
    objects, numbers = ARITY[name]
    if len(words) != objects + numbers or not all(words):
        raise InvalidSceneError(
            f"{source}: '{text}' has {len([w for w in words if w])} arguments",
            f"'{name}' takes {objects} object(s) and {numbers} number(s).",
        )
    values = _numbers(words[objects:], text, source, signed=name in _SIGNED)
    return Goal(name, tuple(words[:objects]), values, negated is not None)


def _numbers(words: list[str], text: str, source: str, signed: bool) -> tuple[float, ...]:
    try:
        values = tuple(float(w) for w in words)
    except ValueError as e:
        raise InvalidSceneError(f"{source}: '{text}': {e}", "Use metres, such as 0.15.") from e
    if not all(math.isfinite(v) for v in values) or (values and not signed and values[-1] <= 0):
        raise InvalidSceneError(f"{source}: '{text}': {values}", "Use finite metres, the last above 0.")
    return values


class _Body:
    """An object where it is now: extents along the base's axes and points in its own frame."""

    def __init__(self, obj: SceneObject, state: ObjectState) -> None:
        self.obj = obj
        self.center: NDArray[np.float64] = np.asarray(state.position_m, dtype=np.float64)
        self.R: NDArray[np.float64] = Rotation.from_quat(state.quaternion_wxyz, scalar_first=True).as_matrix()
        self.half = np.asarray(obj.dims.size_m) / 2
        self.extent = self._extent()

    def _extent(self) -> NDArray[np.float64]:
        if self.obj.shape == "ball":
            return self.half
        if self.obj.shape in ROUND:
            axis = np.abs(self.R[:, 2])
            return np.asarray(self.half[0] * np.sqrt(np.maximum(0.0, 1 - axis**2)) + self.half[2] * axis)
        return np.asarray(np.abs(self.R) @ self.half)

    @property
    def bottom(self) -> float:
        return float(self.center[2] - self.extent[2])

    @property
    def top(self) -> float:
        return float(self.center[2] + self.extent[2])

    @property
    def upright(self) -> bool:
        return bool(self.R[2, 2] > UPRIGHT_COSINE)

    def local(self, x: float, y: float) -> NDArray[np.float64]:
        """A point of the table's plane, taken at this object's own height, in its frame."""
        return np.asarray(self.R.T @ (np.array([x, y, self.center[2]]) - self.center))

    def covers(self, x: float, y: float) -> bool:
        """Whether (x, y) lies over its body."""
        p = np.abs(self.local(x, y))
        if self.obj.shape == "ball":
            return bool(np.linalg.norm(p) <= self.half[0])
        if self.obj.shape in ROUND:
            return bool(math.hypot(p[0], p[1]) <= self.half[0] and p[2] <= self.half[2])
        return bool((p <= self.half).all())

    def opens_to(self, x: float, y: float) -> bool:
        """Whether (x, y) lies over its opening."""
        p = np.abs(self.local(x, y))
        half = np.asarray(self.obj.dims.opening_m) / 2
        if self.obj.dims.round:
            return bool(math.hypot(p[0], p[1]) <= half[0])
        return bool((p[:2] <= half).all())


def _body(name: str, world: WorldState, scene: Scene) -> _Body:
    if name not in scene.by_id or name not in world.objects:
        known = sorted(scene.by_id.keys() & world.objects.keys()) or ["none"]
        raise InvalidSceneError(
            f"goal: '{name}' is no object of the scene",
            f"Did you mean '{nearest_name(name, known)}'? Known: {', '.join(known)}.",
        )
    return _Body(scene.by_id[name], world.objects[name])


def _lies_in(a: _Body, b: _Body, limit: float) -> bool:
    floor = b.bottom + b.obj.dims.floor_m
    x, y = float(a.center[0]), float(a.center[1])
    return b.upright and b.opens_to(x, y) and floor - SLACK_M <= a.bottom <= limit


def _rim_limit(b: _Body) -> float:
    """How high the underside of a thing may be that lies in b."""
    if b.obj.shape in FLAT:
        return b.top + SLACK_M
    return b.top - BELOW_RIM_M


def _in(a: _Body, b: _Body, world: WorldState, scene: Scene) -> bool:
    if not b.obj.dims.hollow:
        return False
    limit = _rim_limit(b)
    if _lies_in(a, b, limit):
        return True
    others = (_body(n, world, scene) for n in world.objects if n not in (a.obj.id, b.obj.id, world.held))
    tops = [o.top for o in others if _lies_in(o, b, limit)]
    return bool(tops) and _lies_in(a, b, max(tops) + ON_GAP_M)


def _on(a: _Body, b: _Body, world: WorldState, scene: Scene) -> bool:
    if b.obj.shape in FLAT:
        return _in(a, b, world, scene)
    return abs(a.bottom - b.top) <= ON_GAP_M and b.covers(float(a.center[0]), float(a.center[1]))


def _directed(predicate: str, a: _Body, b: _Body) -> bool:
    axis, sign = DIRECTIONS[predicate]
    along = sign * float(a.center[axis] - b.center[axis])
    across = abs(float(a.center[1 - axis] - b.center[1 - axis]))
    return along >= float(a.extent[axis] + b.extent[axis]) / 2 and along >= across


def _on_table(a: _Body, numbers: tuple[float, ...], world: WorldState, scene: Scene) -> bool:
    return abs(a.bottom) <= ON_GAP_M and world.held != a.obj.id


def _displaced(a: _Body, numbers: tuple[float, ...], world: WorldState, scene: Scene) -> bool:
    x, y, dx, dy = numbers
    least = math.hypot(dx, dy)
    ux, uy = (dx / least, dy / least) if least > 0 else (1.0, 0.0)
    gone_x, gone_y = float(a.center[0]) - x, float(a.center[1]) - y
    along, across = gone_x * ux + gone_y * uy, abs(gone_y * ux - gone_x * uy)
    return along >= least and along >= across


def _amount_in(b: _Body, numbers: tuple[float, ...], world: WorldState, scene: Scene) -> bool:
    others = (_body(n, world, scene) for n in world.objects if n not in (b.obj.id, world.held))
    inside = sum(_in(o, b, world, scene) or _on(o, b, world, scene) for o in others)
    return inside == round(numbers[0])


def _never_touched(a: _Body, numbers: tuple[float, ...], world: WorldState, scene: Scene) -> bool:
    return a.obj.id not in world.touched


def _picked_at_most(a: _Body, numbers: tuple[float, ...], world: WorldState, scene: Scene) -> bool:
    return world.picks.get(a.obj.id, 0) <= numbers[0]


_OF_ONE = {
    "on_table": _on_table, "displaced": _displaced, "amount_in": _amount_in, "never_touched": _never_touched,
    "picked_at_most": _picked_at_most,
}  # fmt: skip


def _true(goal: Goal, world: WorldState, scene: Scene) -> bool:
    a = _body(goal.objects[0], world, scene)
    if goal.predicate == "held":
        return world.held == a.obj.id
    if goal.predicate == "at":
        x, y, reach = goal.numbers
        return math.dist((a.center[0], a.center[1]), (x, y)) <= reach
    if goal.predicate in _OF_ONE:
        return _OF_ONE[goal.predicate](a, goal.numbers, world, scene)
    b = _body(goal.objects[1], world, scene)
    if goal.predicate == "near":
        return math.dist(a.center[:2].tolist(), b.center[:2].tolist()) <= goal.numbers[0]
    if world.held in (a.obj.id, b.obj.id) or a.obj.id == b.obj.id:
        return False
    if goal.predicate == "in":
        return _in(a, b, world, scene)
    if goal.predicate == "on":
        return _on(a, b, world, scene)
    if goal.predicate == "rests_on":
        apart = np.abs(a.center[:2] - b.center[:2])
        return abs(a.bottom - b.top) <= ON_GAP_M and bool((apart < (a.extent + b.extent)[:2]).all())
    return _directed(goal.predicate, a, b)


def holds(goal: Goal | str, world: WorldState, scene: Scene) -> bool:
    """Whether a goal is true now; `scene` gives shapes, sizes. Raises InvalidSceneError on an unknown id."""
    if isinstance(goal, str):
        goal = parse_goal(goal)
    return _true(goal, world, scene) != goal.negated


def failed_goals(goals: Iterable[Goal | str], world: WorldState, scene: Scene) -> list[str]:
    """Those of the goals that do not hold, as text."""
    return [str(g) for g in goals if not holds(g, world, scene)]


def moved_m(before: WorldState, after: WorldState, name: str) -> float:
    """How far an object's middle is from where it was, metres; infinite when it is gone."""
    if name not in before.objects or name not in after.objects:
        return math.inf
    return math.dist(before.objects[name].position_m, after.objects[name].position_m)


def unmoved(before: WorldState, after: WorldState, names: Iterable[str], tolerance_m: float = 0.03) -> bool:
    """Whether each of the named objects is within `tolerance_m` of where it was."""
    return all(moved_m(before, after, n) <= tolerance_m for n in names)


def settled(world: WorldState, speed_m_s: float = 0.01, spin_rad_s: float = 0.5) -> bool:
    """Whether nothing moves any more."""
    return all(
        math.hypot(*o.linear_velocity_m_s) <= speed_m_s
        and math.hypot(*o.angular_velocity_rad_s) <= spin_rad_s
        for o in world.objects.values()
    )


def initial_world(scene: Scene) -> WorldState:
    """The scene as its file puts it, before physics."""
    states = {}
    for o in scene.objects:
        w, z = math.cos(o.yaw / 2), math.sin(o.yaw / 2)
        states[o.id] = ObjectState(o.id, o.center_m, (w, 0.0, 0.0, z))
    return WorldState(states)
