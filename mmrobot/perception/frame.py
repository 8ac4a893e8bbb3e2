"""Messages to an RgbdFrame: decoded, checked against their infos, depth brought to colour's size.

Messages are duck-typed: anything with the fields of sensor_msgs/Image, CompressedImage and CameraInfo.
Faults of InvalidImageError, beside those of decoding: `size_mismatch`, `depth_not_registered`, `bad_message`.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mmrobot.errors import InvalidImageError
from mmrobot.perception.camera import camera_from_info, check_same_size, scaled
from mmrobot.perception.compressed_images import decode_compressed, decode_compressed_depth
from mmrobot.perception.image_decoding import decode_depth, decode_image
from mmrobot.types import CameraModel, RgbdFrame

_FOCAL_TOLERANCE = 0.02
_CENTRE_TOLERANCE_PX = 4.0


def image_from_message(message: Any) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 RGB of an Image or CompressedImage message."""
    if hasattr(message, "format"):
        return decode_compressed(message.format, message.data)
    return decode_image(*_image_fields(message))


def depth_from_message(message: Any) -> NDArray[np.float32]:
    """(H, W) float32 metres, invalid NaN, of an Image or CompressedImage message."""
    if hasattr(message, "format"):
        return decode_compressed_depth(message.format, message.data)
    return decode_depth(*_image_fields(message))


def camera_from_message(message: Any) -> CameraModel:
    """The CameraModel of a CameraInfo message."""
    try:
        roi = message.roi
        return camera_from_info(
            message.width,
            message.height,
            message.k,
            message.d,
            message.distortion_model,
            message.header.frame_id,
            binning=(message.binning_x, message.binning_y),
            roi_xywh=(roi.x_offset, roi.y_offset, roi.width, roi.height),
        )
    except AttributeError as error:
        raise _bad_message("CameraInfo", message, error) from error


def make_frame(
    rgb: NDArray[np.uint8],
    camera: CameraModel,
    stamp_ns: int,
    T_base_camera: NDArray[np.float64] | None,
    depth_m: NDArray[np.float32] | None = None,
    depth_camera: CameraModel | None = None,
) -> RgbdFrame:
    """A frame of decoded parts. Depth of another size is brought to colour's, without mixing neighbours.

    Raises InvalidImageError when sizes disagree, or when depth is seen by another camera than colour.
    """
    check_same_size(camera, *rgb.shape[:2])
    if depth_m is not None:
        if depth_camera is not None:
            check_same_size(depth_camera, *depth_m.shape)
            _check_registered(camera, depth_camera)
        depth_m = _same_size(depth_m, camera)
    return RgbdFrame(rgb, depth_m, camera, T_base_camera, stamp_ns)


def _image_fields(message: Any) -> tuple[Any, ...]:
    try:
        return (
            message.encoding,
            message.height,
            message.width,
            message.step,
            message.is_bigendian,
            message.data,
        )
    except AttributeError as error:
        raise _bad_message("Image", message, error) from error


def _bad_message(kind: str, message: Any, error: AttributeError) -> InvalidImageError:
    return InvalidImageError(
        f"{type(message).__name__} is no sensor_msgs/{kind}: {error}",
        "remap the topic to one of that type",
        "bad_message",
    )


def _same_size(depth_m: NDArray[np.float32], camera: CameraModel) -> NDArray[np.float32]:
    height, width = depth_m.shape
    if (height, width) == (camera.height, camera.width):
        return depth_m
    if height * camera.width != width * camera.height:
        raise _not_registered(f"depth is {width}x{height}, colour {camera.width}x{camera.height}")
    # A point between two surfaces belongs to neither: nearest, never mixed.
    size = (camera.width, camera.height)
    return np.asarray(cv2.resize(depth_m, size, interpolation=cv2.INTER_NEAREST_EXACT), dtype=np.float32)


def _check_registered(camera: CameraModel, depth_camera: CameraModel) -> None:
    as_colour = scaled(depth_camera, camera.width, camera.height)
    focal = max(abs(as_colour.fx / camera.fx - 1), abs(as_colour.fy / camera.fy - 1))
    centre = max(abs(as_colour.cx - camera.cx), abs(as_colour.cy - camera.cy))
    if focal > _FOCAL_TOLERANCE or centre > _CENTRE_TOLERANCE_PX:
        raise _not_registered(
            f"depth has fx={as_colour.fx:.1f}, cx={as_colour.cx:.1f}, cy={as_colour.cy:.1f} as colour, "
            f"colour fx={camera.fx:.1f}, cx={camera.cx:.1f}, cy={camera.cy:.1f}"
        )


def _not_registered(why: str) -> InvalidImageError:
    return InvalidImageError(
        f"depth is not registered to colour: {why}",
        "remap `depth` to the aligned depth topic (aligned_depth_to_color, depth_registered)",
        "depth_not_registered",
    )
