"""An object as primitive parts for physics, in its own frame (its outer box's middle), with honest inertia.

Hollow things are a floor and walls: bowls and cups a ring of tilted boxes, cheap to collide, open on top.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from mmrobot.tabletop.objects import DISTRACTORS, ODDMENTS, Dimensions
from mmrobot.tabletop.oddments import oddment
from mmrobot.types import Vector3

RING_BOXES = 12
_STEPS = 4
# Walls end a little above the underside, so that only the floor touches the table: fewer contacts.
_WALL_CLEARANCE_M = 0.002
# With this the ring's corners are as much too wide as its flats are too narrow.
_RING_FLAT = (1 + math.cos(math.pi / RING_BOXES)) / 2


@dataclass(frozen=True)
class Part:
    """A primitive in metres: `box` (x, y, z), `cylinder` (radius, length) or `sphere` (radius)."""

    name: str
    kind: str
    size_m: tuple[float, ...]
    xyz_m: Vector3 = (0.0, 0.0, 0.0)
    rpy: Vector3 = (0.0, 0.0, 0.0)

    @property
    def volume_m3(self) -> float:
        if self.kind == "box":
            return self.size_m[0] * self.size_m[1] * self.size_m[2]
        if self.kind == "cylinder":
            return math.pi * self.size_m[0] ** 2 * self.size_m[1]
        return 4 / 3 * math.pi * self.size_m[0] ** 3

    def unit_inertia(self) -> NDArray[np.float64]:
        """(3, 3) about its own middle in the object's axes, per kilogram."""
        if self.kind == "box":
            x, y, z = (v * v for v in self.size_m)
            local = np.diag([(y + z) / 12, (x + z) / 12, (x + y) / 12])
        elif self.kind == "cylinder":
            r, h = self.size_m
            across = (3 * r * r + h * h) / 12
            local = np.diag([across, across, r * r / 2])
        else:
            local = np.eye(3) * 0.4 * self.size_m[0] ** 2
        R = Rotation.from_euler("xyz", self.rpy).as_matrix()
        return np.asarray(R @ local @ R.T, dtype=np.float64)


def _ring(r0: float, z0: float, r1: float, z1: float, thickness: float) -> list[Part]:
    """A wall from radius r0 at z0 out to r1 at z1 (its middle surface), as boxes set round the axis."""
    length = math.hypot(r1 - r0, z1 - z0)
    tilt = math.atan2(r1 - r0, z1 - z0)
    width = 2 * max(r0, r1) * math.tan(math.pi / RING_BOXES)
    radius, z = (r0 + r1) / 2 * _RING_FLAT, (z0 + z1) / 2
    parts = []
    for i in range(RING_BOXES):
        phi = 2 * math.pi * i / RING_BOXES
        xyz = (radius * math.cos(phi), radius * math.sin(phi), z)
        parts.append(Part(f"wall_{i}", "box", (thickness, width, length), xyz, (0.0, tilt, phi)))
    return parts


def _vessel(dims: Dimensions) -> list[Part]:
    bottom = -dims.height_m / 2
    floor = Part(
        "floor", "cylinder", (dims.base_m[0] / 2, dims.floor_m), (0.0, 0.0, bottom + dims.floor_m / 2)
    )
    half = dims.wall_m / 2
    r0, r1 = dims.base_m[0] / 2 - half, dims.size_m[0] / 2 - half
    return [floor, *_ring(r0, bottom + _WALL_CLEARANCE_M, r1, -bottom, dims.wall_m)]


def _tray(dims: Dimensions) -> list[Part]:
    x, y, z = dims.size_m
    wall = dims.wall_m
    parts = [Part("floor", "box", (x, y, dims.floor_m), (0.0, 0.0, -z / 2 + dims.floor_m / 2))]
    height = z - dims.floor_m
    up = dims.floor_m / 2
    for name, sign in (("front", -1), ("back", 1)):
        parts.append(Part(f"wall_{name}", "box", (wall, y, height), (sign * (x - wall) / 2, 0.0, up)))
    for name, sign in (("right", -1), ("left", 1)):
        parts.append(
            Part(f"wall_{name}", "box", (x - 2 * wall, wall, height), (0.0, sign * (y - wall) / 2, up))
        )
    return parts


def _ring_flat(dims: Dimensions) -> list[Part]:
    """A flat ring, a quarter of its width thick."""
    x, _, z = dims.size_m
    thickness = x / 4
    radius = (x - thickness) / 2
    return _ring(radius, -z / 2, radius, z / 2, thickness)


