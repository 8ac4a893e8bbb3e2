"""A small exact ray caster of table scenes: depth, masks and true boxes without any simulator.

Depth noise is worse than a good camera's: axial noise, holes and flying pixels at edges, single dropouts.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from mmrobot.perception.camera import project, ray_map
from mmrobot.perception.camera_file import table_camera
from mmrobot.tabletop.footprint import gap_m
from mmrobot.tabletop.meshes import profile
from mmrobot.tabletop.objects import COLORS, SHAPES, TRAINED_COLORS
from mmrobot.tabletop.scene import SceneObject
from mmrobot.types import RgbdFrame, ScoredBox

FLOOR_Z_M = -0.75
TABLE_X_M, TABLE_Y_M = (-0.25, 0.95), (-0.70, 0.70)


@dataclass(frozen=True)
class Noise:
    """Depth errors: `axial_m` at 1 m, growing with depth squared; shares of edge and of all pixels."""

    axial_m: float = 0.0015
    edge_holes: float = 0.4
    flying: float = 0.25
    dropout: float = 0.005


NO_NOISE = Noise(0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True, eq=False)
class Look:
    """A frame with the truth about it: `ids` (H, W) is the index of the object seen, -1 for none."""

    frame: RgbdFrame
    ids: NDArray[np.int32]
    objects: tuple[SceneObject, ...]

    def box(self, index: int, min_pixels: int = 60) -> ScoredBox | None:
        """The tight box of what is seen of an object, pixel edges included; None when hardly anything is."""
        v, u = np.nonzero(self.ids == index)
        if u.size < min_pixels:
            return None
        o = self.objects[index]
        edges = (u.min() - 0.5, v.min() - 0.5, u.max() + 0.5, v.max() + 0.5)
        return ScoredBox(f"{o.color} {o.shape}", tuple(float(e) for e in edges), 1.0)  # type: ignore[arg-type]


def middle_m(o: SceneObject) -> NDArray[np.float64]:
    """The true middle of an object's outer box in base."""
    return np.array([o.position[0], o.position[1], o.underside_z_m + o.dims.height_m / 2])


def look(
    objects: Sequence[SceneObject], rng: np.random.Generator, noise: Noise = Noise(), table_z_m: float = 0.0
) -> Look:
    """Render objects as they stand, the whole scene lifted by `table_z_m`."""
    camera, T = table_camera()
    grid = ray_map(camera).astype(np.float64)
    shape = grid.shape[:2]
    origin, directions = T[:3, 3] - [0, 0, table_z_m], grid @ T[:3, :3].T
    depth = _plane(origin, directions, 0.0)
    hit = origin + directions * depth[..., None]
    on_table = _within(hit[..., 0], TABLE_X_M) & _within(hit[..., 1], TABLE_Y_M)
    depth = np.where(on_table, depth, _plane(origin, directions, FLOOR_Z_M))
    ids = np.full(shape, -1, dtype=np.int32)
    rgb = np.full((*shape, 3), 150, dtype=np.uint8)
    to_camera = np.linalg.inv(T)
    for index, o in enumerate(objects):
        window = _window(o, to_camera, camera, table_z_m, shape)
        c, s = math.cos(o.yaw), math.sin(o.yaw)
        to_object = np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]])
        local_origin = to_object @ (origin - middle_m(o))
        t = _cast(o, local_origin, directions[window] @ to_object.T)
        nearer = t < depth[window]
        depth[window] = np.where(nearer, t, depth[window])
        ids[window] = np.where(nearer, index, ids[window])
        rgb[window][nearer] = np.array(COLORS[o.color]) * 255
    return Look(RgbdFrame(rgb, _noisy(depth, rng, noise), camera, T, 1_000_000_000), ids, tuple(objects))


