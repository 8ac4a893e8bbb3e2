"""How models write a box: which axis comes first, and what the numbers count in.

A family's file names its Convention; the self-test tries all of them when a box lands elsewhere.
Models measure from the picture's edge (0 is the left edge of the first pixel), mmrobot from the first
pixel's centre (types.py), so every conversion adds or takes half a pixel.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from mmrobot.errors import ModelReplyInvalidError
from mmrobot.types import BoxXyxy

# Numbers this share of a side beyond the picture are the model's rounding, and are cut; more is a fault.
SLACK = 0.02
# A box thinner than this, in pixels of the original picture, names nothing that could be looked at.
LEAST_SIDE_PX = 1.0

Size = tuple[int, int]
"""Width and height in pixels."""


def the_same_size(width: int, height: int) -> Size:
    return width, height


@dataclass(frozen=True)
class Convention:
    """One way to write a box.

    `span` None: numbers are pixels of the picture that `resized(width, height)` says the model sees.
    `span` S: both axes run from 0 to S over the picture. `most` is the largest number that may be
    written (1023 of 1024 loc tokens); `middle` is added to a written bin before scaling.
    `form` "xywh" gives corner and size instead of two corners.
    """

    name: str
    order: Literal["xy", "yx"] = "xy"
    span: float | None = None
    most: float | None = None
    middle: float = 0.0
    form: Literal["corners", "xywh"] = "corners"
    whole: bool = True
    resized: Callable[[int, int], Size] = the_same_size

    def spans(self, width: int, height: int) -> tuple[float, float]:
        """What the picture's width and height count in this convention."""
        if self.span is not None:
            return self.span, self.span
        w, h = self.resized(width, height)
        return float(w), float(h)

    def to_pixels(self, numbers: Sequence[float], width: int, height: int) -> BoxXyxy:
        """Four numbers as the model wrote them to a box in pixels of the original picture.

        Raises ModelReplyInvalidError for a number that is not finite or outside of the picture, for
        corners in the wrong order, and for a box without extent: nothing is put right by guessing.
        """
        values = [float(v) for v in numbers]
        if len(values) != 4:
            raise ModelReplyInvalidError(f"a box needs 4 numbers, got {len(values)}", "ask again")
        if not all(math.isfinite(v) for v in values):
            raise ModelReplyInvalidError(
                f"the box {_brief(values)} holds a number that is not finite", "ask again"
            )
        span_x, span_y = self.spans(width, height)
        a, b, c, d = (v + self.middle for v in values)
        if self.order == "yx":
            a, b, c, d = b, a, d, c
        if self.form == "xywh":
            c, d = a + c, b + d
        for value, span in ((a, span_x), (b, span_y), (c, span_x), (d, span_y)):
            if not -SLACK * span <= value <= (1 + SLACK) * span:
                raise ModelReplyInvalidError(
                    f"the box {_brief(values)} leaves the picture: numbers run from 0 "
                    f"to {_most(self, span_x)} along x and to {_most(self, span_y)} along y",
                    "ask again",
                )
        if not (c > a and d > b):
            raise ModelReplyInvalidError(
                f"the box {_brief(values)} is not two corners, upper left before lower right", "ask again"
            )
        x0, x1 = (min(max(v / span_x, 0.0), 1.0) * width - 0.5 for v in (a, c))
        y0, y1 = (min(max(v / span_y, 0.0), 1.0) * height - 0.5 for v in (b, d))
        if x1 - x0 < LEAST_SIDE_PX or y1 - y0 < LEAST_SIDE_PX:
            raise ModelReplyInvalidError(
                f"the box {_brief(values)} is thinner than a pixel of the picture", "ask again"
            )
        return x0, y0, x1, y1

    def from_pixels(self, box_xyxy: BoxXyxy, width: int, height: int) -> tuple[float, float, float, float]:
        """The numbers that a model of this convention writes for a box; whole ones where it writes such."""
        span_x, span_y = self.spans(width, height)
        x0, x1 = ((v + 0.5) / width * span_x - self.middle for v in (box_xyxy[0], box_xyxy[2]))
        y0, y1 = ((v + 0.5) / height * span_y - self.middle for v in (box_xyxy[1], box_xyxy[3]))
        if self.form == "xywh":
            x1, y1 = x1 - x0, y1 - y0
        a, b, c, d = (x0, y0, x1, y1) if self.order == "xy" else (y0, x0, y1, x1)
        if self.whole:
            a, b, c, d = (float(round(v)) for v in (a, b, c, d))
        if self.most is not None:
            a, b, c, d = (min(max(v, 0.0), self.most) for v in (a, b, c, d))
        return a, b, c, d


def _most(convention: Convention, span: float) -> str:
    return f"{convention.most if convention.most is not None else span:g}"


def _brief(values: Sequence[float]) -> str:
    return "[" + ", ".join(f"{v:g}" for v in values) + "]"
