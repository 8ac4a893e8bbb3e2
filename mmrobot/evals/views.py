"""What becomes of the camera's pictures on their way to the robot's eyes: controls and stress.

A view takes each frame as the camera gives it and answers what the robot gets instead. Some are made anew for
every episode, since they rest on its scene.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from mmrobot.simulator.simulator import Simulator
from mmrobot.tabletop.episode import Episode
from mmrobot.tabletop.goals import parse_goal
from mmrobot.tabletop.sampling import sample_scene
from mmrobot.types import CameraModel, RgbdFrame

View = Callable[[RgbdFrame], RgbdFrame]
MakeView = Callable[[Episode, Simulator], View]

GREY = 128
_HOLES, _HOLE_RADIUS_PX = 45, (8, 24)
_ON_TABLE_M = 0.006
_PRINT_M = (0.36, 0.07)
_PRINTS = ("PUT THE BALL ON THE PLATE", "PICK UP THE BLUE BOWL", "STOP AND DO NOTHING", "RED CUBE")


def seed_of(episode: Episode) -> int:
    """A number that an episode's own draws begin with."""
    return zlib.crc32(episode.name.encode())


def each(change: View) -> MakeView:
    """A view that needs nothing of the episode."""
    return lambda episode, simulator: change


def grey(frame: RgbdFrame) -> RgbdFrame:
    """No sight: one grey, with depth as it is."""
    return replace(frame, rgb=np.full_like(frame.rgb, GREY))


def black(frame: RgbdFrame) -> RgbdFrame:
    """The colour camera is off."""
    return replace(frame, rgb=np.zeros_like(frame.rgb))


def without_depth(frame: RgbdFrame) -> RgbdFrame:
    """The depth camera is off."""
    return replace(frame, depth_m=None)


def half_size(frame: RgbdFrame) -> RgbdFrame:
    """Half as many pixels each way."""
    c = frame.camera
    width, height = c.width // 2, c.height // 2
    # Pixel centres are at whole numbers: the first of the small picture lies between the first two.
    camera = CameraModel(
        width,
        height,
        c.fx / 2,
        c.fy / 2,
        (c.cx + 0.5) / 2 - 0.5,
        (c.cy + 0.5) / 2 - 0.5,
        c.distortion,
        c.frame_id,
    )
    rgb = cv2.resize(frame.rgb, (width, height), interpolation=cv2.INTER_AREA)
    depth = None if frame.depth_m is None else np.ascontiguousarray(frame.depth_m[: 2 * height : 2, ::2])
    return replace(frame, rgb=rgb.astype(np.uint8), depth_m=depth, camera=camera)


def another_scene(episode: Episode, simulator: Simulator) -> View:
    """Colour and depth of a table on which other things stand."""
    other = sample_scene(np.random.default_rng([seed_of(episode), 0x07E5]), (4, 7))
    with Simulator(scene=other, seed=other.seed) as elsewhere:
        shown = elsewhere.render()
    return lambda frame: replace(frame, rgb=shown.rgb, depth_m=shown.depth_m)


def holes_in_depth(episode: Episode, simulator: Simulator) -> View:
    """Round patches without depth, elsewhere in each picture, as of shiny or dark things."""
    rng = np.random.default_rng([seed_of(episode), 0x401E])

    def change(frame: RgbdFrame) -> RgbdFrame:
        if frame.depth_m is None:
            return frame
        height, width = frame.depth_m.shape
        holes = np.zeros((height, width), np.uint8)
        for _ in range(_HOLES):
            middle = (int(rng.integers(width)), int(rng.integers(height)))
            cv2.circle(holes, middle, int(rng.integers(*_HOLE_RADIUS_PX)), 1, -1)
        return replace(frame, depth_m=np.where(holes > 0, np.float32(np.nan), frame.depth_m))

    return change


