"""Which pixels of a box are the object's: what stands out of the table, joined up seen from above.

Seen from above, things that stand apart stay apart, however they hide each other in the picture, and a
hollow thing's rim holds its inside together. What is joined to something that leaves the box (stacked,
lying in another, touching) is cut out by the box itself and by height.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from mmrobot.errors import NoDepthError
from mmrobot.grounding.scene_view import Patch, SceneView
from mmrobot.types import ScoredBox

MAX_HEIGHT_M = 0.35
"""Higher over the table is the arm, or a hand."""
MIN_VALID = 0.10
MIN_POINTS = 20
_CELL_M = 0.004
_MARGIN_PX = 24.0
_SLACK, _SLACK_PX = 0.2, 20.0
"""How far a model's box may be off the object that it means."""
_WHOLE, _MOSTLY = 0.95, 0.6
_OVER_TOP_M = 0.012


@dataclass(frozen=True, eq=False)
class Segment:
    """`mask` (h, w) over the patch; `free` when nothing is joined to the object, so it stands on the table.

    `upon` (h, w) are pixels in the boxes of things that lie on or in it, not part of the mask.
    """

    patch: Patch
    mask: NDArray[np.bool_]
    in_box: NDArray[np.bool_]
    upon: NDArray[np.bool_]
    free: bool

    @property
    def points(self) -> NDArray[np.float32]:
        return self.patch.points[self.mask]


def segment(view: SceneView, box: ScoredBox, others: Sequence[ScoredBox] = ()) -> Segment:
    """The object that fills a box; `others` are boxes of things that may be joined to it.

    Raises NoDepthError when too little of the box has depth, or it is empty table.
    """
    patch, in_box = _window(view, box)
    known = patch.valid[in_box]
    fraction = float(known.mean()) if known.size else 0.0
    if fraction < MIN_VALID or int(known.sum()) < MIN_POINTS:
        raise NoDepthError(
            f"'{box.label}': {100 * fraction:.0f} % of its box {_rounded(box)} has valid depth, "
            f"{100 * MIN_VALID:.0f} % and {MIN_POINTS} pixels are needed",
            "check the depth camera, its range and reflections",
        )
    lowest = min(max(3.5 * view.table.noise_m, 0.004), 0.008)
    with np.errstate(invalid="ignore"):
        above = (patch.height > lowest) & (patch.height < MAX_HEIGHT_M)
    above = _in_company(above)
    if int((above & in_box).sum()) < MIN_POINTS:
        raise NoDepthError(
            f"'{box.label}': nothing stands out of the table in its box {_rounded(box)}",
            "look again; the box may lie on a picture or a shadow",
        )
    grown = _grown(box, patch)
    xy = patch.points[..., :2][above]
    mask, free = _choose(joined(xy), above, in_box, grown)
    if not free:
        # A few stray points make a bridge, which does not hold when each cell must have two of its own.
        strict_mask, free = _choose(joined(xy, bridges=False), above, in_box, grown)
        mask = strict_mask if free else mask
    upon = _upon(box, others, patch)
    if int((mask & in_box & ~upon).sum()) >= MIN_POINTS:
        mask = mask & ~upon
    else:
        upon = np.zeros_like(mask)
    if not free:
        mask = _cut_out(patch, mask & in_box, in_box)
    return Segment(patch, mask, in_box, upon, free)


def _upon(box: ScoredBox, others: Sequence[ScoredBox], patch: Patch) -> NDArray[np.bool_]:
    """Pixels of things that lie in or on the boxed one: in its box or over it, and ending higher up."""
    upon = np.zeros(patch.height.shape, dtype=bool)
    x0, y0, x1, y1 = box.box_xyxy
    for other in others:
        ox0, oy0, ox1, oy1 = other.box_xyxy
        across = min(x1, ox1) - max(x0, ox0)
        if other.box_xyxy == box.box_xyxy or across < 0.6 * (ox1 - ox0):
            continue
        if oy1 < y1 - 2 and oy1 > y0 + 0.1 * (y1 - y0) and (oy0 + oy1) / 2 < (y0 + y1) / 2 + 0.25 * (y1 - y0):
            upon |= _pixels_of(other, patch, (0.0, 0.0, 0.0, 0.0))
    return upon


def quantile(values: NDArray[np.floating], share: float) -> float:
    """The value that `share` of all (finite) values do not exceed; numpy's own takes ten times as long."""
    k = int(share * (values.size - 1) + 0.5)
    return float(np.partition(values, k)[k])


def _rounded(box: ScoredBox) -> tuple[int, ...]:
    return tuple(round(v) for v in box.box_xyxy)


def _window(view: SceneView, box: ScoredBox) -> tuple[Patch, NDArray[np.bool_]]:
    """The patch about a box, a margin wider than it, and which of its pixels lie in the box."""
    camera = view.frame.camera
    x0, y0, x1, y1 = box.box_xyxy
    margin = min(0.25 * max(x1 - x0, y1 - y0) + 10, _MARGIN_PX)
    u0, v0 = int(np.clip(x0 - margin, 0, camera.width)), int(np.clip(y0 - margin, 0, camera.height))
    u1, v1 = int(np.clip(x1 + margin, 0, camera.width)), int(np.clip(y1 + margin, 0, camera.height))
    inside = x1 > 0 and y1 > 0 and x0 < camera.width and y0 < camera.height
    if not inside or u1 - u0 < 3 or v1 - v0 < 3:
        raise NoDepthError(
            f"'{box.label}': box {_rounded(box)} is outside of the {camera.width}x{camera.height} picture",
            "look again",
        )
    patch = view.patch(u0, v0, u1, v1)
    return patch, _pixels_of(box, patch, (0.0, 0.0, 0.0, 0.0))


