"""A scene: which objects stand where on the table. Checked when read; errors name field, value and fix."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

from pydantic import ConfigDict

from mmrobot.errors import InvalidSceneError
from mmrobot.tabletop.footprint import Footprint, gap_m
from mmrobot.tabletop.objects import (
    COLORS,
    LABELLED,
    NAMELESS,
    SHAPES,
    SIZES,
    Dimensions,
    Stretch,
    default_size,
    nearest_name,
    stretched,
)
from mmrobot.tabletop.parsing import parse

WORK_AREA_X = (0.25, 0.65)
WORK_AREA_Y = (-0.35, 0.35)
TABLE_X = (-0.25, 0.95)
TABLE_Y = (-0.70, 0.70)
MAX_UNDERSIDE_M = 0.5
MAX_OBJECTS = 24
ARM_FOOT_RADIUS_M = 0.12
PLAIN_STRETCH: Stretch = (1.0, 1.0, 1.0)
STRETCH_LIMITS = (0.4, 2.5)
# Two things that touch in a file made by hand may overlap by rounding.
_OVERLAP_TOLERANCE_M = 0.001


@dataclass(frozen=True)
class SceneObject:
    """One object. `position` is the middle of its underside in base: (x, y) on the table, or (x, y, z).

    `stretch` is how many times as long, wide and high it is as its size says. A shape may be a distractor.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    id: str
    shape: str
    color: str
    size: str = ""
    position: tuple[float, float] | tuple[float, float, float] = (0.45, 0.0)
    yaw: float = 0.0
    label: str | None = None
    stretch: Stretch = PLAIN_STRETCH

    def __post_init__(self) -> None:
        if not self.size:
            object.__setattr__(self, "size", default_size(self.shape))

    @property
    def dims(self) -> Dimensions:
        return stretched(self.shape, self.size, self.stretch)

    @property
    def named(self) -> bool:
        """Whether the language has a name for it; a distractor has none."""
        return self.shape in SHAPES

    @property
    def underside_z_m(self) -> float:
        return self.position[2] if len(self.position) == 3 else 0.0

    @property
    def center_m(self) -> tuple[float, float, float]:
        """The middle of its outer box in base, where its own frame sits."""
        return (self.position[0], self.position[1], self.underside_z_m + self.dims.height_m / 2)

    @property
    def footprint(self) -> Footprint:
        return Footprint.of(self.dims, (self.position[0], self.position[1]), self.yaw)

    def to_dict(self) -> dict[str, Any]:
        """As in an episode file; what is at its default is left out."""
        out: dict[str, Any] = {"id": self.id, "shape": self.shape, "color": self.color}
        if self.size != default_size(self.shape):
            out["size"] = self.size
        out["position"] = [round(float(v), 4) for v in self.position]
        if self.yaw:
            out["yaw"] = round(float(self.yaw), 4)
        if self.label is not None:
            out["label"] = self.label
        if self.stretch != PLAIN_STRETCH:
            out["stretch"] = [round(float(v), 4) for v in self.stretch]
        return out


@dataclass(frozen=True)
class Scene:
    """Objects on the table; `seed` fixes light, camera shake and table texture."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    seed: int = 0
    objects: tuple[SceneObject, ...] = ()

    @cached_property
    def by_id(self) -> dict[str, SceneObject]:
        return {o.id: o for o in self.objects}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], source: str = "scene") -> Scene:
        """Reads and checks. `source` (file, episode) begins each message. Raises InvalidSceneError."""
        scene = parse(cls, data, source)
        check_scene(scene, source)
        return scene

    def to_dict(self) -> dict[str, Any]:
        return {"seed": self.seed, "objects": [o.to_dict() for o in self.objects]}


def check_scene(scene: Scene, source: str = "scene") -> None:
    """Known names, distinct ids, places on the table, none inside of another. Raises InvalidSceneError."""
    if len(scene.objects) > MAX_OBJECTS:
        raise InvalidSceneError(
            f"{source}: objects: {len(scene.objects)} objects", f"Keep to {MAX_OBJECTS} objects at most."
        )
    if scene.seed < 0:
        raise InvalidSceneError(f"{source}: seed: {scene.seed}", "Use a seed of 0 or more.")
    seen: dict[str, int] = {}
    for i, o in enumerate(scene.objects):
        where = f"{source}: objects[{i}]"
        if o.id in seen:
            raise InvalidSceneError(
                f"{where}.id: '{o.id}' is already the id of objects[{seen[o.id]}]",
                "Give each object its own id.",
            )
        seen[o.id] = i
        check_object(o, where)
    _check_apart(scene.objects, source)


def check_object(o: SceneObject, where: str) -> None:
    """One object's own fields. Raises InvalidSceneError."""
    if not o.id.replace("_", "").isalnum() or not o.id.isascii():
        raise InvalidSceneError(f"{where}.id: '{o.id}'", "Use letters, digits and underscores.")
    known: tuple[tuple[str, str, Sequence[str]], ...] = (
        ("shape", o.shape, (*SHAPES, *NAMELESS)),
        ("color", o.color, tuple(COLORS)),
        ("size", o.size, SIZES),
    )
    for name, value, names in known:
        if value not in names:
            raise InvalidSceneError(
                f"{where}.{name}: '{value}' is no known {name}",
                f"Did you mean '{nearest_name(value, names)}'? Known: {', '.join(names)}.",
            )
    if not all(math.isfinite(v) for v in (*o.position, o.yaw)):
        raise InvalidSceneError(f"{where}.position: {list(o.position)}, yaw {o.yaw}", "Use finite numbers.")
    _check_stretch(o, where)
    check_position(o, where)
    if o.label is not None:
        _check_label(o, where)


