"""The camera: from `sensor_msgs/CameraInfo` or a calibration file, and between pixels and points.

Pixels are x first with the centre of the first pixel at (0, 0); points are of the optical frame
(z forward, x right, y down; REP-103), metres. Depth is along z, not along the ray. Faults of
InvalidImageError here: `bad_size`, `zero_size`, `absurd_size`, `k_size`, `k_not_finite`, `k_zeros`,
`k_form`, `unknown_distortion`, `distortion_size`, `distortion_not_finite`, `bad_binning`,
`size_mismatch`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from mmrobot.errors import InvalidImageError
from mmrobot.perception.image_decoding import check_size
from mmrobot.types import CameraModel

DISTORTION_SIZES = {"plumb_bob": (4, 5), "rational_polynomial": (8,)}
"""sensor_msgs/distortion_models.hpp with OpenCV's counts; `equidistant` must be rectified first."""


def camera_from_info(
    width: int,
    height: int,
    k: Sequence[float],
    d: Sequence[float] = (),
    distortion_model: str = "plumb_bob",
    frame_id: str = "camera_optical_frame",
    *,
    binning: tuple[int, int] = (0, 0),
    roi_xywh: tuple[int, int, int, int] = (0, 0, 0, 0),
) -> CameraModel:
    """A checked CameraModel of a CameraInfo's contents; `k` is row-major (9,), `d` the coefficients.

    `binning` and `roi_xywh` are as the message has them (zeros: none); the model is that of the
    resulting, smaller picture. Raises InvalidImageError.
    """
    rows, columns = check_size(height, width)
    matrix = _numbers("K", k, "k_not_finite")
    if matrix.shape != (9,):
        raise _bad(f"K must hold 9 numbers, got {matrix.size}", "k_size")
    fx, skew, cx, zero_1, fy, cy, zero_2, zero_3, one = (float(v) for v in matrix)
    if fx <= 0 or fy <= 0:
        raise _bad(f"K has focal lengths fx={fx}, fy={fy}: the camera is not calibrated", "k_zeros")
    if one != 1 or any((zero_1, zero_2, zero_3)) or abs(skew) > 1e-6 * fx:
        raise _bad(f"K must be [fx 0 cx; 0 fy cy; 0 0 1], got {matrix.tolist()}", "k_form")
    model = CameraModel(columns, rows, fx, fy, cx, cy, _coefficients(d, distortion_model), str(frame_id))
    return _cropped(model, binning, roi_xywh)


def check_same_size(camera: CameraModel, height: int, width: int) -> None:
    """InvalidImageError when a picture is not of the size that its CameraInfo tells."""
    if (camera.height, camera.width) != (height, width):
        raise InvalidImageError(
            f"picture is {width}x{height}, but its camera_info says {camera.width}x{camera.height}",
            "remap `camera_info` to the one beside `image`",
            "size_mismatch",
        )


def scaled(camera: CameraModel, width: int, height: int) -> CameraModel:
    """The camera of the same view resized to `width` x `height`; distortion is free of scale."""
    sx, sy = width / camera.width, height / camera.height
    return replace(
        camera,
        width=width,
        height=height,
        fx=camera.fx * sx,
        fy=camera.fy * sy,
        cx=(camera.cx + 0.5) * sx - 0.5,
        cy=(camera.cy + 0.5) * sy - 0.5,
    )


def rays(camera: CameraModel, uv: NDArray[np.floating]) -> NDArray[np.float64]:
    """Pixels (..., 2) to directions (..., 3) of the optical frame with z = 1, distortion removed."""
    uv = np.asarray(uv, dtype=np.float64)
    out = np.ones((*uv.shape[:-1], 3))
    if camera.distortion and uv.size:
        stop = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 40, 1e-8)
        flat = cv2.undistortPoints(
            uv.reshape(-1, 1, 2), camera.matrix, np.array(camera.distortion), criteria=stop
        )
        out[..., :2] = flat.reshape(*uv.shape)
    else:
        out[..., 0] = (uv[..., 0] - camera.cx) / camera.fx
        out[..., 1] = (uv[..., 1] - camera.cy) / camera.fy
    return out


@lru_cache(maxsize=4)
def ray_map(camera: CameraModel) -> NDArray[np.float32]:
    """The ray of every pixel, (H, W, 3) float32 with z = 1; kept per camera, read-only."""
    u, v = np.meshgrid(np.arange(camera.width), np.arange(camera.height))
    grid = rays(camera, np.stack([u, v], axis=-1)).astype(np.float32)
    grid.flags.writeable = False
    return grid


