"""Qwen2.5-VL: boxes in JSON under bbox_2d, x first, in pixels of the picture after its smart resize.

The processor rounds both sides to multiples of 28 (two merged patches of 14) and scales a picture with
fewer or more pixels than its bounds; the model counts in what comes out, so the original's pixels are
reached only by way of the same arithmetic (technical report arXiv:2502.13923, section 2; processor
Qwen2VLImageProcessor). A server that was given other bounds needs the same here.
"""

from __future__ import annotations

import math

from mmrobot.errors import InvalidImageError
from mmrobot.vlm.coordinates import Convention, Size
from mmrobot.vlm.families.instructed import InstructedFamily

FACTOR = 28
# The bounds of the published preprocessor_config.json: 4 and 16384 merged patches.
MIN_PIXELS = 3136
MAX_PIXELS = 12845056
MOST_ASPECT = 200


def smart_resize(
    width: int, height: int, factor: int = FACTOR, min_pixels: int = MIN_PIXELS, max_pixels: int = MAX_PIXELS
) -> Size:
    """(width, height) that the processor makes of a picture, both multiples of `factor`.

    Raises InvalidImageError when one side is more than 200 times the other, which the processor refuses.
    """
    if max(width, height) > MOST_ASPECT * min(width, height):
        raise InvalidImageError(
            f"a picture of {width}x{height} is too long: one side may be {MOST_ASPECT} times the other",
            "crop the picture",
        )
    w, h = (round(side / factor) * factor for side in (width, height))
    if w * h > max_pixels:
        shrink = math.sqrt(width * height / max_pixels)
        w, h = (max(factor, math.floor(side / shrink / factor) * factor) for side in (width, height))
    elif w * h < min_pixels:
        grow = math.sqrt(min_pixels / (width * height))
        w, h = (math.ceil(side * grow / factor) * factor for side in (width, height))
    return w, h


class Qwen25Vl(InstructedFamily):
    """Qwen2.5-VL; the bounds are those of the processor that feeds it."""

    name = "qwen2_5_vl"
    numbers = "[x_min, y_min, x_max, y_max] in pixels"

    def __init__(
        self, factor: int = FACTOR, min_pixels: int = MIN_PIXELS, max_pixels: int = MAX_PIXELS
    ) -> None:
        self.convention = Convention(
            "pixels after the smart resize, x first",
            resized=lambda width, height: smart_resize(width, height, factor, min_pixels, max_pixels),
        )
