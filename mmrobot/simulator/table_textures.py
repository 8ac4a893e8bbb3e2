"""Patterns for the table top, made here and not loaded: grey levels that the table's colour multiplies."""

from __future__ import annotations

from functools import cache

import cv2
import mujoco
import numpy as np
from numpy.typing import NDArray

SIZE = 256
NAMES = ("plain", "wood", "planks", "speckle", "cloth")
TRAINED = (*NAMES, "marble", "weave", "stains")
"""Those of training's pictures."""
UNSEEN = ("checker", "stripes", "terrazzo")
"""Those of level L4 only."""
ALL = (*TRAINED, *UNSEEN)


@cache
def pattern(name: str) -> NDArray[np.uint8]:
    """(SIZE, SIZE) grey levels, 255 for the table's own colour; the same each time."""
    rng = np.random.default_rng(ALL.index(name))
    if name == "plain":
        level = np.full((SIZE, SIZE), 1.0)
    elif name in ("wood", "planks"):
        level = _grain(rng)
        if name == "planks":
            tones = np.repeat(1.0 - 0.12 * rng.random(8), SIZE // 8)
            level = level * tones[:, None]
            level[:: SIZE // 8] *= 0.75
    elif name == "speckle":
        level = 1.0 - 0.07 * np.abs(_smooth(rng, 1.0)) - 0.05 * np.abs(_smooth(rng, 12.0))
    elif name == "cloth":
        y, x = np.mgrid[:SIZE, :SIZE]
        level = 1.0 - 0.05 * ((x // 2 + y // 2) % 2) - 0.04 * np.abs(_smooth(rng, 20.0))
    else:
        level = _more(name, rng)
    return np.clip(level * 255, 0, 255).astype(np.uint8)


def _more(name: str, rng: np.random.Generator) -> NDArray[np.float64]:
    y, x = np.mgrid[:SIZE, :SIZE]
    if name == "marble":
        veins = np.abs(np.sin(2 * np.pi * (3 * x / SIZE + 2 * y / SIZE) + 2.5 * _smooth(rng, 18.0)))
        return np.asarray(1.0 - 0.22 * np.exp(-veins * 8) - 0.03 * np.abs(_smooth(rng, 6.0)))
    if name == "weave":
        over = ((x // 8) + (y // 8)) % 2
        return np.asarray(1.0 - 0.10 * over - 0.06 * np.abs(np.sin(np.pi * np.where(over, x, y) / 8)))
    if name == "stains":
        return np.asarray(1.0 - 0.18 * (_smooth(rng, 14.0) > 1.1) - 0.05 * np.abs(_smooth(rng, 30.0)))
    if name == "checker":
        return np.asarray(1.0 - 0.35 * (((x // 32) + (y // 32)) % 2))
    if name == "stripes":
        return np.asarray(1.0 - 0.35 * ((x + y) // 24 % 2))
    return np.asarray(1.0 - 0.30 * (_smooth(rng, 3.0) > 1.0) - 0.15 * (_smooth(rng, 3.0) > 1.2))


def _smooth(rng: np.random.Generator, sigma: float) -> NDArray[np.float64]:
    """Noise of unit deviation, smooth over `sigma` pixels."""
    noise = cv2.GaussianBlur(rng.standard_normal((SIZE, SIZE)), (0, 0), sigma, borderType=cv2.BORDER_REFLECT)
    return np.asarray(noise / noise.std(), dtype=np.float64)


def _grain(rng: np.random.Generator) -> NDArray[np.float64]:
    """Long fibres along x, with slow waves across them."""
    y, x = np.mgrid[:SIZE, :SIZE] / SIZE
    wave = 0.012 * _smooth(rng, 30.0) + 0.015 * np.sin(2 * np.pi * (1.3 * x + 0.2))
    rings = 0.5 + 0.5 * np.sin(2 * np.pi * 14 * (y + wave))
    fibre = cv2.GaussianBlur(rng.standard_normal((SIZE, SIZE)), (0, 0), sigmaX=14, sigmaY=0.7)
    fibre = fibre / fibre.std()
    return np.asarray(1.0 - 0.07 * rings - 0.035 * np.abs(fibre), dtype=np.float64)


def add_table_materials(spec: mujoco.MjSpec) -> None:
    """One material per pattern, named `table_<pattern>`, for geoms to switch between at run time."""
    for name in ALL:
        texture = spec.add_texture(name=f"table_{name}", type=mujoco.mjtTexture.mjTEXTURE_2D)
        texture.width = texture.height = SIZE
        texture.nchannel = 3
        texture.data = np.repeat(pattern(name)[..., None], 3, axis=2).tobytes()
        material = spec.add_material(name=f"table_{name}", specular=0.06, shininess=0.2)
        textures = list(material.textures)
        textures[int(mujoco.mjtTextureRole.mjTEXROLE_RGB)] = f"table_{name}"
        material.textures = textures
