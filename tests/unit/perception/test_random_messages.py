"""Random Image, CompressedImage and CameraInfo messages: a right picture or a named error, nothing else.

1,000 of them in the unit run; MMROBOT_RANDOM_MESSAGES=10000 asks for as many more as wished.
"""

from __future__ import annotations

import math
import os

import cv2
import numpy as np
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from mmrobot.errors import InvalidImageError
from mmrobot.perception.camera import camera_from_info
from mmrobot.perception.compressed_images import decode_compressed, decode_compressed_depth
from mmrobot.perception.image_decoding import ENCODINGS, decode_depth, decode_image
from mmrobot.types import CameraModel

TOTAL = int(os.environ.get("MMROBOT_RANDOM_MESSAGES", "1000"))
CHECKED = settings(
    max_examples=max(TOTAL // 4, 10),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
FAULTS = set(
    """
    bad_size zero_size absurd_size bad_data unknown_encoding not_colour not_depth odd_width
    wrong_step short_data long_data bad_endianness unknown_format corrupt_jpeg corrupt_png
    corrupt_depth_header k_size k_not_finite k_zeros k_form unknown_distortion distortion_size
    distortion_not_finite bad_binning
    """.split()
)

BYTES = {name: kind.channels * kind.bits // 8 for name, kind in ENCODINGS.items()}
sizes = st.integers(0, 9) | st.sampled_from([-1, 2**31, 2**32 - 1, 70000])
encodings = st.sampled_from(sorted(ENCODINGS)) | st.sampled_from(["", "rgb", "bayer_rggb8", "nv12", "RGB8"])


@st.composite
def image_messages(draw: st.DrawFn) -> dict:
    """Half of them sound, the others with one or more defects."""
    encoding = draw(encodings)
    sound = draw(st.booleans())
    side = st.integers(1, 9) if sound else sizes
    height, width = draw(side), draw(side)
    row = max(width, 0) * BYTES.get(encoding, 3)
    step = row + draw(st.integers(0, 5)) if sound else draw(st.integers(0, 80) | st.just(row))
    length = max(height, 0) * step if sound or draw(st.booleans()) else draw(st.integers(0, 900))
    data = draw(st.binary(min_size=min(length, 4000), max_size=min(length, 4000)))
    return {
        "encoding": encoding, "height": height, "width": width, "step": step,
        "is_bigendian": draw(st.sampled_from([0, 1] if sound else [0, 1, 2, 255])), "data": data,
    }  # fmt: skip


def pixel(m: dict, v: int, u: int) -> tuple[int, ...]:
    """The raw numbers of a pixel, read byte by byte."""
    kind = ENCODINGS[m["encoding"]]
    at = v * m["step"] + u * BYTES[m["encoding"]]
    item = kind.bits // 8
    order = "big" if m["is_bigendian"] and item > 1 else "little"
    return tuple(
        int.from_bytes(m["data"][at + k * item : at + (k + 1) * item], order) for k in range(kind.channels)
    )


def check_colour(m: dict, rgb: np.ndarray) -> None:
    kind = ENCODINGS[m["encoding"]]
    assert rgb.shape == (m["height"], m["width"], 3)
    assert rgb.dtype == np.uint8
    if kind.order in ("uyvy", "yuyv"):
        return
    for v in range(m["height"]):
        for u in range(m["width"]):
            raw = [value >> (kind.bits - 8) for value in pixel(m, v, u)]
            expected = (
                raw * 3 if kind.order == "mono" else raw[2::-1] if kind.order.startswith("bgr") else raw[:3]
            )
            assert rgb[v, u].tolist() == expected


def check_depth(m: dict, depth: np.ndarray) -> None:
    assert depth.shape == (m["height"], m["width"])
    assert depth.dtype == np.float32
    assert not (depth <= 0).any()
    assert not np.isinf(depth).any()
    for v in range(m["height"]):
        for u in range(m["width"]):
            (raw,) = pixel(m, v, u)
            metres = (
                raw / 1000 if ENCODINGS[m["encoding"]].bits == 16 else float(np.uint32(raw).view(np.float32))
            )
            if math.isfinite(metres) and metres > 0:
                assert math.isclose(depth[v, u], metres, rel_tol=1e-5)
            else:
                assert math.isnan(depth[v, u])


@CHECKED
@given(image_messages())
def test_images(m: dict) -> None:
    for decode, check in ((decode_image, check_colour), (decode_depth, check_depth)):
        try:
            out = decode(**m)
        except InvalidImageError as error:
            assert error.fault in FAULTS
            assert error.message
            assert error.fix
        else:
            check(m, out)


@CHECKED
@given(image_messages().filter(lambda m: 0 < m["height"] < 10 and 0 < m["width"] < 10), st.data())
def test_sound_images_are_never_refused(m: dict, data: st.DataObject) -> None:
    m["encoding"] = data.draw(st.sampled_from(sorted(ENCODINGS)))
    kind = ENCODINGS[m["encoding"]]
    m["width"] += m["width"] % 2
    m["step"] = m["width"] * BYTES[m["encoding"]] + data.draw(st.integers(0, 3))
    m["is_bigendian"] = m["is_bigendian"] % 2
    m["data"] = bytes(range(256)) * 40
    m["data"] = m["data"][: m["step"] * m["height"]]
    if kind.order == "depth":
        check_depth(m, decode_depth(**m))
    else:
        check_colour(m, decode_image(**m))


PICTURE = cv2.resize(np.random.default_rng(2).integers(0, 256, (4, 5, 3), dtype=np.uint8), (40, 32))
FILES = {
    "jpeg": cv2.imencode(".jpg", PICTURE)[1].tobytes(),
    "png": cv2.imencode(".png", PICTURE)[1].tobytes(),
    "16UC1; compressedDepth png": bytes(12)
    + cv2.imencode(".png", PICTURE[..., 0].astype(np.uint16) * 9)[1].tobytes(),
}


@st.composite
def compressed_messages(draw: st.DrawFn) -> tuple[str, bytes, bool]:
    """Format, data, and whether the data was cut, so that it cannot be right."""
    name = draw(st.sampled_from(sorted(FILES)))
    data, kind = bytearray(FILES[name]), draw(st.sampled_from(["as is", "cut", "flip", "rubbish"]))
    if kind == "cut":
        del data[draw(st.integers(0, len(data) - 1)) :]
    elif kind == "flip":
        for _ in range(draw(st.integers(1, 5))):
            data[draw(st.integers(0, len(data) - 1))] ^= draw(st.integers(1, 255))
    elif kind == "rubbish":
        data = bytearray(draw(st.binary(max_size=300)))
    formats = [name, name, "rgb8; jpeg compressed bgr8", "", "h264", "32FC1; compressedDepth png"]
    return draw(st.sampled_from(formats)), bytes(data), kind in ("cut", "rubbish")


@CHECKED
@given(compressed_messages())
@example(("jpeg", b"", True))
@example(("jpeg", FILES["jpeg"][:200], True))
@example(("png", FILES["png"][:-1], True))
def test_compressed_images(message: tuple[str, bytes, bool]) -> None:
    image_format, data, broken = message
    for decode, channels in ((decode_compressed, (3,)), (decode_compressed_depth, ())):
        try:
            out = decode(image_format, data)
        except InvalidImageError as error:
            assert error.fault in FAULTS
        else:
            assert not broken
            assert out.ndim == 2 + len(channels)
            assert out.dtype == (np.uint8 if channels else np.float32)


numbers = st.floats() | st.sampled_from([0.0, 500.0, 320.0, 240.0, 1.0])
sound_k = st.builds(
    lambda fx, fy, cx, cy: [fx, 0.0, cx, 0.0, fy, cy, 0.0, 0.0, 1.0],
    st.floats(1, 5000), st.floats(1, 5000), st.floats(-100, 4000), st.floats(-100, 4000),
)  # fmt: skip


@CHECKED
@given(
    width=sizes | st.integers(1, 4000),
    height=sizes | st.integers(1, 4000),
    k=sound_k | st.lists(numbers, min_size=9, max_size=9) | st.lists(numbers, max_size=12),
    d=st.just([]) | st.lists(st.floats(-1, 1), max_size=9) | st.lists(numbers, max_size=15),
    model=st.sampled_from(["plumb_bob", "rational_polynomial", "equidistant", "", "nonsense"]),
    binning=st.tuples(st.integers(0, 5), st.integers(0, 5)) | st.just((0, 0)),
    roi=st.just((0, 0, 0, 0)) | st.tuples(*[st.integers(-1, 50)] * 4),
)
def test_camera_infos(width, height, k, d, model, binning, roi) -> None:  # type: ignore[no-untyped-def]
    try:
        camera = camera_from_info(width, height, k, d, model, "cam", binning=binning, roi_xywh=roi)
    except InvalidImageError as error:
        assert error.fault in FAULTS
        assert error.fix
        return
    assert isinstance(camera, CameraModel)
    assert 0 < camera.width <= width
    assert 0 < camera.height <= height
    if binning[0] <= 1 and binning[1] <= 1:
        assert (camera.fx, camera.fy) == (k[0], k[4])
    assert np.isfinite(camera.matrix).all()
    assert len(camera.distortion) in (0, 4, 5, 8)
