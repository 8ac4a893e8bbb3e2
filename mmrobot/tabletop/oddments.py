"""Things put together at random from boxes, cylinders and balls, which no word names; for training alone.

A model that has only ever seen a dozen nameless shapes takes what is like none of them for a thing that it
knows. None of these was drawn after the shapes that are held out.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from mmrobot.tabletop.objects import ODDMENTS, Dimensions
from mmrobot.types import Vector3

_SALT = 0x0DD
_UPRIGHT: Vector3 = (0.0, 0.0, 0.0)
Floats = NDArray[np.float64]
Primitive = tuple[str, tuple[float, ...], Vector3, Vector3]
"""Kind, size in metres, middle in the thing's frame, roll, pitch and yaw: as a Part of `parts`."""


def oddment(shape: str, dims: Dimensions) -> list[Primitive]:
    """The primitives of one of ODDMENTS, always the same for its name, fitted into its outer box.

    The first lies along x from end to end; one to three more overlap it, beside or above it.
    """
    rng = np.random.default_rng([_SALT, ODDMENTS.index(shape)])
    size = np.array(dims.size_m)
    width, height = rng.uniform(0.4, 0.85), rng.uniform(0.4, 0.8)
    side = int(rng.integers(2))
    made = [_lying(rng, np.array([1.0, width, height]), side, size)]
    for k in range(int(rng.integers(1, 4))):
        extent = np.array([rng.uniform(0.2, 0.55), rng.uniform(0.35, 1.0), 1 - 0.4 * height])
        at_top = k == 0 or rng.random() < 0.4
        if not at_top:
            extent[2] = height
        if k == 0:
            # To the other side, and to the top: the outer box is filled.
            extent[1] = max(extent[1], 1.2 - width)
        flush = 1 - side if k == 0 else int(rng.integers(2))
        x, z = rng.uniform(0, 1 - extent[0]), 1 - extent[2] if at_top else 0.0
        low = np.array([x, flush * (1 - extent[1]), z])
        kind = "box" if k == 0 else str(rng.choice(["box", "cylinder", "sphere"]))
        made.append(_standing(kind, low * size - size / 2, extent * size))
    return made


def _lying(rng: np.random.Generator, share: Floats, side: int, size: Floats) -> Primitive:
    """A box or a cylinder from end to end along x, on the ground and flush with one side in y."""
    extent = share * size
    if rng.random() < 0.5:
        extent[1:] = extent[1:].min()
    middle = (extent - size) / 2
    middle[0], middle[1] = 0.0, middle[1] if side == 0 else -middle[1]
    if rng.random() < 0.5 or extent[1] != extent[2]:
        return "box", tuple(extent.tolist()), _vector(middle), _UPRIGHT
    return "cylinder", (extent[1] / 2, extent[0]), _vector(middle), (0.0, math.pi / 2, 0.0)


def _standing(kind: str, low_m: Floats, extent_m: Floats) -> Primitive:
    """What is round is as thick as the thinner way, and stands in the middle of its ground."""
    middle = low_m + extent_m / 2
    if kind == "box":
        return kind, tuple(extent_m.tolist()), _vector(middle), _UPRIGHT
    if kind == "cylinder":
        return kind, (float(extent_m[:2].min()) / 2, float(extent_m[2])), _vector(middle), _UPRIGHT
    radius = float(extent_m.min()) / 2
    middle[2] = low_m[2] + radius
    return kind, (radius,), _vector(middle), _UPRIGHT


def _vector(v: Floats) -> Vector3:
    return (float(v[0]), float(v[1]), float(v[2]))
