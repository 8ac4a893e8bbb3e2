"""Pictures and cameras as sensor_msgs, without cv_bridge; perception/frame.py reads them."""

from __future__ import annotations

import array

import numpy as np
from numpy.typing import NDArray
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header

from mmrobot.ros.messages import to_time
from mmrobot.types import CameraModel


def _image(pixels: NDArray[np.generic], encoding: str, header: Header) -> Image:
    height, width = pixels.shape[:2]
    # array.array is the message's own type: anything else is copied byte by byte in Python.
    return Image(
        header=header,
        height=height,
        width=width,
        encoding=encoding,
        is_bigendian=0,
        step=pixels.strides[0],
        data=array.array("B", pixels.tobytes()),
    )


def rgb_to_message(rgb: NDArray[np.uint8], stamp_ns: int, frame_id: str) -> Image:
    """(H, W, 3) uint8 as rgb8."""
    header = Header(stamp=to_time(stamp_ns), frame_id=frame_id)
    return _image(np.ascontiguousarray(rgb), "rgb8", header)


def depth_to_message(depth_m: NDArray[np.float32], stamp_ns: int, frame_id: str) -> Image:
    """(H, W) float32 metres as 32FC1."""
    header = Header(stamp=to_time(stamp_ns), frame_id=frame_id)
    return _image(np.ascontiguousarray(depth_m, dtype="<f4"), "32FC1", header)


def camera_to_message(camera: CameraModel, stamp_ns: int) -> CameraInfo:
    """The camera as CameraInfo, rectification none."""
    fx, fy, cx, cy = camera.fx, camera.fy, camera.cx, camera.cy
    return CameraInfo(
        header=Header(stamp=to_time(stamp_ns), frame_id=camera.frame_id),
        height=camera.height,
        width=camera.width,
        distortion_model="plumb_bob",
        d=list(camera.distortion) or [0.0] * 5,
        k=[fx, 0.0, cx, 0.0, fy, cy, 0.0, 0.0, 1.0],
        r=[1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0],
        p=[fx, 0.0, cx, 0.0, 0.0, fy, cy, 0.0, 0.0, 0.0, 1.0, 0.0],
    )