def random_objects(rng: np.random.Generator, count: int, gap: float = 0.025) -> list[SceneObject]:
    """Things on the table in the work area, their footprints at least `gap` metres apart."""
    out: list[SceneObject] = []
    while len(out) < count:
        shape = str(rng.choice(SHAPES))
        size = str(rng.choice(["small", "large"]))
        color = str(rng.choice(TRAINED_COLORS))
        xy = (float(rng.uniform(0.27, 0.63)), float(rng.uniform(-0.33, 0.33)))
        o = SceneObject(f"o{len(out)}", shape, color, size, xy, float(rng.uniform(-math.pi, math.pi)))
        if all(gap_m(o.footprint, other.footprint) > gap for other in out):
            out.append(o)
    return out


def stacked_pair(rng: np.random.Generator) -> tuple[list[SceneObject], str]:
    """Two things, the second on or in the first, and the kind of pair."""
    kind = str(rng.choice(["cube_on_cube", "on_plate", "in_tray", "in_bowl", "ball_in_cup", "on_bar"]))
    lower = {
        "cube_on_cube": "cube",
        "on_plate": "plate",
        "in_tray": "tray",
        "in_bowl": "bowl",
        "ball_in_cup": "cup",
    }
    shape = lower.get(kind, "bar")
    upper = "ball" if kind == "ball_in_cup" else "cube" if kind in ("cube_on_cube", "on_bar") else None
    upper = upper or str(rng.choice(["cube", "ball", "cylinder"]))
    x, y = float(rng.uniform(0.32, 0.58)), float(rng.uniform(-0.25, 0.25))
    size = "large" if kind in ("ball_in_cup", "on_bar") else str(rng.choice(["small", "large"]))
    a = SceneObject("a", shape, "blue", size, (x, y), float(rng.uniform(-3, 3)))
    small = "small" if kind != "cube_on_cube" else size
    slack = {"on_plate": 0.02, "in_tray": 0.025, "in_bowl": 0.006, "on_bar": 0.0}.get(kind, 0.004)
    dx, dy = rng.uniform(-slack, slack, 2)
    z = a.dims.surface_height_m
    if kind == "ball_in_cup":
        z = a.dims.floor_m
    b = SceneObject("b", upper, "red", small, (x + float(dx), y + float(dy), z), float(rng.uniform(-3, 3)))
    return [a, b], kind


def _within(values: NDArray[np.float64], bounds: tuple[float, float]) -> NDArray[np.bool_]:
    return (values >= bounds[0]) & (values <= bounds[1])


def _plane(origin: NDArray[np.float64], directions: NDArray[np.float64], z: float) -> NDArray[np.float64]:
    return (z - origin[2]) / directions[..., 2]


def _window(
    o: SceneObject, to_camera: NDArray[np.float64], camera, table_z_m: float, shape
) -> tuple[slice, slice]:  # type: ignore[no-untyped-def]
    """The part of the picture where an object can be seen."""
    reach = math.hypot(o.dims.size_m[0], o.dims.size_m[1]) / 2
    signs = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)])
    corners = middle_m(o) + [0, 0, table_z_m] + signs * [reach, reach, o.dims.height_m / 2]
    uv = project(camera, corners @ to_camera[:3, :3].T + to_camera[:3, 3])
    u0, v0 = np.floor(uv.min(axis=0)).astype(int) - 1
    u1, v1 = np.ceil(uv.max(axis=0)).astype(int) + 2
    return slice(max(v0, 0), min(v1, shape[0])), slice(max(u0, 0), min(u1, shape[1]))