def check_position(o: SceneObject, where: str) -> None:
    """The whole object is over the table and clear of the arm's foot. Raises InvalidSceneError."""
    x, y = o.position[:2]
    ex, ey = o.footprint.extent_m
    if not (TABLE_X[0] <= x - ex and x + ex <= TABLE_X[1] and TABLE_Y[0] <= y - ey and y + ey <= TABLE_Y[1]):
        raise InvalidSceneError(
            f"{where}.position: {list(o.position)} puts '{o.id}' over the table's edge",
            f"Keep all of it within x {TABLE_X[0]} to {TABLE_X[1]}, y {TABLE_Y[0]} to {TABLE_Y[1]}; "
            f"the arm reaches x {WORK_AREA_X[0]} to {WORK_AREA_X[1]}, "
            f"y {WORK_AREA_Y[0]} to {WORK_AREA_Y[1]}.",
        )
    if not 0.0 <= o.underside_z_m <= MAX_UNDERSIDE_M:
        raise InvalidSceneError(
            f"{where}.position: underside at z = {o.underside_z_m} m",
            f"Use z from 0 (the table) to {MAX_UNDERSIDE_M}.",
        )
    if o.footprint.distance_m((0.0, 0.0)) < ARM_FOOT_RADIUS_M:
        raise InvalidSceneError(
            f"{where}.position: {list(o.position)} puts '{o.id}' into the arm's foot",
            f"Keep {ARM_FOOT_RADIUS_M} m clear of (0, 0).",
        )


def _check_stretch(o: SceneObject, where: str) -> None:
    low, high = STRETCH_LIMITS
    if not all(low <= v <= high for v in o.stretch):
        raise InvalidSceneError(
            f"{where}.stretch: {list(o.stretch)}", f"Use three factors from {low} to {high}."
        )
    x, y, z = o.stretch
    if (
        (o.dims.round and x != y)
        or (o.shape == "ball" and x != z)
        or (o.shape in ("capsule", "dumbbell") and y != z)
    ):
        raise InvalidSceneError(
            f"{where}.stretch: {list(o.stretch)} on a {o.shape}, which would no longer be round",
            "Use the same factor along the axes that the roundness needs.",
        )


def _check_label(o: SceneObject, where: str) -> None:
    if o.shape not in LABELLED:
        raise InvalidSceneError(
            f"{where}.label: '{o.label}' on a {o.shape}", f"Only these carry a label: {', '.join(LABELLED)}."
        )
    assert o.label is not None
    if not (1 <= len(o.label) <= 4 and o.label.isascii() and o.label.isalnum()):
        raise InvalidSceneError(f"{where}.label: '{o.label}'", "Use 1 to 4 letters or digits.")


def _check_apart(objects: Sequence[SceneObject], source: str) -> None:
    for i, a in enumerate(objects):
        for b in objects[i + 1 :]:
            if overlap(a, b):
                raise InvalidSceneError(
                    f"{source}: objects: '{a.id}' at {list(a.position)} and "
                    f"'{b.id}' at {list(b.position)} overlap",
                    "Move one of them, or give the upper one a z: position: [x, y, z of its underside].",
                )


def overlap(a: SceneObject, b: SceneObject) -> bool:
    """Whether two objects take the same space; a thing that fits into a hollow one does not."""
    if gap_m(a.footprint, b.footprint) >= -_OVERLAP_TOLERANCE_M:
        return False
    upper, lower = (a, b) if a.underside_z_m >= b.underside_z_m else (b, a)
    if upper.underside_z_m >= lower.underside_z_m + lower.dims.height_m - _OVERLAP_TOLERANCE_M:
        return False
    return not fits_inside(upper, lower)


def inner_half_m(dims: Dimensions, height_m: float) -> tuple[float, float]:
    """Half of a hollow thing's inner width (x, y) at a height above its underside; its wall is straight."""
    share = (height_m - dims.floor_m) / max(dims.height_m - dims.floor_m, 1e-6)
    share = min(max(share, 0.0), 1.0)
    x, y = (f + share * (o - f) for f, o in zip(dims.inner_floor_m, dims.opening_m, strict=True))
    return (x / 2, y / 2)


def fits_inside(a: SceneObject, b: SceneObject) -> bool:
    """Whether `a`, where it is, lies in the hollow of `b` without touching its wall or floor."""
    height = a.underside_z_m - b.underside_z_m
    if not b.dims.hollow or height < b.dims.floor_m - _OVERLAP_TOLERANCE_M:
        return False
    half = inner_half_m(b.dims, height)
    if b.dims.round:
        offset = math.dist(a.position[:2], b.position[:2])
        return offset + a.footprint.reach_m <= half[0] + _OVERLAP_TOLERANCE_M
    hollow = Footprint(b.footprint.center_m, half, b.yaw, round=False)
    points = [a.footprint.center_m] if a.footprint.round else a.footprint.corners()
    margin = a.footprint.reach_m if a.footprint.round else 0.0
    return all(hollow.distance_m(p) + margin <= _OVERLAP_TOLERANCE_M for p in points)
