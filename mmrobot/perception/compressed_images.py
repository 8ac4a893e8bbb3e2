"""`sensor_msgs/CompressedImage` contents to arrays: JPEG and PNG colour, PNG depth, compressedDepth.

Decoders are lenient: OpenCV fills what is missing with grey and only prints a warning. So the file's
structure is checked here first: marker by marker for JPEG, checksum by checksum for PNG. Size is read
from the header before anything is decoded, which bounds the memory. A changed bit inside JPEG's
entropy-coded data carries no checksum and is not noticed. Faults, beside those of `image_decoding`:
`unknown_format`, `corrupt_jpeg`, `corrupt_png`, `corrupt_depth_header`.
"""

from __future__ import annotations

import struct
import zlib
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mmrobot.errors import InvalidImageError
from mmrobot.perception.image_decoding import as_buffer, check_size, clean_depth, millimetres_to_depth

_JPEG_MAGIC = b"\xff\xd8\xff"
_PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
_FRAME_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_DEPTH_HEADER = struct.Struct("<iff")
"""compressed_depth_image_transport's ConfigHeader: format, and the parameters A and B of inverse depth."""


def decode_compressed(image_format: str, data: object) -> NDArray[np.uint8]:
    """A JPEG or PNG colour or grey picture as (H, W, 3) uint8 RGB; alpha dropped, EXIF rotation ignored.

    `image_format` is the message's `format` ("jpeg", "bgr8; jpeg compressed bgr8", ...). The codec is
    told from the data itself. Raises InvalidImageError.
    """
    if _is_depth_format(image_format):
        raise InvalidImageError(
            f"format '{image_format[:60]}' is a depth picture where a colour picture is needed",
            "remap `image` to the camera's colour topic",
            "not_colour",
        )
    buffer = as_buffer(data)
    fault = _check_file(image_format, buffer)
    # Camera pictures are described by camera_info as they lie; a rotation by EXIF would break that.
    flags = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    bgr = _decode(buffer, flags, fault)
    if "compressed rgb" in image_format:
        # image_transport's publisher handed RGB to an encoder that expects BGR: undone by not swapping.
        return np.asarray(bgr, dtype=np.uint8)
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), dtype=np.uint8)


def decode_compressed_depth(image_format: str, data: object) -> NDArray[np.float32]:
    """A compressed depth picture as (H, W) float32 metres, invalid pixels NaN.

    Takes 16-bit PNG in millimetres, with or without compressedDepth's 12-byte header, and
    compressedDepth's inverse depth ("32FC1; compressedDepth png"). Raises InvalidImageError.
    """
    buffer = as_buffer(data)
    scale = offset = 0.0
    inverse = False
    if isinstance(image_format, str) and "compressedDepth" in image_format:
        if buffer.size <= _DEPTH_HEADER.size:
            raise InvalidImageError(
                f"compressedDepth data has {buffer.size} bytes, less than its header",
                "repair the publisher",
                "short_data",
            )
        _, scale, offset = _DEPTH_HEADER.unpack(buffer[: _DEPTH_HEADER.size].tobytes())
        inverse = image_format.lstrip().startswith("32FC1")
        buffer = buffer[_DEPTH_HEADER.size :]
    if buffer[:8].tobytes() != _PNG_MAGIC:
        raise InvalidImageError(
            f"format {str(image_format)[:60]!r} holds no PNG, and only PNG keeps depth exact",
            "set compressedDepth's format to png",
            "unknown_format",
        )
    fault = _check_file("png", buffer)
    pixels = _decode(buffer, cv2.IMREAD_UNCHANGED, fault)
    if pixels.ndim != 2 or pixels.dtype != np.uint16:
        raise InvalidImageError(
            f"depth PNG must be 16-bit grey, got {pixels.dtype} of shape {pixels.shape}",
            "remap `depth` to the camera's depth topic",
            "not_depth",
        )
    if not inverse:
        return millimetres_to_depth(pixels)
    if not (np.isfinite(scale) and np.isfinite(offset) and scale > 0):
        raise InvalidImageError(
            f"compressedDepth parameters A={scale}, B={offset} are impossible",
            "repair the publisher",
            "corrupt_depth_header",
        )
    with np.errstate(divide="ignore", over="ignore"):
        depth_m = np.float32(scale) / (pixels.astype(np.float32) - np.float32(offset))
    depth_m[pixels == 0] = np.nan
    return clean_depth(depth_m)


def _is_depth_format(image_format: object) -> bool:
    if not isinstance(image_format, str):
        raise InvalidImageError(
            f"format must be text, got {type(image_format).__name__}",
            "pass the message's format field",
            "unknown_format",
        )
    return "compressedDepth" in image_format or image_format.lstrip().startswith(("16UC1", "32FC1"))