def _cast(
    o: SceneObject, origin: NDArray[np.float64], directions: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Depth of the first hit in the object's own frame, inf for none."""
    x, y, z = o.dims.size_m
    if o.shape in ("cube", "bar"):
        return _box(origin, directions, np.zeros(3), np.array([x, y, z]) / 2)
    if o.shape == "tray":
        wall, floor = o.dims.wall_m, o.dims.floor_m
        parts = [((0.0, 0.0, -z / 2 + floor / 2), (x, y, floor))]
        parts += [((s * (x - wall) / 2, 0.0, 0.0), (wall, y, z)) for s in (-1, 1)]
        parts += [((0.0, s * (y - wall) / 2, 0.0), (x, wall, z)) for s in (-1, 1)]
        hits = [_box(origin, directions, np.array(c), np.array(size) / 2) for c, size in parts]
        return np.minimum.reduce(hits)
    if o.shape == "ball":
        return _sphere(origin, directions, x / 2)
    if o.shape == "cylinder":
        outline = [(0.0, -z / 2), (x / 2, -z / 2), (x / 2, z / 2), (0.0, z / 2)]
    else:
        outline = profile(o.shape, o.dims)
    return np.minimum.reduce([_frustum(origin, directions, a, b) for a, b in pairwise(outline)])


def _box(origin, directions, center, half):  # type: ignore[no-untyped-def]
    with np.errstate(divide="ignore", invalid="ignore"):
        a = (center - half - origin) / directions
        b = (center + half - origin) / directions
    near, far = np.minimum(a, b).max(axis=-1), np.maximum(a, b).min(axis=-1)
    return np.where((near <= far) & (near > 0), near, np.inf)


def _sphere(origin, directions, radius):  # type: ignore[no-untyped-def]
    a, b = (directions**2).sum(axis=-1), directions @ origin
    under = b * b - a * (origin @ origin - radius * radius)
    return np.where(under >= 0, (-b - np.sqrt(np.maximum(under, 0))) / a, np.inf)


def _frustum(origin, directions, start, end):  # type: ignore[no-untyped-def]
    """The nearest hit on the surface that the segment (radius, z) makes when turned about z."""
    (r0, z0), (r1, z1) = start, end
    dx, dy, dz = directions[..., 0], directions[..., 1], directions[..., 2]
    if abs(z1 - z0) < 1e-9:
        t = (z0 - origin[2]) / dz
        r = np.hypot(origin[0] + t * dx, origin[1] + t * dy)
        return np.where((r >= min(r0, r1)) & (r <= max(r0, r1)) & (t > 0), t, np.inf)
    k = (r1 - r0) / (z1 - z0)
    base = r0 + k * (origin[2] - z0)
    a = dx * dx + dy * dy - (k * dz) ** 2
    b = origin[0] * dx + origin[1] * dy - k * dz * base
    c = origin[0] ** 2 + origin[1] ** 2 - base * base
    under = b * b - a * c
    best = np.full(dx.shape, np.inf)
    with np.errstate(divide="ignore", invalid="ignore"):
        root = np.sqrt(np.maximum(under, 0))
        for t in ((-b - root) / a, (-b + root) / a):
            z = origin[2] + t * dz
            ok = (under >= 0) & (t > 0) & (z >= min(z0, z1)) & (z <= max(z0, z1)) & (r0 + k * (z - z0) >= 0)
            best = np.where(ok & (t < best), t, best)
    return best


def _noisy(depth: NDArray[np.float64], rng: np.random.Generator, noise: Noise) -> NDArray[np.float32]:
    if noise == NO_NOISE:
        return depth.astype(np.float32)
    out = depth + rng.normal(0.0, 1.0, depth.shape) * noise.axial_m * depth**2
    edge = np.zeros(depth.shape, dtype=bool)
    other = depth.copy()
    for axis, shift in ((0, 1), (0, -1), (1, 1), (1, -1)):
        moved = np.roll(depth, shift, axis)
        jump = np.abs(moved - depth) > 0.012
        edge |= jump
        other = np.where(jump, moved, other)
    chance = rng.random(depth.shape)
    mix = rng.random(depth.shape)
    flying = edge & (chance < noise.flying)
    out = np.where(flying, depth * mix + other * (1 - mix), out)
    hole = (edge & (chance > 1 - noise.edge_holes)) | (rng.random(depth.shape) < noise.dropout)
    invalid = np.array([np.nan, 0.0, np.inf, -1.0])[rng.integers(0, 4, depth.shape)]
    return np.where(hole, invalid, out).astype(np.float32)
