"""A large picture gives the same things in metres as a small one of the same view, and its own boxes."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from mmrobot.grounding.lifting import FrameLifter
from mmrobot.grounding.working_size import MAX_PIXELS, WorkingSize
from mmrobot.perception.camera import rays, scaled
from mmrobot.tabletop.scene import SceneObject
from mmrobot.types import BoxXyxy, RgbdFrame
from tests.support.depth_scene import NO_NOISE, look

CUBE = SceneObject("cube", "cube", "red", "small", (0.42, 0.1), 0.3)


def blown_up(frame: RgbdFrame, factor: int) -> RgbdFrame:
    assert frame.depth_m is not None
    size = (factor * frame.camera.width, factor * frame.camera.height)
    return replace(
        frame,
        rgb=cv2.resize(frame.rgb, size, interpolation=cv2.INTER_NEAREST),
        depth_m=cv2.resize(frame.depth_m, size, interpolation=cv2.INTER_NEAREST),
        camera=scaled(frame.camera, *size),
    )


def test_a_usual_picture_is_taken_whole() -> None:
    seen = look([CUBE], np.random.default_rng(0))
    size, box = WorkingSize(seen.frame), seen.box(0)
    assert size.frame is seen.frame and box is not None and size.box(box) is box


@pytest.mark.parametrize("factor", [5, 6])
def test_a_large_picture_gives_the_same_thing_and_its_own_box(factor: int) -> None:
    seen = look([CUBE], np.random.default_rng(0), NO_NOISE)
    box, large = seen.box(0), blown_up(seen.frame, factor)
    assert box is not None
    x0, y0, x1, y1 = (factor * (v + 0.5) - 0.5 for v in box.box_xyxy)
    large_box: BoxXyxy = (x0, y0, x1, y1)
    usual = FrameLifter(seen.frame, 0.0, [box])(box)
    lifter = FrameLifter(large, 0.0, [replace(box, box_xyxy=large_box)])
    found = lifter(replace(box, box_xyxy=large_box))
    assert found.box_xyxy == large_box
    np.testing.assert_allclose(found.position_m, usual.position_m, atol=0.003)
    np.testing.assert_allclose(found.size_m, usual.size_m, atol=0.006)
    assert lifter.serves(large, [replace(box, box_xyxy=large_box)])


@pytest.mark.parametrize("pixels", [MAX_PIXELS, 40_000, 39_999])
def test_pixels_keep_their_rays_and_depths(pixels: int) -> None:
    frame = look([CUBE], np.random.default_rng(0)).frame
    size = WorkingSize(frame, pixels)
    small, first = size.frame, size.step // 2
    assert small.camera.width * small.camera.height <= pixels
    assert small.depth_m is not None and frame.depth_m is not None
    for u, v in ((0, 0), (small.camera.width - 1, 3), (20, small.camera.height - 1)):
        own = np.array([first + u * size.step, first + v * size.step])
        np.testing.assert_allclose(rays(small.camera, np.array([u, v])), rays(frame.camera, own), atol=1e-9)
        np.testing.assert_equal(small.depth_m[v, u], frame.depth_m[own[1], own[0]])
