"""The camera: what CameraInfo may hold, and that pixels and points go both ways."""

from __future__ import annotations

import json
import math
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mmrobot.errors import InvalidConfigError, InvalidImageError
from mmrobot.perception.camera import (
    camera_from_info,
    check_same_size,
    deproject,
    project,
    ray_map,
    rays,
    scaled,
    undistort,
)
from mmrobot.perception.camera_file import load_camera_yaml, look_at, table_camera
from mmrobot.types import CameraModel

K = [600.0, 0.0, 319.5, 0.0, 610.0, 239.5, 0.0, 0.0, 1.0]
PLAIN = CameraModel(640, 480, 600.0, 610.0, 319.5, 239.5)
BENT = CameraModel(640, 480, 600.0, 610.0, 319.5, 239.5, (-0.25, 0.08, 0.001, -0.0005, 0.01))


def test_info_becomes_the_model() -> None:
    assert camera_from_info(640, 480, K, [0.0] * 5, "plumb_bob", "cam") == CameraModel(
        640, 480, 600.0, 610.0, 319.5, 239.5, (), "cam"
    )
    assert camera_from_info(640, 480, np.array(K), [0.1, 0, 0, 0, 0]).distortion == (0.1, 0, 0, 0, 0)
    assert camera_from_info(640, 480, K, [], "").distortion == ()


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"k": [0.0] * 9}, "k_zeros"),
        ({"k": [-600.0, *K[1:]]}, "k_zeros"),
        ({"k": [math.nan, *K[1:]]}, "k_not_finite"),
        ({"k": ["x"] * 9}, "k_not_finite"),
        ({"k": K[:8]}, "k_size"),
        ({"k": [*K[:8], 0.0]}, "k_form"),
        ({"k": [600.0, 9.0, *K[2:]]}, "k_form"),
        ({"width": 0}, "zero_size"),
        ({"height": 10**6}, "absurd_size"),
        ({"d": [0.1] * 4, "distortion_model": "equidistant"}, "unknown_distortion"),
        ({"d": [0.1] * 3}, "distortion_size"),
        ({"d": [math.inf] * 5}, "distortion_not_finite"),
        ({"binning": (-1, 0)}, "bad_binning"),
        ({"binning": (1000, 1)}, "bad_binning"),
        ({"roi_xywh": (600, 0, 100, 100)}, "bad_binning"),
    ],
)
def test_each_defect_has_its_name(change: dict, fault: str) -> None:
    with pytest.raises(InvalidImageError) as caught:
        camera_from_info(**{"width": 640, "height": 480, "k": K, **change})
    assert caught.value.fault == fault
    assert caught.value.fix


def test_picture_of_another_size_is_refused() -> None:
    check_same_size(PLAIN, 480, 640)
    with pytest.raises(InvalidImageError) as caught:
        check_same_size(PLAIN, 640, 480)
    assert caught.value.fault == "size_mismatch"


@pytest.mark.parametrize("camera", [PLAIN, BENT])
@given(u=st.floats(0, 639), v=st.floats(0, 479), z=st.floats(0.2, 4))
def test_pixel_to_point_and_back(camera: CameraModel, u: float, v: float, z: float) -> None:
    point = deproject(camera, np.array([u, v]), np.array(z))
    assert point[2] == pytest.approx(z)
    np.testing.assert_allclose(project(camera, point), [u, v], atol=0.02)


def test_invalid_depth_and_points_behind_give_nan() -> None:
    points = deproject(PLAIN, np.zeros((4, 2)), np.array([np.nan, np.inf, 0.0, -1.0]))
    assert np.isnan(points).all()
    assert np.isnan(project(PLAIN, np.array([[0.1, 0.1, -1.0], [0, 0, 0]]))).all()


def test_axes_are_those_of_the_optical_frame() -> None:
    right_down = rays(PLAIN, np.array([[400.0, 300.0]]))[0]
    assert right_down[0] > 0
    assert right_down[1] > 0
    assert right_down[2] == 1
    np.testing.assert_allclose(ray_map(PLAIN)[300, 400], right_down, rtol=1e-5)
    assert not ray_map(PLAIN).flags.writeable


def test_scaling_keeps_the_view() -> None:
    small = scaled(PLAIN, 160, 120)
    corner = np.array([[-0.5, -0.5], [639.5, 479.5]])
    np.testing.assert_allclose(rays(small, [[-0.5, -0.5], [159.5, 119.5]]), rays(PLAIN, corner))


