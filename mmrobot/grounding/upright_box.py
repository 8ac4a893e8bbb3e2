"""Where an object's points put its upright box: rectangle seen from above, top and foot over the table.

The top's outline is seen whole, unlike the sides. A ball is fitted as a sphere, since its widest part lies
lower. What is joined to other things is cut to what lies under its own top; its foot is seen only below
the nearest corner of the top.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mmrobot.grounding.footprint_fit import (
    Rectangle,
    fit_footprint,
    fit_rectangle,
    hull_area_m2,
    mean_width_m,
    outline,
)
from mmrobot.grounding.scene_view import SceneView
from mmrobot.grounding.segmentation import MIN_POINTS, Segment, joined, quantile
from mmrobot.grounding.sphere_fit import fit_sphere

_TOP_BAND_M = 0.010
_MIN_HEIGHT_M = 0.010
_CROWN_SHARE = 0.45
"""A top much smaller than the whole is something lying in it, or a step of it."""
_ON_TABLE_M = 0.0025
_JOINED_DOUBT = 0.15
"""Share of an object's size that may be wrong when it is joined to others, so that parts are hidden."""
_COVERED_DOUBT = 0.25
_OVERHANG_M = 0.008
"""A ball is this much wider than its upper part."""
_BALL_POINTS = 400
_BALL_RADIUS_M = (0.008, 0.09)


@dataclass(frozen=True)
class Upright:
    """Heights are over the table; `hidden` is the share of the size that may be wrong."""

    rectangle: Rectangle
    top_m: float
    bottom_m: float
    hidden: float


def fit_upright(part: Segment, view: SceneView) -> Upright:
    """The upright box of a segment's points."""
    if not part.free:
        part = _about_crown(part)
    points, heights = part.points.astype(np.float64), part.patch.height[part.mask]
    ball = _ball(points, heights, part.free, view)
    if ball is not None:
        return ball
    xy, top = points[:, :2], _top(heights)
    crown = _crown(xy, heights, top, part)
    bottom = _support(part) if part.free else _foot(part, crown)
    # A box that ends under the rim tells nothing of the foot.
    bottom = bottom if bottom < top - _MIN_HEIGHT_M else 0.0
    all_cells, top_cells = outline(xy), outline(xy[crown])
    if part.free and hull_area_m2(top_cells) < _CROWN_SHARE * hull_area_m2(all_cells):
        rectangle = fit_rectangle(all_cells)
        return Upright(rectangle, _rim(xy, heights, rectangle, top), bottom, 0.0)
    rectangle = fit_footprint(top_cells)
    if not part.free and _is_covered(part, top):
        return Upright(_completed(rectangle, top_cells, view), top, bottom, _COVERED_DOUBT)
    if rectangle.round:
        width = mean_width_m(all_cells if part.free else top_cells)
        rectangle = Rectangle(rectangle.center_m, (width, width), 0.0, True)
    return Upright(rectangle, top, bottom, 0.0 if part.free else _JOINED_DOUBT)


def _about_crown(part: Segment) -> Segment:
    """A joined segment without what lies behind and beside its top, seen in the corners of its box."""
    xy, heights = part.points[:, :2].astype(np.float64), part.patch.height[part.mask]
    crown = _crown(xy, heights, _top(heights), part)
    rectangle = fit_rectangle(outline(xy[crown]))
    along, across = _own_axes(xy - rectangle.center_m, rectangle.yaw_rad)
    half_x, half_y = (w / 2 + _OVERHANG_M for w in rectangle.size_m)
    near = (np.abs(along) <= half_x) & (np.abs(across) <= half_y)
    if int(near.sum()) < MIN_POINTS:
        return part
    mask = part.mask.copy()
    mask[part.mask] = near
    return replace(part, mask=mask)


