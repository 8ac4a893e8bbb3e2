"""Points seen from above to an upright box's rectangle: middle, widths, yaw, and whether it is round.

Seen pixels crowd on walls that face the camera, so points are first thinned to cells of equal area,
of which only those at the edge are kept.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

CELL_M = 0.0025
_TRIM = 0.012
_ROUND_FILL, _SQUARE_FILL = 0.93, 0.965
"""A disc fills pi/4 = 0.785 of its square, a rectangle all of its own."""
_SECTORS = 48
_CIRCLE_SHARE, _CORNER_SHARE = 0.6, 0.1
_COARSE = np.deg2rad(np.arange(0.0, 90.0, 10.0))
_FINE = np.deg2rad(np.arange(-5.0, 5.1, 1.0))


@dataclass(frozen=True)
class Rectangle:
    """`center_m` (x, y), `size_m` along its own x and y, `yaw_rad` of its x in [-pi/2, pi/2); base."""

    center_m: tuple[float, float]
    size_m: tuple[float, float]
    yaw_rad: float
    round: bool

    @property
    def area_m2(self) -> float:
        return self.size_m[0] * self.size_m[1]


def outline(xy: NDArray[np.floating], cell_m: float = CELL_M) -> NDArray[np.float64]:
    """The mean of the points in each cell at an edge of the covered area, (N, 2) to (M, 2); no strays."""
    low = xy.min(axis=0)
    ij = ((xy - low) / cell_m).astype(np.intp) + 1
    rows, columns = ij.max(axis=0) + 2
    flat = ij[:, 0] * columns + ij[:, 1]
    count = np.bincount(flat, minlength=rows * columns)
    occupied = (count > 0).astype(np.uint8).reshape(rows, columns)
    neighbours = cv2.boxFilter(occupied, cv2.CV_16S, (3, 3), normalize=False, borderType=cv2.BORDER_CONSTANT)
    # A full cell amid full ones says nothing about the outline.
    keep = ((neighbours >= 3) & (neighbours < 9) & (occupied > 0)).ravel()
    if int(keep.sum()) < 3:
        keep = count > 0
    with np.errstate(invalid="ignore", divide="ignore"):
        x = np.bincount(flat, xy[:, 0], rows * columns) / count
        y = np.bincount(flat, xy[:, 1], rows * columns) / count
    return np.column_stack([x[keep], y[keep]])


def hull_area_m2(cells: NDArray[np.float64]) -> float:
    """Area of the convex hull of points (N, 2)."""
    return float(cv2.contourArea(cv2.convexHull(cells.astype(np.float32))))


def fit_footprint(cells: NDArray[np.float64]) -> Rectangle:
    """A circle where the outline (N, 2) follows one, a rectangle otherwise."""
    rectangle = fit_rectangle(cells)
    if not rectangle.round and hull_area_m2(cells) > _SQUARE_FILL * rectangle.area_m2:
        return rectangle
    return fit_circle(cells) or rectangle


def fit_rectangle(cells: NDArray[np.float64]) -> Rectangle:
    """The rectangle of least area that holds all but a few outliers of an outline's points (N, 2), N >= 3."""
    coarse = float(_COARSE[_areas(cells, _COARSE).argmin()])
    yaw = coarse + float(_FINE[_areas(cells, coarse + _FINE).argmin()])
    low, high = _bounds(cells, np.array([yaw]))
    sizes = np.maximum(high[:, 0] - low[:, 0], CELL_M)
    middle = (high[:, 0] + low[:, 0]) / 2
    c, s = math.cos(yaw), math.sin(yaw)
    center = (float(c * middle[0] - s * middle[1]), float(s * middle[0] + c * middle[1]))
    if hull_area_m2(cells) < _ROUND_FILL * sizes[0] * sizes[1] and max(sizes) < 1.35 * min(sizes):
        width = mean_width_m(cells)
        return Rectangle(center, (width, width), 0.0, True)
    return _canonical(center, (float(sizes[0]), float(sizes[1])), yaw)


