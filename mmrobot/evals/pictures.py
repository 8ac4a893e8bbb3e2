"""The picture of an episode with the plan drawn in, for the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from mmrobot.types import ActionPlan, BoxXyxy, GroundedObject, ScoredBox

# Blue, orange, green, purple (RGB): apart for people who see colours differently, too.
_COLORS = ((0, 114, 178), (230, 159, 0), (0, 158, 115), (204, 121, 167))
_JPEG_QUALITY = 82


def annotate(
    rgb: NDArray[np.uint8],
    plan: ActionPlan | None,
    wanted: Mapping[str, BoxXyxy] | None = None,
    scale: float = 1.0,
) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 RGB: each step's boxes with their phrases, and by name the true boxes of what was
    `wanted`, broken and white, in pixels of a picture that is `scale` times as large."""
    picture = np.ascontiguousarray(rgb).copy()
    for name, box in (wanted or {}).items():
        _draw_broken(picture, [scale * v for v in box], name.replace("_", " "))
    if plan is None:
        return picture
    for step in plan.steps:
        color = _COLORS[step.index % len(_COLORS)]
        shown = step.target if step.skill == "pick" else step.reference
        if shown is not None:
            _draw(picture, shown, f"{step.index + 1} {step.skill}: {shown.label}", color)
    return picture


def _draw_broken(picture: NDArray[np.uint8], box: Sequence[float], text: str) -> None:
    x0, y0, x1, y1 = (round(v) for v in (box[0] - 4, box[1] - 4, box[2] + 4, box[3] + 4))
    corners = ((x0, y0), (x1, y0), (x1, y1), (x0, y1))
    for (ax, ay), (bx, by) in zip(corners, corners[1:] + corners[:1], strict=True):
        steps = max(int(max(abs(bx - ax), abs(by - ay)) / 6), 1)
        for i in range(0, steps, 2):
            p = (round(ax + (bx - ax) * i / steps), round(ay + (by - ay) * i / steps))
            q = (round(ax + (bx - ax) * (i + 1) / steps), round(ay + (by - ay) * (i + 1) / steps))
            cv2.line(picture, p, q, (20, 20, 20), 3, cv2.LINE_AA)
            cv2.line(picture, p, q, (255, 255, 255), 1, cv2.LINE_AA)
    at = (max(x0, 0), min(y1 + 14, picture.shape[0] - 4))
    for color, width in (((20, 20, 20), 3), ((255, 255, 255), 1)):
        cv2.putText(picture, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.42, color, width, cv2.LINE_AA)


def _draw(
    picture: NDArray[np.uint8], thing: GroundedObject | ScoredBox, text: str, color: tuple[int, int, int]
) -> None:
    x0, y0, x1, y1 = (round(v) for v in thing.box_xyxy)
    cv2.rectangle(picture, (x0, y0), (x1, y1), color, 2, cv2.LINE_AA)
    (width, height), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 0.45, 1)
    left = min(max(x0, 0), max(picture.shape[1] - width - 4, 0))
    top = max(y0 - height - 8, 0)
    cv2.rectangle(picture, (left, top), (left + width + 4, top + height + 6), color, -1)
    white = (255, 255, 255)
    cv2.putText(
        picture, text, (left + 2, top + height + 2), cv2.FONT_HERSHEY_SIMPLEX, 0.45, white, 1, cv2.LINE_AA
    )


def save_annotated(
    folder: Path,
    name: str,
    rgb: NDArray[np.uint8],
    plan: ActionPlan | None,
    wanted: Mapping[str, BoxXyxy] | None = None,
    scale: float = 1.0,
) -> str:
    """Writes `<name>.jpg` and answers its file name."""
    folder.mkdir(parents=True, exist_ok=True)
    safe = "".join(c if c.isalnum() or c in "-_." else "_" for c in name)
    done, data = cv2.imencode(
        ".jpg",
        cv2.cvtColor(annotate(rgb, plan, wanted, scale), cv2.COLOR_RGB2BGR),
        [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY],
    )
    if not done:
        raise OSError(f"cannot encode the picture of '{name}'")
    (folder / f"{safe}.jpg").write_bytes(data.tobytes())
    return f"{safe}.jpg"
