"""The camera sees what is there: geometry against the truth, without noise."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from mmrobot.errors import InvalidSceneError, RobotUnavailableError
from mmrobot.simulator.renderer import Renderer, fixed_camera
from mmrobot.simulator.simulator import Simulator
from mmrobot.tabletop.scene import Scene, SceneObject

CUBE = SceneObject("cube", "cube", "red", "large", position=(0.5, 0.15))
BALL = SceneObject("ball", "ball", "blue", "large", position=(0.35, -0.1))


@pytest.fixture(scope="module")
def sim() -> Iterator[Simulator]:
    with Simulator(scene=Scene(3, (CUBE, BALL))) as simulator:
        yield simulator


def _points(sim: Simulator) -> np.ndarray:
    """(H, W, 3) of every pixel's point in base."""
    frame = sim.render_true()
    assert frame.depth_m is not None and frame.T_base_camera is not None
    c = frame.camera
    v, u = np.mgrid[: c.height, : c.width]
    rays = np.stack([(u - c.cx) / c.fx, (v - c.cy) / c.fy, np.ones_like(u)], axis=-1)
    return (rays * frame.depth_m[..., None]) @ frame.T_base_camera[:3, :3].T + frame.T_base_camera[:3, 3]


def test_it_is_the_camera_of_the_contract(sim: Simulator) -> None:
    camera = sim.camera_model
    assert (camera.width, camera.height) == (640, 480)
    assert camera.fx == pytest.approx(320 / np.tan(np.radians(23)), rel=1e-4)
    assert (camera.cx, camera.cy) == (319.5, 239.5)
    pose = sim.render_true().T_base_camera
    assert pose is not None
    # The scene's seed shakes it by at most a centimetre.
    assert np.allclose(pose[:3, 3], [-0.25, 0, 1.05], atol=0.011)


def test_points_of_depth_lie_on_the_things_seen(sim: Simulator) -> None:
    points, masks = _points(sim), sim.segmentation()
    cube, ball = points[masks["cube"]], points[masks["ball"]]
    assert np.abs(cube[:, 2].max() - CUBE.dims.height_m) < 0.001
    top = cube[cube[:, 2] > CUBE.dims.height_m - 0.001]
    assert np.allclose((top.min(axis=0) + top.max(axis=0))[:2] / 2, CUBE.position, atol=0.0015)
    distance = np.linalg.norm(ball - np.array(BALL.center_m), axis=1)
    assert np.median(np.abs(distance - BALL.dims.size_m[0] / 2)) < 0.001


def test_the_table_is_flat_at_zero_and_its_left_is_left(sim: Simulator) -> None:
    points, masks = _points(sim), sim.segmentation()
    table = (np.abs(points[..., 2]) < 0.005) & ~masks["cube"] & ~masks["ball"]
    assert table.mean() > 0.4
    assert np.abs(points[table][:, 2]).mean() < 0.0005
    assert np.nonzero(masks["cube"])[1].mean() < np.nonzero(masks["ball"])[1].mean()


def test_depth_beyond_the_clip_planes_is_nan(sim: Simulator) -> None:
    frame = sim.render_true()
    assert frame.depth_m is not None and frame.depth_m.dtype == np.float32
    finite = frame.depth_m[np.isfinite(frame.depth_m)]
    assert finite.min() >= 0.05 and finite.max() <= 5.0


def test_noise_is_on_by_default_and_can_be_off(sim: Simulator) -> None:
    noisy, clean = sim.render(), sim.render_true()
    assert noisy.depth_m is not None and clean.depth_m is not None
    assert np.isnan(noisy.depth_m).mean() > np.isnan(clean.depth_m).mean() + 0.001
    assert 1.0 < (noisy.rgb.astype(float) - clean.rgb)[200:400].std() < 3.0
    with Simulator(scene=sim.scene, camera_noise=False) as quiet:
        assert np.array_equal(quiet.render().rgb, clean.rgb)


def test_colors_come_out_as_named(sim: Simulator) -> None:
    rgb, masks = sim.render_true().rgb.astype(int), sim.segmentation()
    cube, ball = rgb[masks["cube"]].mean(axis=0), rgb[masks["ball"]].mean(axis=0)
    assert cube[0] > 2 * max(cube[1], cube[2])
    assert ball[2] > 1.5 * max(ball[0], ball[1])


def test_the_spectator_sees_a_wide_picture(sim: Simulator) -> None:
    picture = sim.spectator()
    assert picture.shape == (540, 960, 3)
    assert picture.std() > 20


def test_moved_objects_are_seen_and_known_where_they_are() -> None:
    with Simulator(scene=Scene(0, (CUBE,))) as simulator:
        simulator.move_object("cube", (0.4, -0.2))
        assert simulator.truth().objects["cube"].position_m[:2] == pytest.approx((0.4, -0.2))
        points = _points(simulator)[simulator.segmentation()["cube"]]
        assert np.allclose(points[:, :2].mean(axis=0), (0.4, -0.2), atol=0.02)
        with pytest.raises(InvalidSceneError, match="no object 'cup'"):
            simulator.move_object("cup", (0.4, 0.0))
        with pytest.raises(InvalidSceneError, match="position"):
            simulator.move_object("cube", (0.4, float("nan")))


def test_a_closed_renderer_says_so() -> None:
    with Simulator() as simulator:
        renderer = Renderer(simulator.model, 64, 48)
        renderer.close()
        renderer.close()
        with pytest.raises(RobotUnavailableError, match="closed"):
            renderer.view(simulator.data, fixed_camera(simulator.model, "camera"))
