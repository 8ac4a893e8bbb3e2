"""How high the surface at a spot of the table stands, by depth alone."""

from __future__ import annotations

import numpy as np

from mmrobot.perception.camera import deproject, project
from mmrobot.types import RgbdFrame, Vector3

_WINDOW_PX = 24
_MIN_POINTS = 12


def height_at(frame: RgbdFrame, spot_m: Vector3, reach_m: float) -> float | None:
    """Median z (m, base) of what is seen within `reach_m` of a spot's x and y; `spot_m` (base) is where
    the surface is expected. None without a camera pose, without depth, or where too little is seen."""
    if frame.depth_m is None or frame.T_base_camera is None:
        return None
    camera_base = np.linalg.inv(frame.T_base_camera)
    u, v = project(frame.camera, camera_base[:3, :3] @ np.asarray(spot_m) + camera_base[:3, 3])
    if not (np.isfinite(u) and np.isfinite(v)):
        return None
    height, width = frame.depth_m.shape
    columns = np.arange(max(int(u) - _WINDOW_PX, 0), min(int(u) + _WINDOW_PX, width))
    rows = np.arange(max(int(v) - _WINDOW_PX, 0), min(int(v) + _WINDOW_PX, height))
    if not (columns.size and rows.size):
        return None
    uv = np.stack(np.meshgrid(columns, rows), axis=-1)
    points = deproject(frame.camera, uv, frame.depth_m[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
    base = points.reshape(-1, 3) @ frame.T_base_camera[:3, :3].T + frame.T_base_camera[:3, 3]
    with np.errstate(invalid="ignore"):
        near = np.hypot(base[:, 0] - spot_m[0], base[:, 1] - spot_m[1]) < reach_m
    return float(np.median(base[near, 2])) if int(near.sum()) >= _MIN_POINTS else None