def deproject(
    camera: CameraModel, uv: NDArray[np.floating], depth_m: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Pixels (..., 2) with depths (...) to points (..., 3) of the optical frame; invalid depth gives NaN."""
    depth = np.asarray(depth_m, dtype=np.float64)
    with np.errstate(invalid="ignore"):
        depth = np.where((depth > 0) & np.isfinite(depth), depth, np.nan)
    return rays(camera, uv) * depth[..., None]


def project(camera: CameraModel, points_camera: NDArray[np.floating]) -> NDArray[np.float64]:
    """Points (..., 3) of the optical frame to pixels (..., 2); NaN for those not in front of the camera."""
    points = np.asarray(points_camera, dtype=np.float64)
    z = points[..., 2]
    with np.errstate(invalid="ignore", divide="ignore"):
        normal = points[..., :2] / np.where(z > 0, z, np.nan)[..., None]
    if camera.distortion and points.size:
        flat = np.ones((normal.size // 2, 1, 3))
        flat[:, 0, :2] = normal.reshape(-1, 2)
        pixels, _ = cv2.projectPoints(
            flat, np.zeros(3), np.zeros(3), camera.matrix, np.array(camera.distortion)
        )
        return np.asarray(pixels, dtype=np.float64).reshape(normal.shape)
    return normal * [camera.fx, camera.fy] + [camera.cx, camera.cy]


def undistort(
    camera: CameraModel, rgb: NDArray[np.uint8], depth_m: NDArray[np.float32] | None = None
) -> tuple[CameraModel, NDArray[np.uint8], NDArray[np.float32] | None]:
    """The pictures as an ideal pinhole camera of the same K sees them; untouched without distortion."""
    if not camera.distortion:
        return camera, rgb, depth_m
    maps = _undistort_maps(camera)
    colour = cv2.remap(np.ascontiguousarray(rgb), *maps, cv2.INTER_LINEAR)
    # Depth must not be mixed across an edge: a point between two surfaces belongs to neither.
    depth = (
        None
        if depth_m is None
        else cv2.remap(
            depth_m, *maps, cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT, borderValue=float("nan")
        )
    )
    return replace(camera, distortion=()), np.asarray(colour, dtype=np.uint8), depth  # type: ignore[return-value]


@lru_cache(maxsize=2)
def _undistort_maps(camera: CameraModel) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    size = (camera.width, camera.height)
    map_x, map_y = cv2.initUndistortRectifyMap(
        camera.matrix,
        np.array(camera.distortion),
        None,
        camera.matrix,
        size,
        cv2.CV_32FC1,  # type: ignore[call-overload]
    )
    return np.asarray(map_x, dtype=np.float32), np.asarray(map_y, dtype=np.float32)


def _bad(message: str, fault: str) -> InvalidImageError:
    return InvalidImageError(message, "calibrate the camera, and publish the result in camera_info", fault)


def _numbers(name: str, values: object, fault: str) -> NDArray[np.float64]:
    try:
        array = np.asarray(values, dtype=np.float64).ravel()
    except (TypeError, ValueError, OverflowError) as error:
        raise _bad(f"{name} must be numbers, got {str(values)[:80]} ({error})", fault) from error
    if not np.isfinite(array).all():
        raise _bad(f"{name} must be finite, got {array[:14].tolist()}", fault)
    return array


def _coefficients(d: object, distortion_model: object) -> tuple[float, ...]:
    """Distortion coefficients, () when they are all zero or absent."""
    values = _numbers("D", d, "distortion_not_finite")
    if not values.any():
        return ()
    sizes = DISTORTION_SIZES.get(distortion_model) if isinstance(distortion_model, str) else None
    if sizes is None:
        raise InvalidImageError(
            f"unknown distortion model {str(distortion_model)[:60]!r}",
            f"publish one of {', '.join(DISTORTION_SIZES)}, or rectify the picture first (image_proc)",
            "unknown_distortion",
        )
    if values.size not in sizes:
        raise _bad(f"{distortion_model} takes {sizes} coefficients, got {values.size}", "distortion_size")
    return tuple(float(v) for v in values)


def _cropped(
    camera: CameraModel, binning: tuple[int, int], roi_xywh: tuple[int, int, int, int]
) -> CameraModel:
    """The camera of a region of interest, then of every n-th pixel of it (as sensor_msgs/CameraInfo says)."""
    x, y, w, h = roi_xywh
    if (
        any(v < 0 for v in (*binning, *roi_xywh))
        or x + w > camera.width
        or y + h > camera.height
        or not (w > 0) == (h > 0)
    ):
        raise _bad(
            f"binning {binning} and roi {roi_xywh} do not fit {camera.width}x{camera.height} pixels",
            "bad_binning",
        )
    if w and h:
        camera = replace(camera, width=w, height=h, cx=camera.cx - x, cy=camera.cy - y)
    bx, by = max(binning[0], 1), max(binning[1], 1)
    if (bx, by) == (1, 1):
        return camera
    if camera.width < bx or camera.height < by:
        raise _bad(f"binning {binning} leaves nothing of {camera.width}x{camera.height}", "bad_binning")
    return scaled(camera, camera.width // bx, camera.height // by)
