"""Raw `sensor_msgs/Image` contents to arrays: a right picture, or an InvalidImageError that names the defect.

Knows encodings, row padding (`step`) and byte order, as sensor_msgs/image_encodings.hpp and REP-118 have
them; knows nothing of messages, topics or compression (see `compressed_images`). Faults: `bad_size`,
`zero_size`, `absurd_size`, `bad_data`, `unknown_encoding`, `not_colour`, `not_depth`, `odd_width`,
`wrong_step`, `short_data`, `long_data`, `bad_endianness`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mmrobot.config import CameraConfig
from mmrobot.errors import InvalidImageError

MAX_SIDE_PX = 16384
MAX_PIXELS = CameraConfig().max_pixels

UINT16_METRES = np.float32(0.001)
"""REP-118: 16-bit depth is in millimetres."""


@dataclass(frozen=True)
class Encoding:
    """How pixels lie in memory: `channels` values of `bits` each; `order` tells what they mean."""

    order: str
    channels: int
    bits: int


ENCODINGS: dict[str, Encoding] = {
    "rgb8": Encoding("rgb", 3, 8),
    "bgr8": Encoding("bgr", 3, 8),
    "rgba8": Encoding("rgba", 4, 8),
    "bgra8": Encoding("bgra", 4, 8),
    "rgb16": Encoding("rgb", 3, 16),
    "bgr16": Encoding("bgr", 3, 16),
    "rgba16": Encoding("rgba", 4, 16),
    "bgra16": Encoding("bgra", 4, 16),
    "mono8": Encoding("mono", 1, 8),
    "mono16": Encoding("mono", 1, 16),
    # The CV_ type codes name no colours; OpenCV's own order is meant, as cv_bridge passes them on.
    "8UC1": Encoding("mono", 1, 8),
    "8UC3": Encoding("bgr", 3, 8),
    "8UC4": Encoding("bgra", 4, 8),
    "16UC1": Encoding("depth", 1, 16),
    "32FC1": Encoding("depth", 1, 32),
    "yuv422": Encoding("uyvy", 2, 8),
    "uyvy": Encoding("uyvy", 2, 8),
    "yuv422_yuy2": Encoding("yuyv", 2, 8),
    "yuyv": Encoding("yuyv", 2, 8),
}

_CONVERSIONS = {
    "bgr": cv2.COLOR_BGR2RGB,
    "bgra": cv2.COLOR_BGRA2RGB,
    "mono": cv2.COLOR_GRAY2RGB,
    "uyvy": cv2.COLOR_YUV2RGB_UYVY,
    "yuyv": cv2.COLOR_YUV2RGB_YUY2,
}


def decode_image(
    encoding: str, height: int, width: int, step: int, is_bigendian: int, data: object
) -> NDArray[np.uint8]:
    """A colour or grey picture as (H, W, 3) uint8 RGB.

    `step` is the row length in bytes, padding included. `data` is anything with the buffer protocol
    (bytes, array.array as rclpy has it, numpy). rgb8 and rgba8 come back as read-only views of it, no
    copy is made; others are C-contiguous copies. 16-bit colours keep their upper byte. Raises
    InvalidImageError, whatever is wrong.
    """
    kind = _known_encoding(encoding)
    if kind.order == "depth":
        raise InvalidImageError(
            f"encoding '{encoding}' is a depth picture where a colour picture is needed",
            "remap `image` to the camera's colour topic",
            "not_colour",
        )
    pixels = _pixels(encoding, kind, height, width, step, is_bigendian, data)
    if kind.bits == 16:
        pixels = (pixels >> 8).astype(np.uint8)
    if kind.order in ("rgb", "rgba"):
        picture: NDArray[np.uint8] = pixels[:, :, :3]
        return picture
    conversion = _CONVERSIONS[kind.order]
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(pixels), conversion), dtype=np.uint8)


def decode_depth(
    encoding: str, height: int, width: int, step: int, is_bigendian: int, data: object
) -> NDArray[np.float32]:
    """A depth picture as (H, W) float32 metres along the optical axis; invalid pixels are NaN.

    Invalid are zero (REP-118 for 16UC1), negative, infinite and NaN ones. mono16 is read as 16UC1, as
    several drivers publish it. 32FC1 without invalid pixels comes back as a read-only view of `data`.
    Raises InvalidImageError.
    """
    kind = _known_encoding(encoding)
    if kind.order != "depth" and not (kind.order == "mono" and kind.bits == 16):
        raise InvalidImageError(
            f"encoding '{encoding}' is no depth picture (16UC1 in mm or 32FC1 in m)",
            "remap `depth` to the camera's depth topic, registered to colour",
            "not_depth",
        )
    pixels = _pixels(encoding, kind, height, width, step, is_bigendian, data)[:, :, 0]
    return millimetres_to_depth(pixels) if kind.bits == 16 else clean_depth(pixels)


def millimetres_to_depth(pixels: NDArray[np.uint16]) -> NDArray[np.float32]:
    """(H, W) uint16 millimetres to float32 metres, zero to NaN."""
    depth_m = pixels.astype(np.float32)
    depth_m *= UINT16_METRES
    depth_m[pixels == 0] = np.nan
    return depth_m


def clean_depth(depth_m: NDArray[np.float32]) -> NDArray[np.float32]:
    """(H, W) float32 metres with every zero, negative and non-finite value as NaN; a copy only if needed."""
    native = depth_m.astype(np.float32, copy=False)
    with np.errstate(invalid="ignore"):
        valid = (native > 0) & (native < np.inf)
    if valid.all():
        return native
    return np.where(valid, native, np.float32(np.nan))


def check_size(height: object, width: object) -> tuple[int, int]:
    """Height and width as ints within what is sensible, or InvalidImageError."""
    for name, value in (("height", height), ("width", width)):
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 0:
            raise InvalidImageError(
                f"{name} must be a whole number of pixels, got {value!r}", "repair the publisher", "bad_size"
            )
    rows, columns = int(height), int(width)  # type: ignore[call-overload]
    if rows == 0 or columns == 0:
        raise InvalidImageError(
            f"picture of {columns}x{rows} pixels is empty", "check the camera driver's start-up", "zero_size"
        )
    if rows > MAX_SIDE_PX or columns > MAX_SIDE_PX or rows * columns > MAX_PIXELS:
        raise InvalidImageError(
            f"picture of {columns}x{rows} pixels is larger than {MAX_SIDE_PX} a side or {MAX_PIXELS} in all",
            "lower the camera's resolution",
            "absurd_size",
        )
    return rows, columns


def as_buffer(data: object) -> NDArray[np.uint8]:
    """Anything with the buffer protocol as flat bytes, without a copy where it is contiguous."""
    try:
        view = memoryview(data)  # type: ignore[arg-type]
        flat = view.cast("B") if view.c_contiguous and view.nbytes else memoryview(view.tobytes())
        buffer = np.frombuffer(flat, dtype=np.uint8) if flat.nbytes else np.empty(0, np.uint8)
    except (TypeError, ValueError, BufferError, NotImplementedError) as error:
        raise InvalidImageError(
            f"data must be bytes-like, got {type(data).__name__} ({error})",
            "pass the message's data field",
            "bad_data",
        ) from error
    buffer.flags.writeable = False
    return buffer


def _known_encoding(encoding: object) -> Encoding:
    kind = ENCODINGS.get(encoding) if isinstance(encoding, str) else None
    if kind is None:
        raise InvalidImageError(
            f"unknown encoding {str(encoding)[:60]!r}",
            f"let the camera publish one of {', '.join(ENCODINGS)}",
            "unknown_encoding",
        )
    return kind


def _pixels(
    encoding: str,
    kind: Encoding,
    height: object,
    width: object,
    step: object,
    is_bigendian: object,
    data: object,
) -> NDArray[Any]:
    """The (H, W, C) view of `data`, in its own byte order, after all checks."""
    rows, columns = check_size(height, width)
    if kind.order in ("uyvy", "yuyv") and columns % 2:
        raise InvalidImageError(
            f"encoding '{encoding}' shares colour between two pixels, so width must be even, got {columns}",
            "choose an even width in the camera driver",
            "odd_width",
        )
    item = kind.bits // 8
    row_bytes = columns * kind.channels * item
    if isinstance(step, bool) or not isinstance(step, int | np.integer) or step < row_bytes:
        raise InvalidImageError(
            f"step is {step!r}, but a row of {columns} pixels of '{encoding}' takes {row_bytes} bytes",
            "set step to the row length in bytes in the publisher",
            "wrong_step",
        )
    buffer = as_buffer(data)
    needed = rows * int(step)
    if buffer.size != needed:
        raise InvalidImageError(
            f"data has {buffer.size} bytes, but {rows} rows of step {int(step)} are {needed}",
            "repair the publisher, or look for messages cut in transport",
            "short_data" if buffer.size < needed else "long_data",
        )
    swapped = False
    if item > 1:
        if is_bigendian not in (0, 1):
            raise InvalidImageError(
                f"is_bigendian must be 0 or 1, got {is_bigendian!r}", "repair the publisher", "bad_endianness"
            )
        swapped = bool(is_bigendian)
    letter = "f" if kind.bits == 32 else "u"
    dtype = np.dtype(f"{'>' if swapped else '<'}{letter}{item}")
    return np.ndarray(
        (rows, columns, kind.channels), dtype, buffer, strides=(int(step), kind.channels * item, item)
    )
