"""Without depth, things on the table are located by their outlines in the simulator's own pictures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mmrobot.errors import NoDepthError, TransformUnavailableError
from mmrobot.grounding.lifting import lift_all
from mmrobot.grounding.monocular import MonocularLifter, kind_of
from mmrobot.simulator.simulator import Simulator
from mmrobot.tabletop.scene import Scene, SceneObject
from mmrobot.types import GroundedObject, RgbdFrame, ScoredBox

OBJECTS = (
    SceneObject("red_cube", "cube", "red", "large", (0.34, 0.20), 0.4),
    SceneObject("green_ball", "ball", "green", "large", (0.34, 0.06)),
    SceneObject("blue_cylinder", "cylinder", "blue", "large", (0.34, -0.10)),
    SceneObject("yellow_bar", "bar", "yellow", "large", (0.34, -0.25), 1.0),
    SceneObject("orange_cup", "cup", "orange", "small", (0.56, 0.27)),
    SceneObject("purple_bowl", "bowl", "purple", "large", (0.54, 0.10)),
    SceneObject("white_plate", "plate", "white", "large", (0.54, -0.10)),
    SceneObject("black_tray", "tray", "black", "small", (0.54, -0.28), -0.3),
)


def seen(objects: tuple[SceneObject, ...]) -> tuple[RgbdFrame, list[ScoredBox]]:
    """A picture of them at rest, and the box of each."""
    with Simulator(scene=Scene(0, objects)) as simulator:
        simulator.step(0.6)
        frame, masks = simulator.render(), simulator.segmentation()
    boxes = []
    for o in objects:
        rows, columns = np.nonzero(masks[o.id])
        edges = (columns.min() - 0.5, rows.min() - 0.5, columns.max() + 0.5, rows.max() + 0.5)
        boxes.append(ScoredBox(f"{o.color} {o.shape}", edges, 0.9))
    return frame, boxes


@pytest.fixture(scope="module")
def table() -> tuple[RgbdFrame, list[ScoredBox]]:
    return seen(OBJECTS)


def without(frame: RgbdFrame) -> RgbdFrame:
    return replace(frame, depth_m=None)


def by_depth(frame: RgbdFrame, boxes: list[ScoredBox]) -> list[GroundedObject]:
    found, failed = lift_all(frame, boxes)
    assert not failed
    return list(found)


def test_every_shape_is_about_where_depth_puts_it(table: tuple[RgbdFrame, list[ScoredBox]]) -> None:
    frame, boxes = table
    lifter = MonocularLifter(without(frame), 0.0, boxes)
    for box, sure in zip(boxes, by_depth(frame, boxes), strict=True):
        found = lifter(box)
        off_m = np.linalg.norm(np.subtract(found.position_m, sure.position_m))
        assert off_m < 0.012, box.label
        assert abs(found.size_m[0] - sure.size_m[0]) < 0.02
        assert abs(found.surface_z_m - sure.surface_z_m) < 0.012
        # It knows how unsure it is, and that this is more than with depth.
        assert np.trace(found.covariance) > np.trace(sure.covariance)
        assert off_m < 3 * np.sqrt(np.trace(found.covariance))


def test_what_is_long_is_turned_as_it_lies(table: tuple[RgbdFrame, list[ScoredBox]]) -> None:
    frame, boxes = table
    found = MonocularLifter(without(frame), 0.0, boxes)(boxes[3])
    assert abs(found.yaw_rad - 1.0) < 0.12 and found.size_m[0] > 2 * found.size_m[1]


def test_what_lies_in_a_tray_stands_on_its_floor() -> None:
    tray = SceneObject("black_tray", "tray", "black", "large", (0.45, 0.0))
    frame, boxes = seen((tray, SceneObject("red_cube", "cube", "red", "small", (0.45, 0.0, 0.008))))
    cube = MonocularLifter(without(frame), 0.0, boxes)(boxes[1])
    assert 0.002 < cube.bottom_z_m < 0.015
    assert np.linalg.norm(np.subtract(cube.position_m[:2], (0.45, 0.0))) < 0.015


def test_an_empty_box_and_a_camera_nowhere_are_refused(
    table: tuple[RgbdFrame, list[ScoredBox]],
) -> None:
    frame, boxes = table
    blank = replace(without(frame), rgb=np.full_like(frame.rgb, 120))
    with pytest.raises(NoDepthError, match="without depth"):
        MonocularLifter(blank, 0.0, boxes)(boxes[0])
    with pytest.raises(TransformUnavailableError):
        MonocularLifter(replace(without(frame), T_base_camera=None), 0.0, boxes)


def test_bodies_by_name() -> None:
    names = ("the red ball", "mug", "blue bowl", "a serving dish", "cylinder", "box", "widget")
    assert [kind_of(n) for n in names] == ["ball", "cup", "bowl", "plate", "round", "block", "block"]


def test_a_lifter_serves_its_own_picture_alone(table: tuple[RgbdFrame, list[ScoredBox]]) -> None:
    frame, boxes = table
    bare = without(frame)
    lifter = MonocularLifter(bare, 0.0, boxes)
    assert lifter.serves(bare, boxes)
    assert not lifter.serves(frame, boxes) and not lifter.serves(bare, boxes[1:])
