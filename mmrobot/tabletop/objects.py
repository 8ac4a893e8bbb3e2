"""What may lie on the table: shapes with their dimensions in metres, and colours with their sRGB values.

`SHAPES` are those that have a name in the language. Distractors lie about as well and are none of them; those
held out are of level L3 and in no training picture.

Every object's own frame sits in the middle of its outer box, z up along its axis, x along its longest side.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache

SHAPES = ("cube", "ball", "cylinder", "bar", "cup", "bowl", "plate", "tray")
SIZES = ("small", "large")
GRASPABLE = ("cube", "ball", "cylinder", "bar", "cup")
CONTAINERS = ("bowl", "plate", "tray", "cup")
LABELLED = ("cube", "tray")
ROUND = ("ball", "cylinder", "cup", "bowl", "plate")
TRAINED_DISTRACTORS = (
    "cone",
    "wedge",
    "ring",
    "slab",
    "hexagon",
    "cross",
    "t_block",
    "zigzag",
    "stairs",
    "frame",
    "dumbbell",
)
HELD_OUT_DISTRACTORS = ("capsule", "pyramid", "l_block", "arch")
ODDMENTS = tuple(f"oddment_{k}" for k in range(1, 11))
"""Put together at random (mmrobot/tabletop/oddments.py); in training's pictures alone."""
DISTRACTORS = (*TRAINED_DISTRACTORS, *HELD_OUT_DISTRACTORS)
"""Those of evaluations."""
NAMELESS = (*DISTRACTORS, *ODDMENTS)

# Fully saturated values would clip under bright light and lose their shading.
COLORS: dict[str, tuple[float, float, float]] = {
    "red": (0.80, 0.07, 0.08),
    "green": (0.10, 0.55, 0.16),
    "blue": (0.08, 0.22, 0.78),
    "yellow": (0.94, 0.82, 0.08),
    "orange": (0.96, 0.44, 0.03),
    "purple": (0.46, 0.13, 0.60),
    "white": (0.95, 0.95, 0.94),
    "black": (0.06, 0.06, 0.07),
    "cyan": (0.10, 0.78, 0.84),
    "pink": (0.98, 0.52, 0.70),
    "brown": (0.38, 0.20, 0.09),
    "grey": (0.48, 0.48, 0.50),
}
TRAINED_COLORS = ("red", "green", "blue", "yellow", "orange", "purple", "white", "black")
EXTRA_COLORS = ("cyan", "pink", "brown", "grey")


Stretch = tuple[float, float, float]
"""Factors along an object's own x, y and z."""


@dataclass(frozen=True)
class Dimensions:
    """One shape at one size.

    `size_m` is the outer box. Hollow things have a wall and a floor thickness, an inner opening
    (x, y) at the rim, and the inner floor (x, y); solid ones have zeros there. `base_m` is the
    outer width (x, y) at the underside.
    """

    size_m: tuple[float, float, float]
    mass_kg: float
    base_m: tuple[float, float]
    wall_m: float = 0.0
    floor_m: float = 0.0
    opening_m: tuple[float, float] = (0.0, 0.0)
    inner_floor_m: tuple[float, float] = (0.0, 0.0)
    round: bool = False

    @property
    def hollow(self) -> bool:
        return self.floor_m > 0

    @property
    def height_m(self) -> float:
        return self.size_m[2]

    @property
    def surface_height_m(self) -> float:
        """Where a thing put in or on it comes to rest, above its underside."""
        return self.floor_m if self.hollow else self.size_m[2]

    def stretched(self, factors: Stretch) -> Dimensions:
        """The same thing, so many times as long, wide and high; walls keep their thickness."""
        if factors == (1.0, 1.0, 1.0):
            return self
        fx, fy, fz = factors
        size = (self.size_m[0] * fx, self.size_m[1] * fy, self.size_m[2] * fz)
        base = (self.base_m[0] * fx, self.base_m[1] * fy)
        made = replace(self, size_m=size, base_m=base, mass_kg=round(self.mass_kg * fx * fy * fz, 6))
        if not self.hollow:
            return made
        wall = 2 * self.wall_m
        return replace(
            made,
            opening_m=(size[0] - wall, size[1] - wall),
            inner_floor_m=(base[0] - wall, base[1] - wall),
        )


def _solid(x: float, y: float, z: float, mass_kg: float, *, round_: bool = False) -> Dimensions:
    return Dimensions((x, y, z), mass_kg, (x, y), round=round_)


def _vessel(
    diameter: float, height: float, base: float, wall: float, floor: float, mass_kg: float
) -> Dimensions:
    """A round, open thing whose wall goes straight from the base's width to the rim's."""
    opening, inner = diameter - 2 * wall, base - 2 * wall
    return Dimensions(
        (diameter, diameter, height),
        mass_kg,
        (base, base),
        wall,
        floor,
        (opening, opening),
        (inner, inner),
        True,
    )


def _tray(x: float, y: float, height: float, wall: float, floor: float, mass_kg: float) -> Dimensions:
    inner = (x - 2 * wall, y - 2 * wall)
    return Dimensions((x, y, height), mass_kg, (x, y), wall, floor, inner, inner)


