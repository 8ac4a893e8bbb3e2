"""Raw pictures: right for every encoding, padding and byte order, or an error that names the defect."""

from __future__ import annotations

import array

import cv2
import numpy as np
import pytest

from mmrobot.errors import ErrorCode, InvalidImageError
from mmrobot.perception.image_decoding import ENCODINGS, MAX_SIDE_PX, decode_depth, decode_image

RGB = np.random.default_rng(0).integers(0, 256, (5, 6, 3), dtype=np.uint8)


def pack(pixels: np.ndarray, padding: int = 0) -> tuple[int, bytes]:
    """(step, data) of an (H, W, C) array with `padding` bytes of rubbish after each row."""
    rows = [row.tobytes() + b"\xab" * padding for row in pixels]
    return len(rows[0]), b"".join(rows)


@pytest.mark.parametrize("padding", [0, 7])
@pytest.mark.parametrize(
    ("encoding", "pixels"),
    [
        ("rgb8", RGB),
        ("bgr8", RGB[..., ::-1]),
        ("8UC3", RGB[..., ::-1]),
        ("rgba8", np.dstack([RGB, RGB[..., 0]])),
        ("bgra8", np.dstack([RGB[..., ::-1], RGB[..., 0]])),
        ("rgb16", RGB.astype("<u2") * 256 + 3),
        ("bgr16", RGB[..., ::-1].astype("<u2") * 256 + 3),
    ],
)
def test_colours_come_out_as_they_went_in(encoding: str, pixels: np.ndarray, padding: int) -> None:
    step, data = pack(pixels, padding)
    out = decode_image(encoding, 5, 6, step, 0, data)
    assert out.dtype == np.uint8
    np.testing.assert_array_equal(out, RGB)


@pytest.mark.parametrize(("encoding", "big"), [("mono8", 0), ("8UC1", 1), ("mono16", 0), ("mono16", 1)])
def test_grey_becomes_three_equal_channels(encoding: str, big: int) -> None:
    grey = RGB[..., :1]
    pixels = (
        grey if encoding != "mono16" else (grey.astype(np.uint16) * 256 + 9).astype(">u2" if big else "<u2")
    )
    step, data = pack(pixels, 2)
    out = decode_image(encoding, 5, 6, step, big, data)
    np.testing.assert_array_equal(out, np.repeat(grey, 3, axis=2))


@pytest.mark.parametrize(
    ("encoding", "order"),
    [("yuv422", "UYVY"), ("uyvy", "UYVY"), ("yuv422_yuy2", "YUYV"), ("yuyv", "YUYV")],
)
def test_yuv422_gives_the_colour_back(encoding: str, order: str) -> None:
    # BT.601, video range: the formula of sensor_msgs' yuv encodings, written out.
    wanted = np.array([200.0, 60.0, 30.0])
    r, g, b = wanted / 255
    values = {
        "Y": 16 + 65.481 * r + 128.553 * g + 24.966 * b,
        "U": 128 - 37.797 * r - 74.203 * g + 112.0 * b,
        "V": 128 + 112.0 * r - 93.786 * g - 18.214 * b,
    }
    row = bytes(round(values[c]) for c in order) * 3
    step, data = len(row) + 3, (row + b"xyz") * 5
    out = decode_image(encoding, 5, 6, step, 0, data)
    assert np.abs(out.astype(int) - wanted).max() <= 3


def test_rgb8_is_a_view_without_a_copy() -> None:
    data = array.array("B", RGB.tobytes())
    out = decode_image("rgb8", 5, 6, 18, 0, data)
    assert not out.flags.writeable
    data[0] ^= 0xFF
    assert out[0, 0, 0] == RGB[0, 0, 0] ^ 0xFF


@pytest.mark.parametrize("big", [0, 1])
def test_depth_in_millimetres(big: int) -> None:
    raw = np.array([[0, 1, 1500], [65535, 700, 0]], dtype=">u2" if big else "<u2")
    step, data = pack(raw[..., None], 4)
    for encoding in ("16UC1", "mono16"):
        out = decode_depth(encoding, 2, 3, step, big, data)
        assert out.dtype == np.float32
        np.testing.assert_allclose(out, [[np.nan, 0.001, 1.5], [65.535, 0.7, np.nan]], rtol=1e-6)


@pytest.mark.parametrize("big", [0, 1])
def test_depth_in_metres_and_its_invalid_values(big: int) -> None:
    raw = np.array([[1.25, 0.0, -1.0], [np.inf, np.nan, -np.inf]], dtype=">f4" if big else "<f4")
    step, data = pack(raw[..., None], 1)
    out = decode_depth("32FC1", 2, 3, step, big, data)
    assert out[0, 0] == np.float32(1.25)
    assert np.isnan(out.ravel()[1:]).all()


GOOD = {"encoding": "rgb8", "height": 5, "width": 6, "step": 18, "is_bigendian": 0, "data": RGB.tobytes()}


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"data": RGB.tobytes()[:-1]}, "short_data"),
        ({"data": b""}, "short_data"),
        ({"data": RGB.tobytes() + b"x"}, "long_data"),
        ({"data": None}, "bad_data"),
        ({"data": "text"}, "bad_data"),
        ({"data": [1, 2, 3]}, "bad_data"),
        ({"step": 17}, "wrong_step"),
        ({"step": 0}, "wrong_step"),
        ({"step": 18.0}, "wrong_step"),
        ({"encoding": "rgb9"}, "unknown_encoding"),
        ({"encoding": ""}, "unknown_encoding"),
        ({"encoding": None}, "unknown_encoding"),
        ({"encoding": "16UC1"}, "not_colour"),
        ({"encoding": "32FC1"}, "not_colour"),
        ({"width": 0}, "zero_size"),
        ({"height": 0}, "zero_size"),
        ({"height": -1}, "bad_size"),
        ({"width": 6.0}, "bad_size"),
        ({"width": True}, "bad_size"),
        ({"width": 2**32 - 1, "height": 2**32 - 1, "step": 2**33}, "absurd_size"),
        ({"width": MAX_SIDE_PX + 1}, "absurd_size"),
        ({"width": 5, "step": 10, "encoding": "yuyv", "data": bytes(50)}, "odd_width"),
        ({"encoding": "mono16", "step": 12, "data": bytes(60), "is_bigendian": 7}, "bad_endianness"),
    ],
)
def test_each_defect_has_its_name(change: dict, fault: str) -> None:
    with pytest.raises(InvalidImageError) as caught:
        decode_image(**{**GOOD, **change})
    assert caught.value.fault == fault
    assert caught.value.code == ErrorCode.INVALID_IMAGE
    assert caught.value.fix


@pytest.mark.parametrize("encoding", sorted(set(ENCODINGS) - {"16UC1", "32FC1", "mono16"}))
def test_colour_is_no_depth(encoding: str) -> None:
    with pytest.raises(InvalidImageError) as caught:
        decode_depth(encoding, 2, 2, 64, 0, bytes(128))
    assert caught.value.fault == "not_depth"


def test_known_picture_agrees_with_opencv() -> None:
    yuv = np.random.default_rng(1).integers(0, 256, (8, 10, 2), dtype=np.uint8)
    step, data = pack(yuv)
    np.testing.assert_array_equal(
        decode_image("uyvy", 8, 10, step, 0, data), cv2.cvtColor(yuv, cv2.COLOR_YUV2RGB_UYVY)
    )