def test_region_and_binning_of_the_info() -> None:
    camera = camera_from_info(640, 480, K, binning=(2, 2), roi_xywh=(100, 50, 200, 100))
    assert (camera.width, camera.height, camera.fx) == (100, 50, 300.0)
    # The middle of pixel (0, 0) of the binned picture lies between pixels 0 and 1 of the region.
    np.testing.assert_allclose(rays(camera, [[0, 0]]), rays(PLAIN, [[100.5, 50.5]]))


def test_undistorted_picture_obeys_the_plain_model() -> None:
    rgb = np.zeros((480, 640, 3), np.uint8)
    depth = np.full((480, 640), 2.0, np.float32)
    point = np.array([0.35, -0.25, 1.0])
    u, v = project(BENT, point).round().astype(int)
    cv2.circle(rgb, (int(u), int(v)), 4, (255, 255, 255), -1)
    camera, flat, flat_depth = undistort(BENT, rgb, depth)
    assert camera.distortion == ()
    spot = np.argwhere(flat[..., 0] > 128).mean(axis=0)[::-1]
    np.testing.assert_allclose(spot, project(camera, point), atol=1.0)
    assert flat_depth is not None
    assert set(np.unique(flat_depth[np.isfinite(flat_depth)])) == {2.0}
    assert undistort(PLAIN, rgb)[1] is rgb


def test_table_camera_looks_at_the_table() -> None:
    camera, T = table_camera()
    to_camera = np.linalg.inv(T)
    np.testing.assert_allclose(project(camera, (to_camera @ [0.45, 0, 0, 1])[:3]), [319.5, 239.5], atol=1e-6)
    left = project(camera, (to_camera @ [0.45, 0.2, 0, 1])[:3])
    assert left[0] < 319.5, "left of the robot is left in the picture"
    assert project(camera, (to_camera @ [0.6, 0, 0, 1])[:3])[1] < 239.5, "further away is higher up"
    assert np.linalg.det(T[:3, :3]) == pytest.approx(1)
    assert math.degrees(2 * math.atan(320 / camera.fx)) == pytest.approx(46)


CALIBRATION = {
    "image_width": 640,
    "image_height": 480,
    "camera_name": "wrist",
    "camera_matrix": {"rows": 3, "cols": 3, "data": K},
    "distortion_model": "plumb_bob",
    "distortion_coefficients": {"rows": 1, "cols": 5, "data": [0.0] * 5},
}


@pytest.mark.parametrize("name", ["camera.yaml", "camera.json"])
def test_calibration_file(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    write = json.dumps if name.endswith("json") else yaml.safe_dump
    path.write_text(write(CALIBRATION))
    camera, T = load_camera_yaml(path)
    assert camera == PLAIN
    np.testing.assert_array_equal(T, table_camera()[1])
    pose = look_at((0.0, 0.3, 0.9), (0.5, 0.0, 0.0))
    path.write_text(write({**CALIBRATION, "T_base_camera": pose.tolist()}))
    np.testing.assert_allclose(load_camera_yaml(path)[1], pose)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[1, 2", "cannot be read"),
        ("- 1", "named fields"),
        ("image_width: 3", "lacks"),
        (yaml.safe_dump({**CALIBRATION, "camera_matrix": {"data": [0] * 9}}), "not calibrated"),
        (yaml.safe_dump({**CALIBRATION, "camera_matrix": {"rows": 3}}), "lacks 'data'"),
        (yaml.safe_dump({**CALIBRATION, "T_base_camera": [1, 2]}), "not 4x4"),
        (yaml.safe_dump({**CALIBRATION, "T_base_camera": np.diag([2, 1, 1, 1]).tolist()}), "rigid"),
        (yaml.safe_dump({**CALIBRATION, "T_base_camera": np.diag([-1, 1, 1, 1]).tolist()}), "rigid"),
    ],
)
def test_wrong_files_are_refused(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "camera.yaml"
    path.write_text(text)
    with pytest.raises(InvalidConfigError, match=says) as caught:
        load_camera_yaml(path)
    assert caught.value.fix


def test_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidConfigError, match="cannot be read"):
        load_camera_yaml(tmp_path / "none.yaml")
