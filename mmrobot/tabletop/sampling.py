"""Random scenes, the same for the same generator: for training pictures and for episodes.

Objects stand wholly inside the work area with a gap between them wide enough for a finger. The attribute
pairs that level L1 tests are named here, so that one place decides what training never sees.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from mmrobot.errors import InvalidSceneError
from mmrobot.tabletop.footprint import gap_m
from mmrobot.tabletop.objects import (
    CONTAINERS,
    GRASPABLE,
    SHAPES,
    SIZES,
    TRAINED_COLORS,
    Stretch,
    dimensions,
)
from mmrobot.tabletop.scene import WORK_AREA_X, WORK_AREA_Y, Scene, SceneObject, fits_inside, inner_half_m

# Level L1: never in a training picture or sentence.
HELD_OUT_PAIRS: frozenset[tuple[str, str]] = frozenset(
    {("black", "cube"), ("purple", "ball"), ("orange", "cylinder"), ("white", "bar")}
)
HELD_OUT_HOLDERS: frozenset[tuple[str, str]] = frozenset({("orange", "bowl"), ("purple", "tray")})
HELD_OUT: frozenset[tuple[str, str]] = HELD_OUT_PAIRS | HELD_OUT_HOLDERS

MIN_GAP_M = 0.035
EDGE_MARGIN_M = 0.01
_PLACE_TRIES = 60
_SCENE_TRIES = 50
_DRAW_TRIES = 200
# How often each shape is drawn: containers take much room.
SHAPE_WEIGHTS: dict[str, float] = {
    "cube": 1.4,
    "ball": 1.0,
    "cylinder": 1.0,
    "bar": 0.8,
    "cup": 0.6,
    "bowl": 0.8,
    "plate": 0.45,
    "tray": 0.45,
}


@dataclass(frozen=True)
class Kind:
    """What an object is, before it has a place. Fields that are None are drawn."""

    shape: str | None = None
    color: str | None = None
    size: str | None = None


class NoRoomError(InvalidSceneError):
    """The objects asked for cannot be drawn, or do not fit into the work area with that gap."""


def _choice(rng: np.random.Generator, names: Sequence[str], weights: Sequence[float] | None = None) -> str:
    p = None if weights is None else np.asarray(weights) / np.sum(weights)
    return str(names[int(rng.choice(len(names), p=p))])


def draw_kind(
    rng: np.random.Generator,
    wish: Kind = Kind(),
    *,
    shapes: Sequence[str] = SHAPES,
    colors: Sequence[str] = TRAINED_COLORS,
    exclude_pairs: Collection[tuple[str, str]] = HELD_OUT,
    taken: Collection[tuple[str, str]] = (),
    weights: Mapping[str, float] = SHAPE_WEIGHTS,
) -> tuple[str, str, str]:
    """Shape, colour, size; no (colour, shape) pair that is excluded or taken, unless wished for by name."""
    for _ in range(_DRAW_TRIES):
        shape = wish.shape or _choice(rng, shapes, [weights[s] for s in shapes])
        color = wish.color or _choice(rng, colors)
        size = wish.size or _choice(rng, SIZES, (0.6, 0.4))
        named = wish.shape is not None and wish.color is not None
        if named or ((color, shape) not in exclude_pairs and (color, shape) not in taken):
            return shape, color, size
    raise NoRoomError(
        f"no colour and shape left for {wish} among {len(shapes)} shapes, {len(colors)} colours",
        "Ask for fewer objects, or allow more shapes and colours.",
    )


def free_position(
    rng: np.random.Generator,
    obj: SceneObject,
    others: Sequence[SceneObject],
    min_gap_m: float = MIN_GAP_M,
    margin_m: float = EDGE_MARGIN_M,
) -> SceneObject | None:
    """The object at a random free place of the work area, or None when none was found."""
    own, taken = obj.footprint, [o.footprint for o in others]
    ex, ey = own.extent_m
    low = (WORK_AREA_X[0] + margin_m + ex, WORK_AREA_Y[0] + margin_m + ey)
    high = (WORK_AREA_X[1] - margin_m - ex, WORK_AREA_Y[1] - margin_m - ey)
    for _ in range(_PLACE_TRIES):
        x, y = rng.uniform(low, high)
        center = (round(float(x), 4), round(float(y), 4))
        spot = replace(own, center_m=center)
        if all(gap_m(spot, other) >= min_gap_m for other in taken):
            return replace(obj, position=center)
    return None


def rest_inside(inner: SceneObject, outer: SceneObject) -> SceneObject | None:
    """`inner` in the middle of `outer` just above where it comes to rest, or None when it does not fit."""
    if not outer.dims.hollow:
        return None
    x, y = outer.position[:2]
    for height in np.arange(outer.dims.floor_m, outer.dims.height_m, 0.002):
        z = round(outer.underside_z_m + float(height) + 0.001, 4)
        placed = replace(inner, position=(x, y, z))
        if fits_inside(placed, outer):
            return placed
    return None


def rest_on(upper: SceneObject, lower: SceneObject) -> SceneObject:
    """`upper` in the middle of `lower`'s top."""
    x, y = lower.position[:2]
    return replace(upper, position=(x, y, round(lower.underside_z_m + lower.dims.height_m + 0.0005, 4)))


