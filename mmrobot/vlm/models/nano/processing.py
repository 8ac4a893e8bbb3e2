"""Pictures and words to arrays, and boxes back to pixels: without torch and transformers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from mmrobot.types import BoxXyxy
from mmrobot.vlm.models.nano.sizes import NanoSizes


@dataclass(frozen=True)
class Letterbox:
    """How a picture was fitted into the model's: scaled by `scale`, then shifted by (`left`, `top`)."""

    scale: float
    left: int
    top: int


CROP_MARGIN = 0.05
"""Of a box's width and height, added on each side."""


def crop_around(
    image_rgb: NDArray[np.uint8], box: Sequence[float], height: int, width: int
) -> NDArray[np.uint8]:
    """What lies in a box and a little around it, inside the picture, resized to (height, width, 3).

    `box` from edge to edge in pixels, x first: the first pixel reaches from 0 to 1.
    """
    x0, y0, x1, y1 = (float(v) for v in box)
    dx, dy = CROP_MARGIN * (x1 - x0), CROP_MARGIN * (y1 - y0)
    left, top = max(math.floor(x0 - dx), 0), max(math.floor(y0 - dy), 0)
    right, bottom = (
        min(math.ceil(x1 + dx), image_rgb.shape[1]),
        min(math.ceil(y1 + dy), image_rgb.shape[0]),
    )
    part = np.ascontiguousarray(image_rgb[top : max(bottom, top + 1), left : max(right, left + 1)])
    shrinks = part.shape[0] >= height and part.shape[1] >= width
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(part, (width, height), interpolation=how), dtype=np.uint8)


VIEW_MARGIN = 1.35
"""Side of a view over the longer side of the box: what a thing stands on and beside belongs to it."""


def view_around(
    image_rgb: NDArray[np.uint8], box: Sequence[float], size: int, margin: float = VIEW_MARGIN
) -> NDArray[np.uint8]:
    """A square about the middle of a box, nothing stretched, resized to (size, size, 3).

    `box` as in `crop_around`. Beyond the picture its edge is repeated.
    """
    x0, y0, x1, y1 = (float(v) for v in box)
    side = max(round(margin * max(x1 - x0, y1 - y0)), 4)
    left, top = round((x0 + x1 - side) / 2), round((y0 + y1 - side) / 2)
    height, width = image_rgb.shape[:2]
    rows = np.clip(np.arange(top, top + side), 0, height - 1)
    columns = np.clip(np.arange(left, left + side), 0, width - 1)
    part = np.ascontiguousarray(image_rgb[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
    part = part[(rows - rows[0])[:, None], columns - columns[0]]
    how = cv2.INTER_AREA if side >= size else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(part, (size, size), interpolation=how), dtype=np.uint8)


class NanoProcessor:
    """Prepares a picture (letterboxed: nothing is stretched), crops of it, and words (UTF-8 bytes)."""

    @classmethod
    def of(cls, config: NanoSizes) -> Self:
        """The processor that a model of this configuration needs."""
        return cls(
            config.image_height,
            config.image_width,
            config.max_words,
            config.word_bytes,
            config.crop_height,
            config.crop_width,
            config.view_size,
        )

    def __init__(
        self,
        image_height: int = 240,
        image_width: int = 320,
        max_words: int = 48,
        word_bytes: int = 16,
        crop_height: int = 64,
        crop_width: int = 96,
        view_size: int = 48,
    ) -> None:
        self.crop_height = crop_height
        self.crop_width = crop_width
        self.view_size = view_size
        self.image_height = image_height
        self.image_width = image_width
        self.max_words = max_words
        self.word_bytes = word_bytes

    def picture(self, image_rgb: NDArray[np.uint8]) -> tuple[NDArray[np.float32], Letterbox]:
        """(H, W, 3) uint8 RGB to (3, image_height, image_width) float32 in [-1, 1], and how it was fitted."""
        fitted, box = self.fit(image_rgb)
        return self.normalise(fitted), box

    @staticmethod
    def normalise(image: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(H, W, 3) uint8 to (3, H, W) float32 in [-1, 1]."""
        return np.ascontiguousarray(image.transpose(2, 0, 1), dtype=np.float32) / 127.5 - 1.0

    def fit(self, image_rgb: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], Letterbox]:
        """The letterboxed uint8 picture (image_height, image_width, 3)."""
        height, width = image_rgb.shape[:2]
        scale = min(self.image_height / height, self.image_width / width)
        h, w = max(1, round(height * scale)), max(1, round(width * scale))
        interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        small = cv2.resize(np.ascontiguousarray(image_rgb), (w, h), interpolation=interpolation)
        top, left = (self.image_height - h) // 2, (self.image_width - w) // 2
        if (h, w) == (self.image_height, self.image_width):
            return np.asarray(small, dtype=np.uint8), Letterbox(scale, 0, 0)
        canvas = np.full((self.image_height, self.image_width, 3), 128, np.uint8)
        canvas[top : top + h, left : left + w] = small
        return canvas, Letterbox(scale, left, top)

    def box_in_original(
        self, box: Sequence[float], letterbox: Letterbox, width: int, height: int
    ) -> BoxXyxy | None:
        """A box in [0, 1] of the model's picture to pixels of the original; None where nothing of it is left.

        The model measures from the picture's edge, types.py from the first pixel's centre: half a pixel less.
        """
        xs = [(v * self.image_width - letterbox.left) / letterbox.scale for v in (box[0], box[2])]
        ys = [(v * self.image_height - letterbox.top) / letterbox.scale for v in (box[1], box[3])]
        x0, x1 = (min(max(v, 0.0), float(width)) - 0.5 for v in xs)
        y0, y1 = (min(max(v, 0.0), float(height)) - 0.5 for v in ys)
        return (x0, y0, x1, y1) if x1 - x0 >= 1 and y1 - y0 >= 1 else None

    def inside(
        self, image_rgb: NDArray[np.uint8], boxes: NDArray[np.floating], letterbox: Letterbox
    ) -> dict[int, BoxXyxy]:
        """Of boxes (K, 4) in [0, 1] of the model's picture those of which something lies in the original
        (H, W, 3): row to pixels of the original."""
        height, width = image_rgb.shape[:2]
        edges = [self.box_in_original(box.tolist(), letterbox, width, height) for box in boxes]
        return {i: box for i, box in enumerate(edges) if box is not None}

    def crop(self, image_rgb: NDArray[np.uint8], box: BoxXyxy) -> NDArray[np.float32]:
        """A thing and a little around it, (3, crop_height, crop_width) in [-1, 1]; `box` as in types.py."""
        edges = [v + 0.5 for v in box]
        return self.normalise(crop_around(image_rgb, edges, self.crop_height, self.crop_width))

    def view(self, image_rgb: NDArray[np.uint8], box: BoxXyxy) -> NDArray[np.float32]:
        """A thing with its surroundings, (3, view_size, view_size) in [-1, 1]; `box` as in types.py."""
        return self.normalise(view_around(image_rgb, [v + 0.5 for v in box], self.view_size))

    def words(self, words: Sequence[str]) -> NDArray[np.int64]:
        """Words to bytes (max_words, word_bytes), zero-padded; longer words and texts are cut."""
        out = np.zeros((self.max_words, self.word_bytes), np.int64)
        for i, word in enumerate(words[: self.max_words]):
            data = word.encode()[: self.word_bytes]
            out[i, : len(data)] = list(data)
        return out