def _pixels_of(box: ScoredBox, patch: Patch, slack: tuple[float, float, float, float]) -> NDArray[np.bool_]:
    """Which pixels of a patch lie in a box moved outwards by `slack` pixels: left, top, right, bottom."""
    x0, y0, x1, y1 = box.box_xyxy
    rows, columns = patch.height.shape
    u, v = np.arange(patch.u0, patch.u0 + columns), np.arange(patch.v0, patch.v0 + rows)
    inside_v = (v >= y0 - slack[1]) & (v <= y1 + slack[3])
    return np.outer(inside_v, (u >= x0 - slack[0]) & (u <= x1 + slack[2]))


def _grown(box: ScoredBox, patch: Patch) -> NDArray[np.bool_]:
    """The box with what a model may miss; less at the bottom, where the thing beneath would come in."""
    x0, y0, x1, y1 = box.box_xyxy
    side, top = min(_SLACK * (x1 - x0), _SLACK_PX), min(_SLACK * (y1 - y0), _SLACK_PX)
    return _pixels_of(box, patch, (side, top, side, 4.0 + 0.04 * (y1 - y0)))


def _in_company(above: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Without lone pixels, which noise lifts off the table and which would join things that stand apart."""
    crowd = cv2.boxFilter(above.astype(np.uint8), -1, (3, 3), normalize=False, borderType=cv2.BORDER_CONSTANT)
    return above & (crowd >= 4)


def joined(xy: NDArray[np.float32], bridges: bool = True) -> NDArray[np.int32]:
    """A label from 1 on for each point (N, 2): those joined over gaps of about 1 cm share one.

    Without `bridges`, only over cells of several points, and over no gap; points of other cells get 0.
    """
    ij = ((xy - xy.min(axis=0)) * np.float32(1 / _CELL_M)).astype(np.int32) + 2
    # A far outlier must not ask for a huge grid; nothing that belongs to one box is 3 m away.
    shape = np.minimum(ij.max(axis=0) + 3, 800)
    ij = np.minimum(ij, shape - 1)
    grid = np.zeros(shape, dtype=np.uint8)
    if bridges:
        grid[ij[:, 0], ij[:, 1]] = 255
        grid = np.asarray(cv2.dilate(grid, np.ones((3, 3), np.uint8)), dtype=np.uint8)
    else:
        count = np.bincount(ij[:, 0] * shape[1] + ij[:, 1], minlength=grid.size).reshape(shape)
        grid[count >= 2] = 255
    _, labelled = cv2.connectedComponents(grid, connectivity=8)
    return np.asarray(labelled[ij[:, 0], ij[:, 1]], dtype=np.int32)


def _choose(
    labels: NDArray[np.int32], above: NDArray[np.bool_], in_box: NDArray[np.bool_], grown: NDArray[np.bool_]
) -> tuple[NDArray[np.bool_], bool]:
    """The component that fits the box best, with loose parts within it; and whether it ends in the box.

    `labels` (N,) are those of the pixels that stand out, which `above` (h, w) shows.
    """
    count = int(labels.max()) + 1
    total = np.bincount(labels, minlength=count)
    inside = np.bincount(labels[in_box[above]], minlength=count)
    inside[0] = 0
    # Few pixels that fill nothing, or many that mostly belong elsewhere, both lose.
    merit = inside / (max(int(np.count_nonzero(in_box)), 1) + total - inside)
    main = int(merit.argmax())
    chosen = labels == main
    mask = np.zeros_like(above)
    mask[above] = chosen
    about = int(np.count_nonzero(mask & grown))
    whole = inside[main] >= _MOSTLY * total[main] and about >= _WHOLE * total[main]
    # The foot of a tower adds few pixels, but it does reach further down.
    rows = np.cumsum(mask.sum(axis=1))
    lowest = int(np.searchsorted(rows, 0.985 * rows[-1]))
    whole = whole and lowest <= int(np.flatnonzero(grown.any(axis=1))[-1])
    if whole and np.count_nonzero(inside) > 1:
        mask[above] |= _enclosed(labels, mask, above, total)
    return mask, bool(whole)


def _enclosed(
    labels: NDArray[np.int32], mask: NDArray[np.bool_], above: NDArray[np.bool_], total: NDArray[np.intp]
) -> NDArray[np.bool_]:
    """Which pixels that stand out are of parts that lie within the mask's outline, as a cup's inside does."""
    v, u = np.nonzero(mask)
    hull = np.zeros(mask.shape, dtype=np.uint8)
    cv2.fillConvexPoly(hull, cv2.convexHull(np.column_stack([u, v]).astype(np.int32)), 1)
    within = np.bincount(labels, hull[above], minlength=len(total))
    parts = (within > 0.9 * total) & (total > 0)
    parts[0] = False
    return np.asarray(parts[labels])


def _cut_out(patch: Patch, candidates: NDArray[np.bool_], in_box: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Of a joined group's pixels in the box, those no higher than what the box's middle shows."""
    rows, columns = np.flatnonzero(in_box.any(axis=1)), np.flatnonzero(in_box.any(axis=0))
    dv, du = (len(rows) + 3) // 4, (len(columns) + 3) // 4
    middle = np.zeros_like(in_box)
    middle[rows[0] + dv : rows[-1] - dv + 1, columns[0] + du : columns[-1] - du + 1] = True
    seed = patch.height[candidates & middle]
    if seed.size < 5:
        return candidates
    top = quantile(seed, 0.92)
    return candidates & (patch.height <= top + _OVER_TOP_M)
