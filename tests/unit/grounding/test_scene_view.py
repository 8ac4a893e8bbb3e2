"""The table among the points, and which pixels are known."""

from __future__ import annotations

import numpy as np
import pytest

from mmrobot.grounding.scene_view import Plane, SceneView, fit_table
from tests.support.depth_scene import look


def plane_points(rng: np.random.Generator, z0: float, slope: tuple[float, float], noise: float) -> np.ndarray:
    xy = rng.uniform([0.1, -0.5], [0.8, 0.5], (3000, 2))
    return np.column_stack([xy, z0 + xy @ slope + rng.normal(0, noise, 3000)])


@pytest.mark.parametrize("z0", [-0.03, 0.0, 0.04])
@pytest.mark.parametrize("slope", [(0.0, 0.0), (0.02, -0.01)])
def test_table_is_found_among_things_and_floor(z0: float, slope: tuple[float, float]) -> None:
    rng = np.random.default_rng(0)
    things = rng.uniform([0.3, -0.2, z0 + 0.02], [0.5, 0.2, z0 + 0.06], (900, 3))
    floor = plane_points(rng, -0.75, (0, 0), 0.004)
    plane = fit_table(np.vstack([plane_points(rng, z0, slope, 0.002), things, floor]))
    for x, y in ((0.2, -0.4), (0.45, 0.0), (0.7, 0.4)):
        assert float(plane.z(x, y)) == pytest.approx(z0 + x * slope[0] + y * slope[1], abs=0.0015)
    assert plane.noise_m == pytest.approx(0.002, rel=0.4)


def test_expected_plane_without_a_table() -> None:
    assert fit_table(np.empty((0, 3))) == Plane(0.0)
    assert fit_table(np.random.default_rng(0).uniform(0.2, 0.5, (999, 3)), expected_z_m=0.1).z0_m == 0.1


def test_a_steep_plane_is_not_believed() -> None:
    plane = fit_table(plane_points(np.random.default_rng(1), -0.05, (0.2, 0.0), 0.001))
    assert (plane.slope_x, plane.slope_y) == (0.0, 0.0)


def test_points_on_a_line_give_a_level_plane() -> None:
    line = np.column_stack([np.linspace(0, 1, 500), np.zeros(500), np.full(500, 0.01)])
    plane = fit_table(line)
    assert float(plane.z(0.5, 0.3)) == pytest.approx(0.01, abs=1e-6)


def test_patch_knows_what_the_camera_gave() -> None:
    seen = look([], np.random.default_rng(0))
    depth = seen.frame.depth_m
    assert depth is not None
    depth[240:250, 320:330] = np.nan
    patch = SceneView(seen.frame).patch(300, 220, 350, 270)
    assert (patch.u0, patch.v0) == (300, 220)
    assert not patch.valid[20:30, 20:30].any()
    assert np.isnan(patch.height[22:28, 22:28]).all(), "a hole is not filled, but for its rim"
    assert np.nanmax(np.abs(patch.height)) < 0.02
