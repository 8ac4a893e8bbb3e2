"""What the robot saw and means to do, drawn over its picture: boxes, names, an arrow to each goal.

Knows pictures and plans, nothing of ROS.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from mmrobot.perception.camera import project
from mmrobot.types import ActionPlan, BoxXyxy, CameraModel, GroundedObject, Vector3

Rgb = tuple[int, int, int]

PICK: Rgb = (255, 176, 32)
REFERENCE: Rgb = (64, 170, 255)
DONE: Rgb = (60, 200, 120)
FAILED: Rgb = (240, 80, 70)
INK: Rgb = (17, 24, 32)
PAPER: Rgb = (245, 247, 250)
DIM: Rgb = (150, 160, 172)
BAR_HEIGHT = 60


@dataclass(frozen=True)
class Caption:
    """Words around a picture: what was asked, what goes on, how it stands (None: under way)."""

    title: str
    detail: str = ""
    success: bool | None = None


@lru_cache(maxsize=8)
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def annotate(
    rgb: NDArray[np.uint8],
    plan: ActionPlan | None,
    camera: CameraModel | None = None,
    T_base_camera: NDArray[np.float64] | None = None,
    active_step: int | None = None,
) -> NDArray[np.uint8]:
    """A copy of (H, W, 3) with the plan's things boxed and each place's way as an arrow.

    Goals are drawn when the camera and its pose are known. Steps before `active_step` turn green.
    """
    canvas = rgb.copy()
    if plan is None:
        return canvas
    drawn: set[tuple[str, BoxXyxy]] = set()
    labels: list[tuple[GroundedObject, Rgb, str]] = []
    for step in plan.steps:
        done = active_step is not None and step.index < active_step
        colour = DONE if done else PICK
        roles = [(step.target, colour) if step.skill == "pick" else (None, colour)]
        roles.append((step.reference, DONE if done else REFERENCE))
        for thing, shade in roles:
            if thing is None or (thing.label, thing.box_xyxy) in drawn:
                continue
            drawn.add((thing.label, thing.box_xyxy))
            _box(canvas, thing.box_xyxy, shade)
            labels.append((thing, shade, f"{thing.label}  {thing.score:.0%}"))
        if step.goal_position_m is None or step.target is None or camera is None or T_base_camera is None:
            continue
        _way(canvas, step.target.position_m, step.goal_position_m, camera, T_base_camera, colour)
    picture = Image.fromarray(canvas)
    draw = ImageDraw.Draw(picture)
    for thing, shade, text in labels:
        _tag(draw, thing.box_xyxy, text, shade, canvas.shape[1])
    return np.asarray(picture)


def with_caption(rgb: NDArray[np.uint8], caption: Caption) -> NDArray[np.uint8]:
    """The picture below a bar of BAR_HEIGHT pixels with the caption's words."""
    height, width = rgb.shape[:2]
    picture = Image.new("RGB", (width, height + BAR_HEIGHT), INK)
    picture.paste(Image.fromarray(rgb), (0, BAR_HEIGHT))
    draw = ImageDraw.Draw(picture)
    shade = DIM if caption.success is None else DONE if caption.success else FAILED
    draw.rectangle((0, 0, 5, BAR_HEIGHT - 1), fill=PICK if caption.success is None else shade)
    draw.text((18, 7), _fit(draw, caption.title, 21, width - 36), font=_font(21), fill=PAPER)
    draw.text((18, 34), _fit(draw, caption.detail, 15, width - 36), font=_font(15), fill=shade)
    return np.asarray(picture)


def side_by_side(camera_rgb: NDArray[np.uint8], spectator_rgb: NDArray[np.uint8] | None) -> NDArray[np.uint8]:
    """The camera's view beside the spectator's, of equal height and even width."""
    if spectator_rgb is None:
        return camera_rgb
    height = camera_rgb.shape[0]
    width = round(spectator_rgb.shape[1] * height / spectator_rgb.shape[0] / 2) * 2
    scaled = cv2.resize(spectator_rgb, (width, height), interpolation=cv2.INTER_AREA)
    gap = np.full((height, 4, 3), INK, dtype=np.uint8)
    return np.hstack([camera_rgb, gap, np.asarray(scaled, dtype=np.uint8)])


def _fit(draw: ImageDraw.ImageDraw, text: str, size: int, width: int) -> str:
    if draw.textlength(text, font=_font(size)) <= width:
        return text
    while text and draw.textlength(text + "...", font=_font(size)) > width:
        text = text[:-1]
    return text + "..."


def _box(canvas: NDArray[np.uint8], box: BoxXyxy, colour: Rgb) -> None:
    """Corners only, so that the thing stays visible."""
    x0, y0, x1, y1 = (round(v) for v in box)
    arm = max(5, round(min(x1 - x0, y1 - y0) * 0.28))
    for width, shade in ((5, INK), (2, colour)):
        for x, y, dx, dy in ((x0, y0, 1, 1), (x1, y0, -1, 1), (x0, y1, 1, -1), (x1, y1, -1, -1)):
            cv2.line(canvas, (x, y), (x + dx * arm, y), shade, width, cv2.LINE_AA)
            cv2.line(canvas, (x, y), (x, y + dy * arm), shade, width, cv2.LINE_AA)


def _tag(draw: ImageDraw.ImageDraw, box: BoxXyxy, text: str, colour: Rgb, width: int) -> None:
    length = draw.textlength(text, font=_font(14))
    x = min(max(2.0, box[0]), width - length - 12)
    y = box[1] - 24 if box[1] > 26 else box[3] + 5
    draw.rounded_rectangle((x, y, x + length + 10, y + 19), radius=4, fill=INK)
    draw.rectangle((x, y + 3, x + 2, y + 16), fill=colour)
    draw.text((x + 6, y + 1), text, font=_font(14), fill=PAPER)


def _way(
    canvas: NDArray[np.uint8],
    start: Vector3,
    goal: Vector3,
    camera: CameraModel,
    T_base_camera: NDArray[np.float64],
    colour: Rgb,
) -> None:
    """A curved arrow, lifted in the middle as the hand carries."""
    t = np.linspace(0, 1, 24)[:, None]
    a, b = np.array(start), np.array(goal)
    points = a + t * (b - a)
    points[:, 2] += 0.10 * np.sin(np.pi * t[:, 0])
    T_camera_base = np.linalg.inv(T_base_camera)
    pixels = project(camera, points @ T_camera_base[:3, :3].T + T_camera_base[:3, 3])
    if not np.isfinite(pixels).all():
        return
    line = np.round(pixels).astype(np.int32)
    for width, shade in ((5, INK), (2, colour)):
        cv2.polylines(canvas, [line[:-2]], False, shade, width, cv2.LINE_AA)
        cv2.arrowedLine(
            canvas, line[-6].tolist(), line[-1].tolist(), shade, width, cv2.LINE_AA, tipLength=0.7
        )
    cv2.circle(canvas, line[-1].tolist(), 4, colour, -1, cv2.LINE_AA)
