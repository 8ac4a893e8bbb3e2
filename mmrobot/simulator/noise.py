"""How the simulated camera errs: grain in colour; in depth, noise, lost edges and speckle.

Depth noise grows with the square of the distance, as for stereo and structured light (Nguyen, Izadi and
Lovell 2012, "Modeling Kinect Sensor Noise"): about 1.5 mm at 1 m. Edges between near and far give no depth,
since one of both eyes sees another surface there.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class NoiseModel:
    """`color_sigma` in steps of 255; depth sigma is `depth_sigma_m` at 1 m; shares are of pixels."""

    color_sigma: float = 2.0
    depth_sigma_m: float = 0.0015
    edge_step_m: float = 0.02
    edge_loss: float = 0.85
    speckle: float = 0.002

    def color(self, rgb: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
        """A noisy copy, (H, W, 3) uint8."""
        grain = _draw(_normals(), rgb.size, rng).reshape(rgb.shape)
        steps = np.rint(grain * np.float32(self.color_sigma)).astype(np.int16)
        steps += rgb
        return np.clip(steps, 0, 255, out=steps).astype(np.uint8)

    def depth(self, depth_m: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
        """A noisy copy, (H, W) float32; NaN where it was NaN, at edges and at speckles."""
        noisy = np.square(depth_m)
        noisy *= np.float32(self.depth_sigma_m)
        noisy *= _draw(_normals(), depth_m.size, rng).reshape(depth_m.shape)
        noisy += depth_m
        filled = np.nan_to_num(depth_m, nan=100.0)
        kernel = np.ones((3, 3), np.uint8)
        step = cv2.dilate(filled, kernel) - cv2.erode(filled, kernel)
        chance = _draw(_uniforms(), depth_m.size, rng).reshape(depth_m.shape)
        lost = (step > self.edge_step_m) & (chance < self.edge_loss)
        lost |= chance > 1.0 - self.speckle
        noisy[lost] = np.nan
        return noisy


# Drawing a million normals costs more than rendering: slices of one long, fixed row at random offsets do.
_BANK = 1 << 22


@cache
def _normals() -> NDArray[np.float32]:
    return np.random.default_rng(1).standard_normal(_BANK, dtype=np.float32)


@cache
def _uniforms() -> NDArray[np.float32]:
    return np.random.default_rng(2).random(_BANK, dtype=np.float32)


def _draw(bank: NDArray[np.float32], count: int, rng: np.random.Generator) -> NDArray[np.float32]:
    if count > bank.size // 2:
        bank = np.tile(bank, -(-2 * count // bank.size))
    start = int(rng.integers(bank.size - count))
    return bank[start : start + count]
