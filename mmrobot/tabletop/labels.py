"""The print on a cube or tray as a PNG, made when first asked for and kept in the temporary folder."""

from __future__ import annotations

import os
import tempfile
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from mmrobot.tabletop.objects import COLORS

PIXELS = 128
# sRGB luma (ITU-R BT.601) above which black print reads better than white.
_LIGHT = 0.55
_LUMA = (0.299, 0.587, 0.114)


def folder() -> Path:
    """Where the pictures are kept; each user has an own one."""
    return Path(tempfile.gettempdir()) / f"mmrobot-labels-{os.getuid()}"


def sample_label(rng: np.random.Generator) -> str:
    """Mostly a letter and a digit, as A7; else one of them. An I or O by itself could be a digit."""
    letter, digit = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"[rng.integers(26)], "0123456789"[rng.integers(10)]
    kind = rng.random()
    if kind < 0.7:
        return letter + digit
    if kind < 0.85:
        return digit if digit not in "01" else "7"
    return letter if letter not in "IO" else "A"


def draw_label(text: str, color: str) -> Image.Image:
    """Text in black or white, whichever reads better, as large as fits, on an object's colour; square."""
    return Image.fromarray(paint_label(text, COLORS[color]))


def paint_label(text: str, rgb: tuple[float, float, float]) -> NDArray[np.uint8]:
    """The same on any sRGB colour in [0, 1]: (PIXELS, PIXELS, 3) uint8."""
    light = sum(w * v for w, v in zip(_LUMA, rgb, strict=True)) > _LIGHT
    background = np.array([round(255 * v) for v in rgb], np.float32)
    ink = np.array((10, 10, 12) if light else (245, 245, 245), np.float32)
    share = _ink(text)[..., None].astype(np.float32) / 255
    return np.asarray(np.rint(background + (ink - background) * share), dtype=np.uint8)


@lru_cache(maxsize=512)
def _ink(text: str) -> NDArray[np.uint8]:
    """Where there is print, 0 to 255."""
    image = Image.new("L", (PIXELS, PIXELS), 0)
    draw = ImageDraw.Draw(image)
    size = PIXELS
    while True:
        font = ImageFont.load_default(size)
        left, top, right, bottom = draw.textbbox((0, 0), text, font=font, stroke_width=2)
        if max(right - left, bottom - top) <= 0.86 * PIXELS:
            break
        size -= 4
    at = ((PIXELS - left - right) / 2, (PIXELS - top - bottom) / 2)
    draw.text(at, text, fill=255, font=font, stroke_width=2, stroke_fill=255)
    return np.asarray(image)


def label_texture(text: str, color: str) -> Path:
    """The PNG file for a text on a colour."""
    path = folder() / f"{color}_{text}.png"
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Written aside and moved into place: another process may want the same one now.
        with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".png", delete=False) as file:
            draw_label(text, color).save(file, format="PNG")
        Path(file.name).replace(path)
    return path
