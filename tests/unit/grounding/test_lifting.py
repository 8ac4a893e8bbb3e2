"""Boxes to objects in metres, on exactly rendered scenes with worse noise than the simulator's."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmrobot.errors import NoDepthError, TransformUnavailableError
from mmrobot.grounding.lifting import lift, lift_all
from mmrobot.tabletop.scene import SceneObject
from mmrobot.types import GroundedObject, RgbdFrame, ScoredBox
from tests.support.depth_scene import NO_NOISE, Look, look, middle_m, random_objects, stacked_pair

ALL_SHAPES = [
    SceneObject("cube", "cube", "red", "small", (0.30, 0.20), 0.4),
    SceneObject("ball", "ball", "green", "large", (0.30, 0.08)),
    SceneObject("cylinder", "cylinder", "blue", "large", (0.30, -0.04)),
    SceneObject("bar", "bar", "yellow", "large", (0.30, -0.20), 1.1),
    SceneObject("cup", "cup", "orange", "small", (0.50, 0.27)),
    SceneObject("bowl", "bowl", "purple", "large", (0.50, 0.12)),
    SceneObject("plate", "plate", "white", "large", (0.50, -0.08)),
    SceneObject("tray", "tray", "black", "small", (0.50, -0.27), -0.3),
]


@pytest.fixture(scope="module")
def table() -> Look:
    return look(ALL_SHAPES, np.random.default_rng(5))


def box_of(seen: Look, index: int) -> ScoredBox:
    box = seen.box(index)
    assert box is not None
    return box


def error_m(found: GroundedObject, o: SceneObject) -> float:
    return float(np.linalg.norm(np.subtract(found.position_m, middle_m(o))))


def yaw_error_deg(found: GroundedObject, o: SceneObject) -> float:
    period = math.pi / 2 if o.shape == "cube" else math.pi
    return abs(math.degrees((found.yaw_rad - o.yaw + period / 2) % period - period / 2))


@pytest.mark.parametrize("index", range(8), ids=[o.shape for o in ALL_SHAPES])
def test_every_shape(table: Look, index: int) -> None:
    o, found = ALL_SHAPES[index], lift(table.frame, box_of(table, index))
    assert error_m(found, o) < 0.005
    assert np.abs(np.subtract(sorted(found.size_m), sorted(o.dims.size_m))).max() < 0.008
    assert abs(found.surface_z_m - o.dims.surface_height_m) < 0.006
    assert abs(found.bottom_z_m) < 0.003
    assert found.stamp_ns == table.frame.stamp_ns
    assert found.frame_id == "base_link"
    if o.shape in ("cube", "bar", "tray"):
        assert yaw_error_deg(found, o) < 5
        assert found.size_m[0] >= found.size_m[1]


def test_random_scenes() -> None:
    errors, yaws, z, honest = [], [], [], []
    for seed in range(12):
        rng = np.random.default_rng(900 + seed)
        seen = look(random_objects(rng, 7), rng)
        boxes = {i: box for i in range(7) if (box := seen.box(i)) is not None}
        found, failed = lift_all(seen.frame, list(boxes.values()))
        assert not failed
        for i, thing in zip(boxes, found, strict=True):
            o = seen.objects[i]
            off = np.subtract(thing.position_m, middle_m(o))
            errors.append(np.linalg.norm(off))
            z.append(abs(off[2]))
            honest.append(off @ np.linalg.solve(thing.covariance, off) < 7.81)
            if o.shape in ("cube", "bar"):
                yaws.append(yaw_error_deg(thing, o))
    assert len(errors) > 70
    assert np.median(errors) < 0.004
    assert np.quantile(errors, 0.95) < 0.01
    assert np.quantile(z, 0.95) < 0.005
    assert np.quantile(yaws, 0.95) < 6
    assert np.mean(honest) > 0.95, "the covariance covers what is wrong"


def test_boxes_that_a_model_would_give() -> None:
    errors = []
    for seed in range(6):
        rng = np.random.default_rng(70 + seed)
        seen = look(random_objects(rng, 6), rng)
        for i in range(6):
            box = seen.box(i)
            if box is None:
                continue
            x0, y0, x1, y1 = box.box_xyxy
            shift = rng.normal(0, 0.06, 4) * [x1 - x0, y1 - y0, x1 - x0, y1 - y0]
            sloppy = replace(box, box_xyxy=tuple(np.add(box.box_xyxy, shift)))
            errors.append(error_m(lift(seen.frame, sloppy), seen.objects[i]))
    assert np.median(errors) < 0.005
    assert np.quantile(errors, 0.9) < 0.02


def test_the_upper_of_two() -> None:
    errors, bottoms = [], []
    for seed in range(25):
        rng = np.random.default_rng(seed)
        objects, kind = stacked_pair(rng)
        if kind == "ball_in_cup":
            continue
        seen = look(objects, rng)
        found = lift(seen.frame, box_of(seen, 1))
        errors.append(error_m(found, objects[1]))
        bottoms.append(abs(found.bottom_z_m - objects[1].underside_z_m))
    assert np.median(errors) < 0.004
    assert np.quantile(errors, 0.9) < 0.015
    assert np.median(bottoms) < 0.005


@pytest.mark.parametrize("shape", ["plate", "tray", "bowl"])
def test_a_container_with_something_in_it(shape: str) -> None:
    holder = SceneObject("a", shape, "blue", "large", (0.45, 0.1), 0.5)
    cube = SceneObject("b", "cube", "red", "small", (0.45, 0.1, holder.dims.surface_height_m), 0.2)
    seen = look([holder, cube], np.random.default_rng(0))
    boxes = [box_of(seen, 0), box_of(seen, 1)]
    (outer, inner), failed = lift_all(seen.frame, boxes)
    assert not failed
    assert error_m(outer, holder) < 0.006
    assert error_m(inner, cube) < 0.006
    assert error_m(lift(seen.frame, boxes[0]), holder) < 0.008, "and without being told of the cube"


def test_table_that_is_not_quite_where_it_should_be() -> None:
    seen = look(ALL_SHAPES[:3], np.random.default_rng(1), table_z_m=0.018)
    for i in range(3):
        found = lift(seen.frame, box_of(seen, i))
        assert error_m(found, ALL_SHAPES[i]) == pytest.approx(0.018, abs=0.004)
        assert found.bottom_z_m == pytest.approx(0.018, abs=0.003)


def test_an_intruder_at_the_edge_of_the_box_is_left_out() -> None:
    cube = SceneObject("a", "cube", "red", "small", (0.42, 0.0), 0.2)
    cup = SceneObject("b", "cup", "red", "large", (0.47, 0.065))
    seen = look([cube, cup], np.random.default_rng(2))
    x0, y0, x1, y1 = box_of(seen, 0).box_xyxy
    wide = ScoredBox("cube", (x0 - 12, y0 - 12, x1 + 4, y1 + 4), 1.0)
    assert (seen.ids[int(y0 - 12) : int(y1), int(x0 - 12) : int(x1)] == 1).sum() > 40
    assert error_m(lift(seen.frame, wide), cube) < 0.005


def with_depth(frame: RgbdFrame, depth_m: np.ndarray | None) -> RgbdFrame:
    return replace(frame, depth_m=depth_m)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 0.0, -1.0, 0.01, 50.0])
def test_invalid_depth_is_never_a_target(table: Look, value: float) -> None:
    box = box_of(table, 0)
    depth = table.frame.depth_m.copy()  # type: ignore[union-attr]
    x0, y0, x1, y1 = (round(v) for v in box.box_xyxy)
    depth[y0 - 1 : y1 + 2, x0 - 1 : x1 + 2] = value
    with pytest.raises(NoDepthError, match="0 % of its box") as caught:
        lift(with_depth(table.frame, depth), box)
    assert caught.value.fix


@pytest.mark.parametrize("value", [np.nan, np.inf, 0.0, -1.0])
def test_half_of_the_pixels_invalid(table: Look, value: float) -> None:
    depth = table.frame.depth_m.copy()  # type: ignore[union-attr]
    depth[np.random.default_rng(0).random(depth.shape) < 0.5] = value
    for i, o in enumerate(ALL_SHAPES):
        assert error_m(lift(with_depth(table.frame, depth), box_of(table, i)), o) < 0.012


def test_no_depth_picture_and_no_transform(table: Look) -> None:
    box = box_of(table, 0)
    with pytest.raises(NoDepthError, match="no depth picture"):
        lift(with_depth(table.frame, None), box)
    for pose in (None, np.full((4, 4), np.nan), np.eye(3)):
        with pytest.raises(TransformUnavailableError, match="no transform"):
            lift(replace(table.frame, T_base_camera=pose), box)


@pytest.mark.parametrize(
    ("box", "says"),
    [
        ((300.0, 400.0, 340.0, 430.0), "nothing stands out"),
        ((-90.0, 10.0, -20.0, 60.0), "outside"),
        ((700.0, 500.0, 720.0, 540.0), "outside"),
    ],
)
def test_boxes_without_a_thing(table: Look, box: tuple, says: str) -> None:
    with pytest.raises(NoDepthError, match=says):
        lift(table.frame, ScoredBox("ghost", box, 0.9))


def test_lift_all_reports_what_failed(table: Look) -> None:
    ghost = ScoredBox("ghost", (300.0, 400.0, 340.0, 430.0), 0.9)
    found, failed = lift_all(table.frame, [box_of(table, 1), ghost])
    assert [f.label for f in found] == ["green ball"]
    assert [(box, type(error)) for box, error in failed] == [(ghost, NoDepthError)]


def test_without_noise_it_is_nearly_exact() -> None:
    seen = look(ALL_SHAPES, np.random.default_rng(0), NO_NOISE)
    errors = [error_m(lift(seen.frame, box_of(seen, i)), o) for i, o in enumerate(ALL_SHAPES)]
    assert max(errors) < 0.004


coordinates = st.floats(-100, 740)


@settings(deadline=None, max_examples=150)
@given(st.tuples(coordinates, coordinates, coordinates, coordinates), st.integers(0, 5))
def test_any_box_on_any_depth_is_an_object_or_no_depth(
    table: Look, corners: Sequence[float], kind: int
) -> None:
    x0, x1 = sorted(corners[:2])
    y0, y1 = sorted(corners[2:])
    rng = np.random.default_rng(kind)
    depth = table.frame.depth_m
    assert depth is not None
    if kind == 1:
        depth = rng.uniform(0.5, 2.0, depth.shape).astype(np.float32)
    elif kind == 2:
        depth = np.full_like(depth, 1.0)
    elif kind == 3:
        depth = np.where(rng.random(depth.shape) < 0.9, np.nan, depth).astype(np.float32)
    elif kind == 4:
        depth = rng.choice(np.array([np.nan, np.inf, 0, -1, 1e30, 1e-30], np.float32), depth.shape)
    try:
        found = lift(with_depth(table.frame, depth), ScoredBox("it", (x0, y0, x1 + 1, y1 + 1), 0.5))
    except NoDepthError as error:
        assert error.fix
        return
    assert np.isfinite([*found.position_m, *found.size_m, found.surface_z_m]).all()
    assert (np.linalg.eigvalsh(found.covariance) > 0).all()


def test_eight_objects_are_quick(table: Look) -> None:
    boxes = [box_of(table, i) for i in range(8)]
    took = []
    for _ in range(10):
        start = time.process_time()
        lift_all(table.frame, boxes)
        took.append(time.process_time() - start)
    # Measured at about 19 ms of processor; a machine busy with other tests takes several times as long.
    assert min(took) < 0.08
