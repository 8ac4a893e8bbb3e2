"""Where an object stands, seen from above: a circle or a turned rectangle; the gap between two of them."""

from __future__ import annotations

import math
from dataclasses import dataclass

from mmrobot.tabletop.objects import Dimensions

Point = tuple[float, float]


@dataclass(frozen=True)
class Footprint:
    """In base, metres, radians. `half_m` is half of (x, y) along its own axes; half_m[0] the radius."""

    center_m: Point
    half_m: Point
    yaw: float
    round: bool

    @classmethod
    def of(cls, dims: Dimensions, center_m: Point, yaw: float) -> Footprint:
        return cls(center_m, (dims.size_m[0] / 2, dims.size_m[1] / 2), yaw, dims.round)

    @property
    def reach_m(self) -> float:
        """Radius of the circle around it."""
        return self.half_m[0] if self.round else math.hypot(*self.half_m)

    @property
    def extent_m(self) -> Point:
        """Half widths along the base's x and y."""
        if self.round:
            return (self.half_m[0], self.half_m[0])
        c, s = abs(math.cos(self.yaw)), abs(math.sin(self.yaw))
        return (c * self.half_m[0] + s * self.half_m[1], s * self.half_m[0] + c * self.half_m[1])

    def corners(self) -> list[Point]:
        """The rectangle's corners in base, going round."""
        c, s = math.cos(self.yaw), math.sin(self.yaw)
        hx, hy = self.half_m
        x0, y0 = self.center_m
        signs = ((1, 1), (-1, 1), (-1, -1), (1, -1))
        return [(x0 + c * i * hx - s * j * hy, y0 + s * i * hx + c * j * hy) for i, j in signs]

    def distance_m(self, point: Point) -> float:
        """From a point to this footprint's edge, negative inside."""
        dx, dy = point[0] - self.center_m[0], point[1] - self.center_m[1]
        if self.round:
            return math.hypot(dx, dy) - self.half_m[0]
        c, s = math.cos(self.yaw), math.sin(self.yaw)
        ox = abs(c * dx + s * dy) - self.half_m[0]
        oy = abs(-s * dx + c * dy) - self.half_m[1]
        return math.hypot(max(ox, 0.0), max(oy, 0.0)) + min(max(ox, oy), 0.0)


def _separation_m(a: Footprint, b: Footprint) -> float:
    """Largest gap of two rectangles along any of their axes (separating axes), negative on overlap."""
    ca, cb = a.corners(), b.corners()
    best = -math.inf
    for yaw in (a.yaw, a.yaw + math.pi / 2, b.yaw, b.yaw + math.pi / 2):
        c, s = math.cos(yaw), math.sin(yaw)
        pa = [c * x + s * y for x, y in ca]
        pb = [c * x + s * y for x, y in cb]
        best = max(best, min(pa) - max(pb), min(pb) - max(pa))
    return best


def gap_m(a: Footprint, b: Footprint) -> float:
    """The distance between two footprints' edges; negative when they overlap (a depth, not exact)."""
    if b.round:
        return a.distance_m(b.center_m) - b.half_m[0]
    if a.round:
        return b.distance_m(a.center_m) - a.half_m[0]
    separation = _separation_m(a, b)
    if separation <= 0:
        return separation
    corners = [b.distance_m(p) for p in a.corners()] + [a.distance_m(p) for p in b.corners()]
    return min(corners)