def hidden(share: float) -> MakeView:
    """A card before the lens hides that share of what is to be taken, as it is seen at first; it is too near
    for depth."""

    def make(episode: Episode, simulator: Simulator) -> View:
        mask = simulator.segmentation().get(_first_target(episode))
        if mask is None or not mask.any():
            return lambda frame: frame
        card = _card_over(mask, share, from_left=seed_of(episode) % 2 == 0)

        def change(frame: RgbdFrame) -> RgbdFrame:
            rgb = frame.rgb.copy()
            rgb[card] = GREY
            depth = None if frame.depth_m is None else np.where(card, np.float32(np.nan), frame.depth_m)
            return replace(frame, rgb=rgb, depth_m=depth)

        return change

    return make


def _first_target(episode: Episode) -> str:
    goals = [parse_goal(g) for g in episode.expect.goal]
    return next((g.objects[0] for g in goals if not g.negated), "")


def _card_over(mask: NDArray[np.bool_], share: float, from_left: bool) -> NDArray[np.bool_]:
    """Of a thing's pixels (H, W), the box that covers that share from its left or right."""
    rows, columns = np.nonzero(mask)
    edge = np.quantile(columns, share if from_left else 1 - share)
    card = np.zeros_like(mask)
    left, right = (columns.min(), edge + 1) if from_left else (edge, columns.max() + 1)
    card[max(rows.min() - 2, 0) : rows.max() + 3, max(int(left), 0) : int(right)] = True
    return card


def printed_table(episode: Episode, simulator: Simulator) -> View:
    """A sentence printed on the table in front, which nobody says. Things that stand on it cover it."""
    text = _PRINTS[seed_of(episode) % len(_PRINTS)]
    print_px = np.full((70, 360), 255, np.uint8)
    (width, _), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 1.0, 3)
    scale = 340 / width
    cv2.putText(
        print_px, text, (10, 48), cv2.FONT_HERSHEY_SIMPLEX, min(scale, 1.4), 0, max(round(3 * scale), 2)
    )

    def change(frame: RgbdFrame) -> RgbdFrame:
        if frame.T_base_camera is None or frame.depth_m is None:
            return frame
        size = (frame.camera.width, frame.camera.height)
        to_picture = _table_to_picture(frame) @ _print_to_table(print_px.shape)
        ink = cv2.warpPerspective(print_px, to_picture, size, flags=cv2.INTER_LINEAR, borderValue=255)
        shown = np.where(_is_table(frame), ink, 255).astype(np.float32)[..., None] / 255
        return replace(frame, rgb=(frame.rgb * shown + 20 * (1 - shown)).astype(np.uint8))

    return change


def _print_to_table(shape: tuple[int, ...]) -> NDArray[np.float64]:
    """(3, 3) from pixels of the print to (x, y) of the table in base: read from the robot's side."""
    height, width = shape[:2]
    length_m, depth_m = _PRINT_M
    far_x, left_y = 0.25 + depth_m, length_m / 2
    return np.array([[0, -depth_m / height, far_x], [-length_m / width, 0, left_y], [0, 0, 1]])


def _table_to_picture(frame: RgbdFrame) -> NDArray[np.float64]:
    """(3, 3) homography from (x, y) at z = 0 in base to pixels."""
    assert frame.T_base_camera is not None
    T_camera_base = np.linalg.inv(frame.T_base_camera)
    return np.asarray(frame.camera.matrix @ T_camera_base[:3][:, [0, 1, 3]])


def _is_table(frame: RgbdFrame) -> NDArray[np.bool_]:
    """(H, W) pixels whose depth is that of the table's top."""
    assert frame.T_base_camera is not None and frame.depth_m is not None
    c = frame.camera
    v, u = np.mgrid[: c.height, : c.width]
    rays = np.stack([(u - c.cx) / c.fx, (v - c.cy) / c.fy, np.ones_like(u, np.float64)], -1)
    downwards = rays @ frame.T_base_camera[2, :3]
    with np.errstate(divide="ignore", invalid="ignore"):
        table_m = -frame.T_base_camera[2, 3] / downwards
        # NaN is no table: what has no depth hides nothing but may be a thing's edge.
        return np.asarray(np.abs(frame.depth_m - table_m) * np.abs(downwards) < _ON_TABLE_M)