def fit_circle(cells: NDArray[np.float64]) -> Rectangle | None:
    """The circle that an outline (N, 2) follows, even where a part of it was not seen; None if it is none.

    The outermost point in each direction must lie on it for most directions. Some may lie within
    (a rim lost there), hardly any outside (corners).
    """
    center = (cells.min(axis=0) + cells.max(axis=0)) / 2
    points, center, radius = cells, center, 0.0
    for _ in range(3):
        d = cells - center
        sector = ((np.arctan2(d[:, 1], d[:, 0]) + math.pi) * (_SECTORS / (2 * math.pi))).astype(np.intp)
        sector %= _SECTORS
        away = np.hypot(d[:, 0], d[:, 1])
        reach = np.zeros(_SECTORS)
        np.maximum.at(reach, sector, away)
        rim = away >= reach[sector] - 1e-9
        points = cells[rim]
        if radius > 0:
            points = points[np.abs(away[rim] - radius) < max(2 * _circle_tolerance_m(radius), 0.004)]
        fitted = _algebraic_circle(points)
        if fitted is None:
            return None
        center, radius = fitted
    off = np.where(reach > 0, reach - radius, -radius)
    tolerance = _circle_tolerance_m(radius)
    on, outside = np.abs(off) < tolerance, off > tolerance
    if on.mean() < _CIRCLE_SHARE or outside.mean() > _CORNER_SHARE:
        return None
    return Rectangle((float(center[0]), float(center[1])), (2 * radius, 2 * radius), 0.0, True)


def _circle_tolerance_m(radius: float) -> float:
    return max(0.0018, 0.035 * radius)


def _algebraic_circle(points: NDArray[np.float64]) -> tuple[NDArray[np.float64], float] | None:
    """Least squares of |p|^2 = 2 c.p + (r^2 - |c|^2)."""
    if len(points) < 8:
        return None
    middle = points.mean(axis=0)
    p = points - middle
    design = np.column_stack([2 * p, np.ones(len(p))])
    try:
        x, y, k = np.linalg.solve(design.T @ design, design.T @ (p * p).sum(axis=1))
    except np.linalg.LinAlgError:
        return None
    square = k + x * x + y * y
    if not np.isfinite(square) or not 0 < square < 1:
        return None
    return middle + [x, y], math.sqrt(square)


def mean_width_m(cells: NDArray[np.float64]) -> float:
    """The width of an outline (N, 2), averaged over all directions: a disc's diameter."""
    low, high = _bounds(cells, _COARSE)
    return float((high - low).mean())


def _canonical(center: tuple[float, float], sizes: tuple[float, float], yaw: float) -> Rectangle:
    """x along the longer side, yaw in [-pi/2, pi/2)."""
    if sizes[1] > sizes[0]:
        sizes, yaw = (sizes[1], sizes[0]), yaw + math.pi / 2
    return Rectangle(center, sizes, (yaw + math.pi / 2) % math.pi - math.pi / 2, False)


def _bounds(
    cells: NDArray[np.float64], angles: NDArray[np.float64]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Trimmed lowest and highest coordinates (2, A) along the axes of each angle."""
    c, s = np.cos(angles), np.sin(angles)
    along = np.concatenate([np.column_stack([c, s]), np.column_stack([-s, c])])
    values = (along @ cells.T).astype(np.float32)
    k = int(_TRIM * len(cells))
    # numpy's sort of float32 is vectorised and beats its partition many times over.
    values.sort(axis=1)
    low, high = values[:, k], values[:, len(cells) - 1 - k]
    return low.reshape(2, -1), high.reshape(2, -1)


def _areas(cells: NDArray[np.float64], angles: NDArray[np.float64]) -> NDArray[np.float64]:
    low, high = _bounds(cells, angles)
    return np.asarray((high[0] - low[0]) * (high[1] - low[1]))
