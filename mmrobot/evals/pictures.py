"""The picture of an episode with the plan drawn in, for the report."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from mmrobot.types import ActionPlan, GroundedObject, ScoredBox

# Blue, orange, green, purple (RGB): apart for people who see colours differently, too.
_COLORS = ((0, 114, 178), (230, 159, 0), (0, 158, 115), (204, 121, 167))
_JPEG_QUALITY = 82


def annotate(rgb: NDArray[np.uint8], plan: ActionPlan | None) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 RGB: each step's boxes with their phrases."""
    picture = np.ascontiguousarray(rgb).copy()
    if plan is None:
        return picture
    for step in plan.steps:
        color = _COLORS[step.index % len(_COLORS)]
        shown = step.target if step.skill == "pick" else step.reference
        if shown is not None:
            _draw(picture, shown, f"{step.index + 1} {step.skill}: {shown.label}", color)
    return picture


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


def save_annotated(folder: Path, name: str, rgb: NDArray[np.uint8], plan: ActionPlan | None) -> str:
    """Writes `<name>.jpg` and answers its file name."""
    folder.mkdir(parents=True, exist_ok=True)
    safe = "".join(c if c.isalnum() or c in "-_." else "_" for c in name)
    done, data = cv2.imencode(
        ".jpg",
        cv2.cvtColor(annotate(rgb, plan), cv2.COLOR_RGB2BGR),
        [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY],
    )
    if not done:
        raise OSError(f"cannot encode the picture of '{name}'")
    (folder / f"{safe}.jpg").write_bytes(data.tobytes())
    return f"{safe}.jpg"
