"""Where a model looks: how much less sure it is of a box when parts of the picture are hidden from it.

Occlusion sensitivity (Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks", ECCV 2014,
section 4.2). It asks nothing of the model but `ground`, so it tells of any model alike.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from mmrobot.types import BoxXyxy, box_iou
from mmrobot.vlm.interface import VisionLanguageModel

COLUMNS, ROWS = 12, 9
_SAME_IOU = 0.5


def score_of(vlm: VisionLanguageModel, picture: NDArray[np.uint8], phrase: str, box: BoxXyxy) -> float:
    """The probability with which the model takes what is in `box` for what a phrase means; 0.0 for none."""
    found = [b.score for b in vlm.ground(picture, phrase) if box_iou(b.box_xyxy, box) >= _SAME_IOU]
    return max(found, default=0.0)


def saliency_rows(
    vlm: VisionLanguageModel, picture: NDArray[np.uint8], phrase: str, box: BoxXyxy
) -> Iterator[NDArray[np.float64]]:
    """Row by row, from the top, (COLUMNS,) float64: how much of the score is lost when a patch is hidden.

    0 where nothing is lost, at most 1. `picture` is (H, W, 3) uint8 RGB, `box` in its pixels. A patch is two
    cells wide and high, in the picture's mean colour, so that a thing between two cells is hidden too. The
    work of one row is COLUMNS looks of the model: other work may come between rows.
    """
    height, width = picture.shape[:2]
    plain = score_of(vlm, picture, phrase, box)
    mean = picture.reshape(-1, 3).mean(axis=0).astype(np.uint8)
    cell_h, cell_w = height / ROWS, width / COLUMNS
    for row in range(ROWS):
        lost = np.zeros(COLUMNS)
        for column in range(COLUMNS):
            hidden = picture.copy()
            top, left = int((row - 0.5) * cell_h), int((column - 0.5) * cell_w)
            hidden[max(top, 0) : int((row + 1.5) * cell_h), max(left, 0) : int((column + 1.5) * cell_w)] = (
                mean
            )
            lost[column] = max(plain - score_of(vlm, hidden, phrase, box), 0.0)
        yield lost


def heat_map(rows: list[NDArray[np.float64]], height: int, width: int) -> NDArray[np.float64]:
    """The rows of `saliency_rows` as (height, width) float64 in [0, 1], between the cells' middles linear."""
    grid = np.array(rows)
    ys = (np.arange(height) + 0.5) / height * len(rows) - 0.5
    xs = (np.arange(width) + 0.5) / width * grid.shape[1] - 0.5
    along = np.array([np.interp(xs, np.arange(grid.shape[1]), row) for row in grid])
    return np.array([np.interp(ys, np.arange(len(rows)), column) for column in along.T]).T