def _blocks(shape: str, dims: Dimensions) -> list[Part]:
    """Distractors made of boxes; sloping sides become steps, which only their neighbours feel."""
    x, y, z = dims.size_m

    def box(name: str, size: Vector3, at: Vector3 = (0.0, 0.0, 0.0), turn: float = 0.0) -> Part:
        return Part(name, "box", size, at, (0.0, 0.0, turn))

    if shape == "cross":
        third = x / 3
        return [
            box("long", (x, third, z)),
            *(box(f"arm_{k}", (third, third, z), (0.0, s * third, 0.0)) for k, s in enumerate((-1, 1))),
        ]
    if shape == "l_block":
        width = y * 0.42
        return [
            box("long", (x, width, z), (0.0, (width - y) / 2, 0.0)),
            box("short", (width, y - width, z), ((width - x) / 2, width / 2, 0.0)),
        ]
    if shape == "t_block":
        width = y * 0.42
        return [
            box("long", (x, width, z), (0.0, (y - width) / 2, 0.0)),
            box("stem", (width, y - width, z), (0.0, -width / 2, 0.0)),
        ]
    if shape == "zigzag":
        return [
            box(f"half_{k}", (x * 0.62, y / 2, z), (s * x * 0.19, s * y / 4, 0.0))
            for k, s in enumerate((-1, 1))
        ]
    if shape == "stairs":
        return [
            box(f"step_{k}", (x / 3, y, z * (k + 1) / 3), ((k - 1) * x / 3, 0.0, z * ((k + 1) / 3 - 1) / 2))
            for k in range(3)
        ]
    if shape == "frame":
        bar = y * 0.24
        sides = [box(f"side_{k}", (x, bar, z), (0.0, s * (y - bar) / 2, 0.0)) for k, s in enumerate((-1, 1))]
        ends = [
            box(f"end_{k}", (bar, y - 2 * bar, z), (s * (x - bar) / 2, 0.0, 0.0))
            for k, s in enumerate((-1, 1))
        ]
        return [*sides, *ends]
    if shape == "arch":
        foot, top = x * 0.27, z * 0.35
        feet = [
            box(f"foot_{k}", (foot, y, z - top), (s * (x - foot) / 2, 0.0, -top / 2))
            for k, s in enumerate((-1, 1))
        ]
        return [*feet, box("top", (x, y, top), (0.0, 0.0, (z - top) / 2))]
    if shape == "hexagon":
        # Three rectangles, each as wide as a side, fill a regular hexagon.
        return [box(f"span_{k}", (x / 2, y, z), turn=k * math.pi / 3) for k in range(3)]
    share = [k / _STEPS for k in range(_STEPS)]
    rise = z / _STEPS
    level = [-z / 2 + (k + 0.5) * rise for k in range(_STEPS)]
    if shape == "wedge":
        return [
            box(f"step_{k}", (x * (1 - s), y, rise), (-x * s / 2, 0.0, level[k])) for k, s in enumerate(share)
        ]
    return [
        box(f"step_{k}", (x * (1 - s), y * (1 - s), rise), (0.0, 0.0, level[k])) for k, s in enumerate(share)
    ]


def _distractor(shape: str, dims: Dimensions) -> list[Part]:
    x, y, z = dims.size_m
    if shape == "slab":
        return [Part("body", "box", dims.size_m)]
    if shape == "ring":
        return _ring_flat(dims)
    if shape == "cone":
        rise = z / _STEPS
        return [
            Part(
                f"step_{k}",
                "cylinder",
                (x / 2 * (1 - k / _STEPS), rise),
                (0.0, 0.0, -z / 2 + (k + 0.5) * rise),
            )
            for k in range(_STEPS)
        ]
    if shape in ("capsule", "dumbbell"):
        thick = y / 2 if shape == "capsule" else y / 5
        ends = [
            Part(f"end_{k}", "sphere", (y / 2,), (s * (x - y) / 2, 0.0, 0.0)) for k, s in enumerate((-1, 1))
        ]
        return [Part("body", "cylinder", (thick, x - y), (0.0, 0.0, 0.0), (0.0, math.pi / 2, 0.0)), *ends]
    return _blocks(shape, dims)


def collision_parts(shape: str, dims: Dimensions) -> list[Part]:
    """What the physics touches."""
    if shape in ODDMENTS:
        return [Part(f"piece_{k}", *primitive) for k, primitive in enumerate(oddment(shape, dims))]
    if shape in DISTRACTORS:
        return _distractor(shape, dims)
    x, _, z = dims.size_m
    if shape in ("cube", "bar"):
        return [Part("body", "box", dims.size_m)]
    if shape == "ball":
        return [Part("body", "sphere", (x / 2,))]
    if shape == "cylinder":
        return [Part("body", "cylinder", (x / 2, z))]
    return _tray(dims) if shape == "tray" else _vessel(dims)


def inertial(parts: list[Part], mass_kg: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Centre of mass (3,) and inertia about it (3, 3), kg m^2, of even density in the object's frame."""
    masses = np.array([p.volume_m3 for p in parts])
    masses *= mass_kg / masses.sum()
    centers = np.array([p.xyz_m for p in parts])
    com = masses @ centers / mass_kg
    total = np.zeros((3, 3))
    for mass, center, part in zip(masses, centers, parts, strict=True):
        d = center - com
        total += mass * (part.unit_inertia() + (d @ d) * np.eye(3) - np.outer(d, d))
    return com, total
