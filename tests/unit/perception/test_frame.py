"""Duck-typed messages to a frame, depth of another size, and depth of another camera."""

from __future__ import annotations

from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from mmrobot.errors import InvalidImageError
from mmrobot.perception.camera import scaled
from mmrobot.perception.frame import camera_from_message, depth_from_message, image_from_message, make_frame
from mmrobot.types import CameraModel

CAMERA = CameraModel(8, 6, 10.0, 10.0, 3.5, 2.5)
RGB = np.random.default_rng(0).integers(0, 256, (6, 8, 3), dtype=np.uint8)
DEPTH = np.full((6, 8), 1.5, np.float32)


def test_messages_by_their_fields() -> None:
    image = SimpleNamespace(encoding="rgb8", height=6, width=8, step=24, is_bigendian=0, data=RGB.tobytes())
    np.testing.assert_array_equal(image_from_message(image), RGB)
    depth = SimpleNamespace(
        encoding="32FC1", height=6, width=8, step=32, is_bigendian=0, data=DEPTH.tobytes()
    )
    np.testing.assert_array_equal(depth_from_message(depth), DEPTH)
    png = SimpleNamespace(format="png", data=cv2.imencode(".png", RGB[..., ::-1])[1].tobytes())
    np.testing.assert_array_equal(image_from_message(png), RGB)
    info = SimpleNamespace(
        width=8, height=6, k=[10.0, 0, 3.5, 0, 10.0, 2.5, 0, 0, 1], d=[], distortion_model="plumb_bob",
        header=SimpleNamespace(frame_id="camera_optical_frame"), binning_x=0, binning_y=0,
        roi=SimpleNamespace(x_offset=0, y_offset=0, width=0, height=0),
    )  # fmt: skip
    assert camera_from_message(info) == CAMERA


@pytest.mark.parametrize("read", [image_from_message, depth_from_message, camera_from_message])
def test_something_else_is_refused(read) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InvalidImageError) as caught:
        read(SimpleNamespace(data=b""))
    assert caught.value.fault == "bad_message"


def test_frame_of_its_parts() -> None:
    frame = make_frame(RGB, CAMERA, 7, np.eye(4), DEPTH, CAMERA)
    assert frame.stamp_ns == 7
    assert make_frame(RGB, CAMERA, 7, None).depth_m is None


def test_smaller_depth_is_enlarged_without_mixing() -> None:
    small = np.array([[1.0, 2.0, np.nan, 4.0]] * 3, np.float32)
    frame = make_frame(RGB, CAMERA, 7, None, small, scaled(CAMERA, 4, 3))
    np.testing.assert_array_equal(frame.depth_m[0], [1, 1, 2, 2, np.nan, np.nan, 4, 4])  # type: ignore[index]


@pytest.mark.parametrize(
    ("rgb", "depth", "depth_camera", "fault"),
    [
        (RGB[:5], None, None, "size_mismatch"),
        (RGB, DEPTH[:5], CAMERA, "size_mismatch"),
        (RGB, DEPTH[:5], None, "depth_not_registered"),
        (RGB, DEPTH, CameraModel(8, 6, 12.0, 12.0, 3.5, 2.5), "depth_not_registered"),
        (RGB, DEPTH, CameraModel(8, 6, 10.0, 10.0, 9.5, 2.5), "depth_not_registered"),
    ],
)
def test_what_does_not_fit_is_refused(rgb, depth, depth_camera, fault) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InvalidImageError) as caught:
        make_frame(rgb, CAMERA, 7, None, depth, depth_camera)
    assert caught.value.fault == fault