def _own_axes(d: NDArray[np.float64], yaw: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Offsets (N, 2) along a rectangle's own x and y."""
    c, s = np.cos(yaw), np.sin(yaw)
    return d @ (c, s), d @ (-s, c)


def _is_covered(part: Segment, top: float) -> bool:
    """Whether something stands on a joined thing: seen right over its upper edge, and higher."""
    columns = np.flatnonzero(part.mask.any(axis=0))
    first = part.mask.argmax(axis=0)[columns]
    rows = np.maximum(first - np.array([[2], [3], [4]]), 0)
    with np.errstate(invalid="ignore"):
        over = (part.patch.height[rows, columns] > top + 0.004) | part.upon[rows, columns]
    return bool(over.any(axis=0).mean() > 0.6)


def _completed(rectangle: Rectangle, cells: NDArray[np.float64], view: SceneView) -> Rectangle:
    """A thing whose top is hidden by what stands on it, taken to be as deep as it is wide.

    A turned square is as deep as it is wide in any direction, so this holds for cubes however they lie.
    """
    eye = view.frame.T_base_camera[:2, 3]  # type: ignore[index]
    toward = np.asarray(rectangle.center_m) - eye
    ahead = toward / np.linalg.norm(toward)
    along, across = cells @ ahead, cells @ np.array([-ahead[1], ahead[0]])
    width = float(np.ptp(across))
    if max(np.ptp(along), width) > 1.6 * width:
        return rectangle
    middle = float(along.min()) + width / 2
    x, y = middle * ahead + (float(across.min()) + width / 2) * np.array([-ahead[1], ahead[0]])
    turn = rectangle.yaw_rad - float(np.arctan2(ahead[1], ahead[0]))
    side = width / (abs(np.cos(turn)) + abs(np.sin(turn)))
    return Rectangle((float(x), float(y)), (side, side), rectangle.yaw_rad, False)


def _ball(
    points: NDArray[np.float64], heights: NDArray[np.float32], free: bool, view: SceneView
) -> Upright | None:
    """The ball that the points lie on, if they do; one that is joined to nothing stands on the table."""
    some = slice(None, None, len(points) // _BALL_POINTS + 1)
    p = np.column_stack([points[some, :2], heights[some].astype(np.float64)])
    width = float(np.ptp(p[:, 1]))
    if not 0.5 * width < p[:, 2].max() - (0.0 if free else p[:, 2].min()) < 1.6 * width:
        return None
    sphere = fit_sphere(p, standing=free)
    if sphere is None or sphere.rms_m > 1.1 * view.table.noise_m + 0.0005:
        return None
    x, y, z = sphere.center
    radius = sphere.radius_m
    eye = view.frame.T_base_camera[:3, 3] - (0.0, 0.0, view.table.z0_m)  # type: ignore[index]
    # The hollow of a bowl is a sphere too, but seen from within.
    outward = np.einsum("ij,ij->i", p - sphere.center, eye - p) > 0
    if outward.mean() < 0.9 or not _BALL_RADIUS_M[0] < radius < _BALL_RADIUS_M[1]:
        return None
    return Upright(Rectangle((x, y), (2 * radius, 2 * radius), 0.0, True), z + radius, z - radius, 0.0)


def _crown(
    xy: NDArray[np.float64], heights: NDArray[np.float32], top: float, part: Segment
) -> NDArray[np.bool_]:
    """Which points make the top face or rim; of a joined thing, only the largest connected part."""
    band = heights > top - _TOP_BAND_M
    if int(band.sum()) < MIN_POINTS:
        k = min(MIN_POINTS, heights.size)
        band = heights >= np.partition(heights, -k)[-k]
    if part.free:
        return band
    labels = joined(xy[band].astype(np.float32))
    chosen = band.copy()
    count = np.bincount(labels)
    # What lies upon a thing may cut its top in two.
    share = 0.25 if part.upon.any() else 1.0
    chosen[band] = (count >= share * count.max())[labels]
    return chosen


def _rim(xy: NDArray[np.float64], heights: NDArray[np.float32], rectangle: Rectangle, top: float) -> float:
    """Height of the top along the rectangle's edge: of a plate or a bar under a thing that stands on it."""
    along, across = _own_axes(xy - rectangle.center_m, rectangle.yaw_rad)
    edge = heights[
        np.maximum(np.abs(along) / rectangle.size_m[0], np.abs(across) / rectangle.size_m[1]) > 0.4
    ]
    return _top(edge) if edge.size >= MIN_POINTS else top


def _top(heights: NDArray[np.float32]) -> float:
    """Height of the top: the middle of what lies within 6 mm of the highest few per cent."""
    high = quantile(heights, 0.96)
    return quantile(heights[heights > high - 0.006], 0.60)


def _support(part: Segment) -> float:
    """Height of what a thing that is joined to nothing stands on: a container's floor, or the table."""
    height, mask = part.patch.height, part.mask
    columns = np.flatnonzero(mask.any(axis=0))
    last = mask.shape[0] - 1 - mask[::-1].argmax(axis=0)[columns]
    rows = np.minimum(last + np.array([[2], [3], [4]]), mask.shape[0] - 1)
    seen = height[rows, columns]
    below = seen[np.isfinite(seen) & ~mask[rows, columns]]
    if below.size < 5:
        return 0.0
    support, lowest = quantile(below, 0.5), quantile(height[mask], 0.03)
    return support if _ON_TABLE_M < support < lowest else 0.0


def _foot(part: Segment, crown: NDArray[np.bool_]) -> float:
    """Height of the lowest part seen of a joined thing, under the nearest corner of its top.

    Only there the box's lower edge is the thing's own; beside it, the box shows what it stands on.
    """
    height, mask = part.patch.height, part.mask
    top = np.zeros_like(mask)
    top[mask] = crown
    last = np.where(top.any(axis=0), top.shape[0] - 1 - top[::-1].argmax(axis=0), -1)
    columns = np.flatnonzero(last >= last.max() - 2)
    column_mask = mask[:, columns]
    lowest_rows = mask.shape[0] - 1 - column_mask[::-1].argmax(axis=0)
    seen = height[np.maximum(lowest_rows - np.array([[0], [1]]), 0), columns]
    seen = seen[np.isfinite(seen)]
    foot = float(np.median(seen)) - 0.001 if seen.size else 0.0
    return foot if foot > _ON_TABLE_M else 0.0