def _check_file(image_format: str, buffer: NDArray[np.uint8]) -> str:
    """Check the structure and the size of the file; returns the fault's name should decoding fail yet."""
    head = buffer[:8].tobytes()
    if head.startswith(_JPEG_MAGIC):
        height, width = _jpeg_size(buffer)
        fault = "corrupt_jpeg"
    elif head == _PNG_MAGIC:
        height, width = _png_size(buffer)
        fault = "corrupt_png"
    elif buffer.size < 8:
        raise InvalidImageError(
            f"compressed data has only {buffer.size} bytes", "repair the publisher", "short_data"
        )
    else:
        raise InvalidImageError(
            f"format {image_format[:60]!r} with data beginning {head.hex()} is neither JPEG nor PNG",
            "let the camera publish JPEG or PNG, or a raw picture",
            "corrupt_jpeg"
            if "jp" in image_format
            else "corrupt_png"
            if "png" in image_format
            else "unknown_format",
        )
    check_size(height, width)
    return fault


def _decode(buffer: NDArray[np.uint8], flags: int, fault: str) -> NDArray[Any]:
    try:
        picture = cv2.imdecode(buffer, flags)
    except cv2.error as error:
        raise InvalidImageError(
            f"compressed picture cannot be decoded: {error}", "repair the publisher", fault
        ) from error
    if picture is None:
        raise InvalidImageError("compressed picture cannot be decoded", "repair the publisher", fault)
    return np.asarray(picture)


def _corrupt_jpeg(why: str) -> InvalidImageError:
    return InvalidImageError(
        f"JPEG is damaged: {why}", "look for messages cut in transport; use reliable QoS", "corrupt_jpeg"
    )


def _jpeg_size(buffer: NDArray[np.uint8]) -> tuple[int, int]:
    """(height, width), after walking every marker from SOI to EOI (ITU-T T.81, annex B)."""
    raw = buffer.tobytes()
    at, size, scans = 2, None, 0
    while True:
        if at + 2 > len(raw):
            raise _corrupt_jpeg(f"ends at byte {len(raw)} without an end marker")
        if raw[at] != 0xFF:
            raise _corrupt_jpeg(f"no marker where one is due, at byte {at}")
        marker = raw[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        if marker == 0xD9:
            break
        if marker == 0x01 or 0xD0 <= marker <= 0xD8:
            raise _corrupt_jpeg(f"marker {marker:#04x} out of place at byte {at}")
        length = int.from_bytes(raw[at + 2 : at + 4], "big")
        end = at + 2 + length
        if length < 2 or end > len(raw):
            raise _corrupt_jpeg(f"segment {marker:#04x} at byte {at} reaches past the end")
        if marker in _FRAME_MARKERS:
            if length < 8 or size is not None:
                raise _corrupt_jpeg(f"bad frame header at byte {at}")
            size = struct.unpack(">HH", raw[at + 5 : at + 9])
        at = end
        if marker == 0xDA:
            scans += 1
            at = _end_of_scan(raw, end)
    if size is None or scans == 0:
        raise _corrupt_jpeg("it holds no picture")
    return int(size[0]), int(size[1])


def _end_of_scan(raw: bytes, start: int) -> int:
    """The byte after a scan's entropy-coded data; restart markers must come in their order."""
    at, restarts = start, 0
    while True:
        at = raw.find(b"\xff", at)
        if at < 0 or at + 1 >= len(raw):
            raise _corrupt_jpeg(f"ends at byte {len(raw)} without an end marker")
        follower = raw[at + 1]
        if 0xD0 <= follower <= 0xD7:
            if follower - 0xD0 != restarts % 8:
                raise _corrupt_jpeg(f"restart marker {follower - 0xD0} at byte {at}, expected {restarts % 8}")
            restarts += 1
        elif follower not in (0x00, 0xFF):
            if at == start:
                raise _corrupt_jpeg(f"scan at byte {start} is empty")
            return at
        at += 1 if follower == 0xFF else 2


def _png_size(buffer: NDArray[np.uint8]) -> tuple[int, int]:
    """(height, width), after checking every chunk's checksum up to IEND (ISO/IEC 15948)."""

    def corrupt(why: str) -> InvalidImageError:
        return InvalidImageError(
            f"PNG is damaged: {why}", "look for messages cut in transport", "corrupt_png"
        )

    raw = memoryview(buffer.data)
    at, size, pictures = 8, None, 0
    while True:
        if at + 12 > len(raw):
            raise corrupt(f"ends at byte {len(raw)} without an end chunk")
        length = int.from_bytes(raw[at : at + 4], "big")
        kind = bytes(raw[at + 4 : at + 8])
        end = at + 12 + length
        if end > len(raw):
            raise corrupt(f"chunk {kind!r} at byte {at} reaches past the end")
        if zlib.crc32(raw[at + 4 : end - 4]) != int.from_bytes(raw[end - 4 : end], "big"):
            raise corrupt(f"chunk {kind!r} at byte {at} has a wrong checksum")
        if (kind == b"IHDR") != (at == 8):
            raise corrupt("header chunk missing or out of place")
        if kind == b"IHDR":
            if length != 13:
                raise corrupt(f"header chunk of {length} bytes")
            size = struct.unpack(">II", raw[at + 8 : at + 16])
        pictures += kind == b"IDAT"
        at = end
        if kind == b"IEND":
            break
    if size is None or pictures == 0:
        raise corrupt("it holds no picture")
    return int(size[1]), int(size[0])
