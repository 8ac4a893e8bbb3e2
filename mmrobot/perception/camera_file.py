"""A camera's calibration file (camera_calibration's YAML, or the same as JSON) with, by extension, its pose.

    image_width: 640
    image_height: 480
    camera_matrix: {rows: 3, cols: 3, data: [753.9, 0, 319.5, 0, 753.9, 239.5, 0, 0, 1]}
    distortion_model: plumb_bob
    distortion_coefficients: {rows: 1, cols: 5, data: [0, 0, 0, 0, 0]}
    T_base_camera: [[...], [...], [...], [0, 0, 0, 1]]     # optional; optical frame to base_link

Without `T_base_camera` the camera of the embedded table world is taken.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from mmrobot.errors import InvalidConfigError, InvalidImageError
from mmrobot.perception.camera import camera_from_info
from mmrobot.types import CameraModel

TABLE_CAMERA_POSITION_M = (-0.25, 0.0, 1.05)
TABLE_CAMERA_TARGET_M = (0.45, 0.0, 0.0)
TABLE_CAMERA_FOV_RAD = math.radians(46.0)
_MAX_FILE_BYTES = 1 << 20


def look_at(
    position_m: tuple[float, float, float], target_m: tuple[float, float, float]
) -> NDArray[np.float64]:
    """T_base_camera (4, 4) of an upright camera at `position_m` that looks at `target_m`."""
    forward = np.subtract(target_m, position_m).astype(np.float64)
    forward /= np.linalg.norm(forward)
    right = np.cross(forward, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right)
    pose = np.eye(4)
    pose[:3, :3] = np.column_stack([right, np.cross(forward, right), forward])
    pose[:3, 3] = position_m
    return pose


def table_camera() -> tuple[CameraModel, NDArray[np.float64]]:
    """The embedded table world's camera and its T_base_camera."""
    focal = 320.0 / math.tan(TABLE_CAMERA_FOV_RAD / 2)
    return CameraModel(640, 480, focal, focal, 319.5, 239.5), look_at(
        TABLE_CAMERA_POSITION_M, TABLE_CAMERA_TARGET_M
    )


def load_camera_yaml(path: str | Path) -> tuple[CameraModel, NDArray[np.float64]]:
    """The camera and its T_base_camera of a file; raises InvalidConfigError."""
    path = Path(path)
    content = _read(path)
    try:
        camera = camera_from_info(
            _field(content, "image_width", path),
            _field(content, "image_height", path),
            _matrix(content, "camera_matrix", path),
            _matrix(content, "distortion_coefficients", path) if "distortion_coefficients" in content else (),
            content.get("distortion_model", "plumb_bob"),
            str(content.get("frame_id", "camera_optical_frame")),
        )
    except InvalidImageError as error:
        raise InvalidConfigError(f"{path.name}: {error.message}", error.fix) from error
    if content.get("T_base_camera") is None:
        return camera, table_camera()[1]
    return camera, _pose(content["T_base_camera"], path)


def _read(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _MAX_FILE_BYTES:
            raise InvalidConfigError(
                f"{path.name} has {path.stat().st_size} bytes", "give a calibration file"
            )
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        raise InvalidConfigError(
            f"camera file {path.name} cannot be read: {error}", "give a YAML or JSON file"
        ) from error
    if not isinstance(content, dict):
        raise InvalidConfigError(
            f"camera file {path.name} must hold named fields, got {type(content).__name__}",
            "see camera_calibration",
        )
    return content


def _field(content: dict[str, Any], name: str, path: Path) -> Any:
    if name not in content:
        raise InvalidConfigError(f"{path.name} lacks '{name}'", "write the file with camera_calibration")
    return content[name]


def _matrix(content: dict[str, Any], name: str, path: Path) -> Any:
    value = _field(content, name, path)
    return _field(value, "data", path) if isinstance(value, dict) else value


def _pose(value: object, path: Path) -> NDArray[np.float64]:
    fix = "give 4 rows of 4 numbers that take points of the optical frame to base_link"
    try:
        pose = np.asarray(value, dtype=np.float64).reshape(4, 4)
    except (TypeError, ValueError) as error:
        raise InvalidConfigError(f"{path.name}: T_base_camera is not 4x4: {error}", fix) from error
    rotation = pose[:3, :3]
    rigid = np.isfinite(pose).all() and np.allclose(pose[3], [0, 0, 0, 1])
    if (
        not rigid
        or not np.allclose(rotation @ rotation.T, np.eye(3), atol=1e-3)
        or np.linalg.det(rotation) < 0
    ):
        raise InvalidConfigError(f"{path.name}: T_base_camera is no rigid transform: {pose.tolist()}", fix)
    return pose