def nest(rng: np.random.Generator, objects: list[SceneObject]) -> None:
    """Puts one graspable thing into a container or a cube onto a cube, where the scene has such a pair.

    Neither has been put on anything, and nothing on them."""
    lone = [a for a in objects if not a.underside_z_m and not carries(a, objects)]
    pairs = [
        (a, b)
        for a in lone
        for b in lone
        if a is not b
        and a.shape in GRASPABLE
        and (a.shape, b.shape) != ("cup", "cup")
        and (b.shape in CONTAINERS or (a.shape, b.shape) == ("cube", "cube"))
    ]
    for k in rng.permutation(len(pairs)):
        upper, lower = pairs[k]
        placed = rest_inside(upper, lower) if lower.dims.hollow else rest_on(upper, lower)
        if placed is not None and (lower.dims.hollow or upper.dims.size_m[0] <= lower.dims.size_m[0]):
            objects[objects.index(upper)] = placed
            return


def carries(lower: SceneObject, objects: Sequence[SceneObject]) -> bool:
    """Whether something lies in or on it."""
    x, y = lower.position[:2]
    return any(o.underside_z_m > 0 and o.position[:2] == (x, y) for o in objects if o is not lower)


def place_all(
    rng: np.random.Generator,
    objects: Sequence[SceneObject],
    min_gap_m: float,
    margin_m: float = EDGE_MARGIN_M,
) -> list[SceneObject] | None:
    """Each object at a free place, the widest first; in the order given. None when one found no room."""
    placed: list[SceneObject] = []
    for o in sorted(objects, key=lambda o: -o.footprint.reach_m):
        found = free_position(rng, o, placed, min_gap_m, margin_m)
        if found is None:
            return None
        placed.append(found)
    by_id = {o.id: o for o in placed}
    return [by_id[o.id] for o in objects]


def sample_scene(
    rng: np.random.Generator,
    count: int | tuple[int, int] = (3, 8),
    *,
    wishes: Sequence[Kind] = (),
    shapes: Sequence[str] = SHAPES,
    colors: Sequence[str] = TRAINED_COLORS,
    exclude_pairs: Collection[tuple[str, str]] = HELD_OUT,
    distinct: bool = False,
    nested_probability: float = 0.0,
    min_gap_m: float = MIN_GAP_M,
    stretch: Callable[[np.random.Generator, str], Stretch] | None = None,
    weights: Mapping[str, float] = SHAPE_WEIGHTS,
) -> Scene:
    """A random scene of `count` objects (or a number in that range, both ends included).

    `wishes` are the first objects' kinds. `distinct`: no two of the same colour and shape.
    `nested_probability`: of one thing lying in or on another. `stretch` draws proportions for a shape.
    Raises NoRoomError when so many cannot
    stand with that gap.
    """
    low, high = (count, count) if isinstance(count, int) else count
    wanted = max(int(rng.integers(low, high + 1)), len(wishes))
    for _ in range(_SCENE_TRIES):
        objects: list[SceneObject] = []
        # Kinds wished for by name are theirs before anything else is drawn.
        taken = {(w.color, w.shape) for w in wishes if w.color is not None and w.shape is not None}
        for i in range(wanted):
            wish = wishes[i] if i < len(wishes) else Kind()
            shape, color, size = draw_kind(
                rng,
                wish,
                shapes=shapes,
                colors=colors,
                exclude_pairs=exclude_pairs,
                taken=taken if distinct else (),
                weights=weights,
            )
            taken.add((color, shape))
            made = SceneObject(f"{color}_{shape}", shape, color, size, yaw=_yaw(rng, shape))
            objects.append(made if stretch is None else replace(made, stretch=stretch(rng, shape)))
        placed = place_all(rng, _with_ids(objects), min_gap_m)
        if placed is None:
            continue
        if rng.random() < nested_probability:
            nest(rng, placed)
        return Scene(int(rng.integers(0, 2**31)), tuple(placed))
    raise NoRoomError(
        f"{wanted} objects with a gap of {min_gap_m} m do not fit into the work area",
        "Ask for fewer objects or a smaller gap.",
    )


def _yaw(rng: np.random.Generator, shape: str) -> float:
    """Any turn that looks different: a square repeats after a quarter, a rectangle after a half."""
    if dimensions(shape, "small").round:
        return 0.0
    quarter = math.pi / 4
    reach = quarter if shape == "cube" else 2 * quarter
    return round(float(rng.uniform(-reach, reach)), 4)


def _with_ids(objects: Sequence[SceneObject]) -> list[SceneObject]:
    """Names like red_cube, red_cube_2."""
    seen: dict[str, int] = {}
    out = []
    for o in objects:
        seen[o.id] = seen.get(o.id, 0) + 1
        out.append(replace(o, id=o.id if seen[o.id] == 1 else f"{o.id}_{seen[o.id]}"))
    return out


def inner_reach_m(outer: SceneObject) -> float:
    """Radius of the largest circle on a hollow thing's floor."""
    return min(inner_half_m(outer.dims, outer.dims.floor_m))
