"""Frames of the simulated robot as transforms: the arm's links over time, the camera once."""

from __future__ import annotations

import numpy as np
from geometry_msgs.msg import Quaternion, Transform, TransformStamped, Vector3
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation
from std_msgs.msg import Header

from mmrobot.ros.messages import to_time
from mmrobot.simulator.simulator import Simulator
from mmrobot.types import BASE_FRAME, RgbdFrame

CAMERA_LINK = "camera"
# Optical (z forward, x right, y down) to camera link (x forward, y left, z up), REP-103.
T_LINK_OPTICAL = np.array([[0.0, 0, 1, 0], [-1, 0, 0, 0], [0, -1, 0, 0], [0, 0, 0, 1]])


def transform_message(parent: str, child: str, T: NDArray[np.float64], stamp_ns: int) -> TransformStamped:
    """One (4, 4) that takes points of `child` to `parent`."""
    x, y, z, w = (float(v) for v in Rotation.from_matrix(T[:3, :3]).as_quat())
    tx, ty, tz = (float(v) for v in T[:3, 3])
    return TransformStamped(
        header=Header(stamp=to_time(stamp_ns), frame_id=parent),
        child_frame_id=child,
        transform=Transform(translation=Vector3(x=tx, y=ty, z=tz), rotation=Quaternion(x=x, y=y, z=z, w=w)),
    )


def link_transforms(simulator: Simulator, stamp_ns: int) -> list[TransformStamped]:
    """Every link of the arm in its parent."""
    return [transform_message(p.parent, p.child, p.pose, stamp_ns) for p in simulator.link_poses()]


def camera_transforms(frame: RgbdFrame, stamp_ns: int) -> list[TransformStamped]:
    """Base to camera link to optical frame, where the camera stands in this scene."""
    if frame.T_base_camera is None:
        return []
    T_base_link = frame.T_base_camera @ np.linalg.inv(T_LINK_OPTICAL)
    return [
        transform_message(BASE_FRAME, CAMERA_LINK, T_base_link, stamp_ns),
        transform_message(CAMERA_LINK, frame.camera.frame_id, T_LINK_OPTICAL, stamp_ns),
    ]
