"""Footprints on the table: oriented rectangles, and how far apart two of them are. Metres, radians."""

from __future__ import annotations

import math
from dataclasses import dataclass

from mmrobot.types import GroundedObject


@dataclass(frozen=True)
class Footprint:
    """A rectangle on the table: middle, half sides along its own axes, turn about z."""

    x_m: float
    y_m: float
    half_x_m: float
    half_y_m: float
    yaw_rad: float = 0.0

    def half_extent(self, direction_rad: float) -> float:
        """How far the rectangle reaches from its middle along a direction of the table."""
        turn = direction_rad - self.yaw_rad
        return abs(self.half_x_m * math.cos(turn)) + abs(self.half_y_m * math.sin(turn))

    def at(self, x_m: float, y_m: float) -> Footprint:
        """The same rectangle elsewhere."""
        return Footprint(x_m, y_m, self.half_x_m, self.half_y_m, self.yaw_rad)

    def covers(self, x_m: float, y_m: float) -> bool:
        """Whether a point lies on the rectangle."""
        dx, dy = x_m - self.x_m, y_m - self.y_m
        along_x = dx * math.cos(self.yaw_rad) + dy * math.sin(self.yaw_rad)
        along_y = -dx * math.sin(self.yaw_rad) + dy * math.cos(self.yaw_rad)
        return abs(along_x) <= self.half_x_m and abs(along_y) <= self.half_y_m


def footprint_of(thing: GroundedObject) -> Footprint:
    """The footprint of a thing seen."""
    return Footprint(
        thing.position_m[0], thing.position_m[1], thing.size_m[0] / 2, thing.size_m[1] / 2, thing.yaw_rad
    )


def gap_m(a: Footprint, b: Footprint) -> float:
    """Gap between two rectangles: the widest separation along any side's normal or the line of their
    middles (separating axes; never more than the true distance). Negative where they overlap.
    """
    middles = math.atan2(b.y_m - a.y_m, b.x_m - a.x_m)
    axes = (middles, a.yaw_rad, a.yaw_rad + math.pi / 2, b.yaw_rad, b.yaw_rad + math.pi / 2)
    return max(_separation(a, b, axis) for axis in axes)


def _separation(a: Footprint, b: Footprint, axis_rad: float) -> float:
    along = (b.x_m - a.x_m) * math.cos(axis_rad) + (b.y_m - a.y_m) * math.sin(axis_rad)
    return abs(along) - a.half_extent(axis_rad) - b.half_extent(axis_rad)