_DIMENSIONS: dict[tuple[str, str], Dimensions] = {
    ("cube", "small"): _solid(0.040, 0.040, 0.040, 0.040),
    ("cube", "large"): _solid(0.052, 0.052, 0.052, 0.070),
    ("ball", "small"): _solid(0.042, 0.042, 0.042, 0.030, round_=True),
    ("ball", "large"): _solid(0.054, 0.054, 0.054, 0.050, round_=True),
    ("cylinder", "small"): _solid(0.040, 0.040, 0.050, 0.045, round_=True),
    ("cylinder", "large"): _solid(0.050, 0.050, 0.065, 0.075, round_=True),
    ("bar", "small"): _solid(0.090, 0.026, 0.026, 0.045),
    ("bar", "large"): _solid(0.120, 0.032, 0.032, 0.080),
    ("cup", "small"): _vessel(0.060, 0.070, 0.050, 0.004, 0.005, 0.045),
    ("cup", "large"): _vessel(0.072, 0.085, 0.060, 0.004, 0.005, 0.070),
    ("bowl", "small"): _vessel(0.130, 0.045, 0.078, 0.005, 0.006, 0.180),
    ("bowl", "large"): _vessel(0.160, 0.055, 0.096, 0.005, 0.006, 0.250),
    ("plate", "small"): _vessel(0.140, 0.015, 0.100, 0.004, 0.006, 0.200),
    ("plate", "large"): _vessel(0.170, 0.015, 0.122, 0.004, 0.006, 0.280),
    ("tray", "small"): _tray(0.160, 0.120, 0.025, 0.005, 0.005, 0.200),
    ("tray", "large"): _tray(0.200, 0.150, 0.030, 0.005, 0.005, 0.300),
    ("cone", "small"): _solid(0.050, 0.050, 0.060, 0.030, round_=True),
    ("cone", "large"): _solid(0.064, 0.064, 0.080, 0.060, round_=True),
    ("wedge", "small"): _solid(0.070, 0.045, 0.040, 0.050),
    ("wedge", "large"): _solid(0.090, 0.055, 0.052, 0.090),
    ("ring", "small"): _solid(0.070, 0.070, 0.016, 0.025, round_=True),
    ("ring", "large"): _solid(0.095, 0.095, 0.020, 0.045, round_=True),
    ("slab", "small"): _solid(0.105, 0.075, 0.018, 0.090),
    ("slab", "large"): _solid(0.140, 0.100, 0.024, 0.180),
    ("hexagon", "small"): _solid(0.052, 0.045, 0.036, 0.045),
    ("hexagon", "large"): _solid(0.066, 0.0572, 0.046, 0.080),
    ("cross", "small"): _solid(0.070, 0.070, 0.024, 0.040),
    ("cross", "large"): _solid(0.092, 0.092, 0.030, 0.075),
    ("t_block", "small"): _solid(0.072, 0.060, 0.026, 0.045),
    ("t_block", "large"): _solid(0.094, 0.078, 0.032, 0.085),
    ("zigzag", "small"): _solid(0.078, 0.048, 0.026, 0.045),
    ("zigzag", "large"): _solid(0.100, 0.062, 0.032, 0.085),
    ("stairs", "small"): _solid(0.066, 0.034, 0.048, 0.055),
    ("stairs", "large"): _solid(0.086, 0.044, 0.062, 0.100),
    ("frame", "small"): _solid(0.076, 0.060, 0.018, 0.030),
    ("frame", "large"): _solid(0.100, 0.078, 0.022, 0.055),
    ("dumbbell", "small"): _solid(0.084, 0.032, 0.032, 0.040),
    ("dumbbell", "large"): _solid(0.110, 0.042, 0.042, 0.075),
    ("capsule", "small"): _solid(0.085, 0.034, 0.034, 0.045),
    ("capsule", "large"): _solid(0.110, 0.042, 0.042, 0.080),
    ("pyramid", "small"): _solid(0.052, 0.052, 0.048, 0.040),
    ("pyramid", "large"): _solid(0.066, 0.066, 0.062, 0.070),
    ("l_block", "small"): _solid(0.070, 0.060, 0.026, 0.045),
    ("l_block", "large"): _solid(0.092, 0.078, 0.032, 0.085),
    ("arch", "small"): _solid(0.084, 0.032, 0.046, 0.055),
    ("arch", "large"): _solid(0.108, 0.040, 0.060, 0.100),
}

# Of all proportions: long and flat, stout, high. In metres; a large one is 1.3 times as large.
_ODDMENT_M = (
    (0.092, 0.040, 0.038), (0.070, 0.062, 0.030), (0.104, 0.034, 0.034), (0.058, 0.048, 0.056),
    (0.080, 0.044, 0.026), (0.066, 0.040, 0.050), (0.098, 0.052, 0.044), (0.050, 0.044, 0.066),
    (0.086, 0.036, 0.048), (0.110, 0.046, 0.028),
)  # fmt: skip
_DIMENSIONS |= {
    (name, size): _solid(round(factor * x, 4), round(factor * y, 4), round(factor * z, 4), mass_kg)
    for name, (x, y, z) in zip(ODDMENTS, _ODDMENT_M, strict=True)
    for size, factor, mass_kg in (("small", 1.0, 0.045), ("large", 1.3, 0.085))
}


def dimensions(shape: str, size: str) -> Dimensions:
    """A shape at a size, a distractor too; KeyError for a pair that does not exist."""
    return _DIMENSIONS[shape, size]


@lru_cache(maxsize=4096)
def stretched(shape: str, size: str, factors: Stretch) -> Dimensions:
    """`dimensions` with factors; placing a scene asks for them thousands of times."""
    return dimensions(shape, size).stretched(factors)


def default_size(shape: str) -> str:
    """The size of an object whose episode does not say: containers that stand are large, the rest small."""
    return "large" if shape in ("bowl", "plate", "tray") else "small"


def is_graspable(shape: str) -> bool:
    return shape in GRASPABLE


def is_container(shape: str) -> bool:
    return shape in CONTAINERS


def nearest_name(name: str, known: Iterable[str]) -> str:
    """The known name that looks most like `name`, for error messages."""
    names = list(known)
    close = difflib.get_close_matches(str(name).lower(), names, n=1, cutoff=0.0)
    return close[0] if close else names[0]
