"""Compressed pictures: decoded right, and never half a picture from a damaged file."""

from __future__ import annotations

import struct
import zlib

import cv2
import numpy as np
import pytest

from mmrobot.errors import InvalidImageError
from mmrobot.perception.compressed_images import decode_compressed, decode_compressed_depth

SMOOTH = cv2.resize(np.random.default_rng(0).integers(0, 256, (3, 4, 3), dtype=np.uint8), (64, 48))
JPEG = cv2.imencode(".jpg", SMOOTH[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 98])[1].tobytes()
PNG = cv2.imencode(".png", SMOOTH[..., ::-1])[1].tobytes()
MM = np.arange(48 * 64, dtype=np.uint16).reshape(48, 64)
DEPTH_PNG = cv2.imencode(".png", MM)[1].tobytes()


def fault_of(decode, image_format, data) -> str:  # type: ignore[no-untyped-def]
    with pytest.raises(InvalidImageError) as caught:
        decode(image_format, data)
    return caught.value.fault


@pytest.mark.parametrize("image_format", ["jpeg", "jpg", "rgb8; jpeg compressed bgr8", ""])
def test_jpeg(image_format: str) -> None:
    out = decode_compressed(image_format, JPEG)
    assert out.shape == SMOOTH.shape
    assert np.abs(out.astype(int) - SMOOTH).mean() < 2


@pytest.mark.parametrize("quality", [30, 95])
@pytest.mark.parametrize("option", [cv2.IMWRITE_JPEG_PROGRESSIVE, cv2.IMWRITE_JPEG_RST_INTERVAL])
def test_progressive_and_restarting_jpeg(option: int, quality: int) -> None:
    data = cv2.imencode(".jpg", SMOOTH[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality, option, 1])[
        1
    ].tobytes()
    assert np.abs(decode_compressed("jpeg", data).astype(int) - SMOOTH).mean() < 8


def test_png_is_exact_and_grey_and_alpha_become_rgb() -> None:
    np.testing.assert_array_equal(decode_compressed("png", PNG), SMOOTH)
    grey = cv2.imencode(".png", SMOOTH[..., 0])[1].tobytes()
    np.testing.assert_array_equal(decode_compressed("png", grey), np.repeat(SMOOTH[..., :1], 3, axis=2))
    alpha = cv2.imencode(".png", np.dstack([SMOOTH[..., ::-1], SMOOTH[..., 0]]))[1].tobytes()
    np.testing.assert_array_equal(decode_compressed("png", alpha), SMOOTH)


def test_swapped_order_of_image_transport_is_undone() -> None:
    # Its publisher gives RGB to an encoder that expects BGR, and says so in `format`.
    data = cv2.imencode(".png", SMOOTH)[1].tobytes()
    np.testing.assert_array_equal(decode_compressed("rgb8; png compressed rgb8", data), SMOOTH)


def test_exif_rotation_is_not_applied() -> None:
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
    data = JPEG[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + JPEG[2:]
    assert decode_compressed("jpeg", data).shape == SMOOTH.shape


@pytest.mark.parametrize("keep", [3, 20, 200, len(JPEG) // 2, len(JPEG) - 2, len(JPEG) - 1])
def test_cut_jpeg_is_refused_rather_than_grey(keep: int) -> None:
    assert fault_of(decode_compressed, "jpeg", JPEG[:keep]) in ("corrupt_jpeg", "short_data")


def test_jpeg_with_its_middle_missing_is_refused() -> None:
    headers = JPEG[: JPEG.index(b"\xff\xda") + 14]
    assert fault_of(decode_compressed, "jpeg", headers + b"\xff\xd9") == "corrupt_jpeg"


def test_every_changed_byte_of_a_png_is_noticed() -> None:
    rng = np.random.default_rng(3)
    for at in rng.integers(8, len(PNG), 60):
        data = bytearray(PNG)
        data[at] ^= 0x5A
        assert fault_of(decode_compressed, "png", bytes(data)) == "corrupt_png"


def test_size_is_bounded_before_anything_is_decoded() -> None:
    header = struct.pack(">IIBBBBB", 2**30, 2**30, 8, 2, 0, 0, 0)

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    bomb = PNG[:8] + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    assert fault_of(decode_compressed, "png", bomb) == "absurd_size"


@pytest.mark.parametrize(
    ("image_format", "data", "fault"),
    [
        ("h264", bytes(range(100)), "unknown_format"),
        ("jpeg", bytes(100), "corrupt_jpeg"),
        ("png", bytes(100), "corrupt_png"),
        ("jpeg", b"", "short_data"),
        ("jpeg", None, "bad_data"),
        (None, JPEG, "unknown_format"),
        ("16UC1; compressedDepth png", bytes(12) + DEPTH_PNG, "not_colour"),
        ("16UC1; png compressed ", DEPTH_PNG, "not_colour"),
    ],
)
def test_each_defect_has_its_name(image_format, data, fault) -> None:  # type: ignore[no-untyped-def]
    assert fault_of(decode_compressed, image_format, data) == fault


@pytest.mark.parametrize(
    ("image_format", "data"),
    [
        ("16UC1; png compressed ", DEPTH_PNG),
        ("png", DEPTH_PNG),
        ("16UC1; compressedDepth png", bytes(12) + DEPTH_PNG),
    ],
)
def test_depth_png_is_exact(image_format: str, data: bytes) -> None:
    out = decode_compressed_depth(image_format, data)
    np.testing.assert_allclose(out, np.where(MM == 0, np.nan, MM / 1000), rtol=1e-6)


def test_inverse_depth_of_compressed_depth() -> None:
    # compressed_depth_image_transport: png = A / depth + B.
    depth = np.linspace(0.4, 3.0, 48 * 64, dtype=np.float32).reshape(48, 64)
    a, b = 1000.0, 20.0
    stored = (a / depth + b).round().astype(np.uint16)
    stored[0, 0] = 0
    data = struct.pack("<iff", 0, a, b) + cv2.imencode(".png", stored)[1].tobytes()
    out = decode_compressed_depth("32FC1; compressedDepth png", data)
    assert np.isnan(out[0, 0])
    np.testing.assert_allclose(out.ravel()[1:], depth.ravel()[1:], rtol=2e-3)


@pytest.mark.parametrize(
    ("image_format", "data", "fault"),
    [
        ("32FC1; compressedDepth png", struct.pack("<iff", 0, np.nan, 1) + DEPTH_PNG, "corrupt_depth_header"),
        ("16UC1; compressedDepth png", bytes(5), "short_data"),
        ("16UC1; compressedDepth rvl", bytes(99), "unknown_format"),
        ("jpeg", JPEG, "unknown_format"),
        ("png", PNG, "not_depth"),
        ("png", DEPTH_PNG[:-9], "corrupt_png"),
    ],
)
def test_each_depth_defect_has_its_name(image_format: str, data: bytes, fault: str) -> None:
    assert fault_of(decode_compressed_depth, image_format, data) == fault
