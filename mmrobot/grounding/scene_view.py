"""One frame as points of the base: which pixels are valid, where the table is, how noisy the depth is.

Shared by all boxes of a frame, so that rays and table are worked out once.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from mmrobot.config import CameraConfig
from mmrobot.errors import NoDepthError, TransformUnavailableError
from mmrobot.perception.camera import ray_map
from mmrobot.types import CameraModel, RgbdFrame

_MIN_DEPTH_M = CameraConfig().min_depth_m
_MAX_DEPTH_M = CameraConfig().max_depth_m
_TABLE_SEARCH_M = 0.05
_LAYER_M = 0.004
_STRIDE = 12
_MIN_TABLE_POINTS = 120
_MAX_TILT = 0.05
_FLYING_M, _MIN_NEIGHBOURS = 0.010, 2
DEFAULT_NOISE_M = 0.003


@dataclass(frozen=True)
class Plane:
    """z = `z0_m` + `slope_x` x + `slope_y` y in base; `noise_m` is the spread of the points about it."""

    z0_m: float = 0.0
    slope_x: float = 0.0
    slope_y: float = 0.0
    noise_m: float = DEFAULT_NOISE_M

    def z(self, x: NDArray[np.floating] | float, y: NDArray[np.floating] | float) -> NDArray[np.float64]:
        return np.asarray(self.z0_m + self.slope_x * np.asarray(x) + self.slope_y * np.asarray(y))


def fit_table(points: NDArray[np.floating], expected_z_m: float = 0.0) -> Plane:
    """The table top near `expected_z_m` among points (N, 3) of base; the expected plane if few lie there.

    The fullest layer within 5 cm is taken, then a plane fitted to it by least squares, thrice, each time
    to what lies near the last. A plane steeper than 3 degrees is not believed.
    """
    near = points[np.abs(points[:, 2] - expected_z_m) < _TABLE_SEARCH_M].astype(np.float64)
    if len(near) < _MIN_TABLE_POINTS:
        return Plane(expected_z_m)
    bins = ((near[:, 2] - (expected_z_m - _TABLE_SEARCH_M)) / _LAYER_M).astype(np.intp)
    layers = np.convolve(np.bincount(bins), [1, 1, 1], mode="same")
    z0 = expected_z_m - _TABLE_SEARCH_M + (int(layers.argmax()) + 0.5) * _LAYER_M
    plane, reach = Plane(z0), 0.02
    for _ in range(3):
        residual = near[:, 2] - plane.z(near[:, 0], near[:, 1])
        inliers = near[np.abs(residual) < reach]
        if len(inliers) < _MIN_TABLE_POINTS:
            return Plane(z0)
        a, b, c = _least_squares(inliers)
        if abs(b) > _MAX_TILT or abs(c) > _MAX_TILT:
            a, b, c = float(np.median(inliers[:, 2])), 0.0, 0.0
        spread = inliers[:, 2] - (a + b * inliers[:, 0] + c * inliers[:, 1])
        noise = float(1.4826 * np.median(np.abs(spread - np.median(spread))))
        plane = Plane(float(a), float(b), float(c), max(noise, 2e-4))
        reach = min(max(3 * noise, 0.005), 0.02)
    return plane


def _least_squares(points: NDArray[np.float64]) -> tuple[float, float, float]:
    """a, b, c of z = a + b x + c y; level when the points lie in a line."""
    middle = points.mean(axis=0)
    centred = points - middle
    moments = centred.T @ centred
    determinant = moments[0, 0] * moments[1, 1] - moments[0, 1] ** 2
    if determinant < 1e-12:
        return float(middle[2]), 0.0, 0.0
    b = (moments[0, 2] * moments[1, 1] - moments[1, 2] * moments[0, 1]) / determinant
    c = (moments[1, 2] * moments[0, 0] - moments[0, 2] * moments[0, 1]) / determinant
    return float(middle[2] - b * middle[0] - c * middle[1]), float(b), float(c)


@dataclass(frozen=True, eq=False)
class Patch:
    """A window of the picture, its first element at pixel (`u0`, `v0`).

    `points` (h, w, 3) in base, `height` (h, w) over the table, `depth` (h, w) along the optical axis are NaN
    where nothing is known; `valid` (h, w) is where the camera itself gave depth.
    """

    u0: int
    v0: int
    points: NDArray[np.float32]
    height: NDArray[np.float32]
    depth: NDArray[np.float32]
    valid: NDArray[np.bool_]


class SceneView:
    """A frame's geometry. Raises NoDepthError without depth, TransformUnavailableError without a pose."""

    def __init__(self, frame: RgbdFrame, expected_table_z_m: float = 0.0) -> None:
        if frame.depth_m is None:
            raise NoDepthError(
                "no depth picture came with the colour picture", "start the depth camera, check topic `depth`"
            )
        T = frame.T_base_camera
        if T is None or T.shape != (4, 4) or not np.isfinite(T).all():
            raise TransformUnavailableError(
                f"no transform from {frame.camera.frame_id} to the base at stamp {frame.stamp_ns}",
                "publish the camera's pose on /tf or /tf_static",
            )
        self.frame = frame
        self._rays = _base_rays(frame.camera, tuple(T[:3, :3].ravel().tolist()))
        self._depth = frame.depth_m
        self._t = T[:3, 3].astype(np.float32)
        every = slice(_STRIDE // 2, None, _STRIDE)
        coarse = self._points(every, every, self._valid_depth(every, every)[0]).reshape(-1, 3)
        self.table = fit_table(coarse[np.isfinite(coarse[:, 2])], expected_table_z_m)

    def patch(self, u0: int, v0: int, u1: int, v1: int) -> Patch:
        """The window of pixels u0 <= u < u1, v0 <= v < v1."""
        table = self.table
        rows, columns = slice(v0, v1), slice(u0, u1)
        depth, valid = self._valid_depth(rows, columns)
        depth = _with_edges(depth, valid)
        points = self._points(rows, columns, depth)
        height = points[..., 2] - np.float32(table.z0_m)
        height -= np.float32(table.slope_x) * points[..., 0] + np.float32(table.slope_y) * points[..., 1]
        return Patch(u0, v0, points, height, depth, valid)

    def _valid_depth(self, rows: slice, columns: slice) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        depth = self._depth[rows, columns]
        with np.errstate(invalid="ignore"):
            valid = (depth >= _MIN_DEPTH_M) & (depth <= _MAX_DEPTH_M)
        return np.where(valid, depth, np.float32(np.nan)).astype(np.float32, copy=False), valid

    def _points(self, rows: slice, columns: slice, depth: NDArray[np.float32]) -> NDArray[np.float32]:
        points: NDArray[np.float32] = self._rays[rows, columns] * depth[..., None]
        points += self._t
        return points


@lru_cache(maxsize=2)
def _base_rays(camera: CameraModel, rotation: tuple[float, ...]) -> NDArray[np.float32]:
    """Every pixel's ray (H, W, 3) turned into base by `rotation`, row-major; a camera rarely turns."""
    R = np.array(rotation, dtype=np.float32).reshape(3, 3)
    # Flat: numpy multiplies a stack of small matrices one by one.
    return (ray_map(camera).reshape(-1, 3) @ R.T).reshape(camera.height, camera.width, 3)


def _neighbours(depth: NDArray[np.float32]) -> NDArray[np.uint8]:
    """How many of a pixel's eight neighbours lie at its depth; few for one that hangs between surfaces."""
    near = np.zeros(depth.shape, dtype=np.uint8)
    rows, columns = depth.shape
    with np.errstate(invalid="ignore"):
        for dv, du in ((0, 1), (1, 0), (1, 1), (1, -1)):
            here = (slice(0, rows - dv), slice(max(-du, 0), columns - max(du, 0)))
            there = (slice(dv, rows), slice(max(du, 0), columns - max(-du, 0)))
            close = np.abs(depth[here] - depth[there]) < _FLYING_M
            near[here] += close
            near[there] += close
    return near


def _with_edges(depth: NDArray[np.float32], valid: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Depth with each invalid pixel given the nearest of its neighbours' depths, one pixel deep.

    Depth cameras lose a pixel or so on each side of an edge. The inner one is the nearer thing's, and
    without it every far edge would come out too near.
    """
    valid = valid & (_neighbours(depth) >= _MIN_NEIGHBOURS)
    if not valid.any():
        return depth
    far = np.where(valid, depth, np.float32(np.inf))
    nearest = np.asarray(cv2.erode(far, np.ones((3, 3), np.uint8), borderValue=np.inf), dtype=np.float32)
    filled = np.where(np.isinf(nearest), np.float32(np.nan), nearest)
    return np.where(valid, depth, filled)
