"""True boxes of what can be seen, and how well a model's boxes fit them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmrobot.planning.referents import box_iou
from mmrobot.types import BoxXyxy, ScoredBox

IOU = 0.5
"""Boxes that overlap at least this much (intersection over union) are of the same thing."""
MIN_PIXELS = 40
"""Of the camera's 640x480: with fewer a thing counts as hidden, as in training."""


@dataclass(frozen=True)
class Seen:
    """What can be seen of an object: its mask (H, W) and the box around that."""

    mask: NDArray[np.bool_]
    box: BoxXyxy


def seen_objects(indices: NDArray[np.integer], ids: Sequence[str]) -> dict[str, Seen]:
    """By id, the objects that are not hidden; `indices` (H, W) holds each one's index in `ids`, or -1."""
    seen = {}
    for i, name in enumerate(ids):
        mask = indices == i
        if mask.sum() >= MIN_PIXELS:
            seen[name] = Seen(mask, mask_box(mask))
    return seen


def mask_box(mask: NDArray[np.bool_]) -> BoxXyxy:
    """The box around a mask, in pixels; edges lie half a pixel outside of the outermost middles."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return (
        float(columns[0]) - 0.5,
        float(rows[0]) - 0.5,
        float(columns[-1]) + 0.5,
        float(rows[-1]) + 0.5,
    )


def middle_in(box: ScoredBox, mask: NDArray[np.bool_]) -> bool:
    """Whether a box's middle lies in a mask."""
    x0, y0, x1, y1 = box.box_xyxy
    row, column = round((y0 + y1) / 2), round((x0 + x1) / 2)
    return 0 <= row < mask.shape[0] and 0 <= column < mask.shape[1] and bool(mask[row, column])


def matches(boxes: Sequence[ScoredBox], truths: Sequence[BoxXyxy]) -> list[int | None]:
    """For each box the index of the truth that it fits, best scores first, each truth once."""
    free = set(range(len(truths)))
    found: list[int | None] = [None] * len(boxes)
    for k in sorted(range(len(boxes)), key=lambda k: -boxes[k].score):
        best = max(free, key=lambda t: box_iou(boxes[k].box_xyxy, truths[t]), default=None)
        if best is not None and box_iou(boxes[k].box_xyxy, truths[best]) >= IOU:
            found[k] = best
            free.remove(best)
    return found


def exactly(boxes: Sequence[ScoredBox], truths: Sequence[BoxXyxy]) -> bool:
    """Each true box has its own answer and there is no other."""
    return len(boxes) == len(truths) and None not in matches(boxes, truths)
