"""Large pictures are measured at a fraction of their pixels: all geometry is made of some, none are mixed.

A camera of 12 MP tells of a cube no more, for taking it, than one of 1 MP, and takes ten times as long.
"""

from __future__ import annotations

import math
from dataclasses import replace

from mmrobot.types import BoxXyxy, RgbdFrame, ScoredBox

MAX_PIXELS = 1_500_000


class WorkingSize:
    """Every `step`-th pixel of every `step`-th row of a frame, and boxes among them."""

    def __init__(self, frame: RgbdFrame, max_pixels: int = MAX_PIXELS) -> None:
        camera = frame.camera
        self.step = max(1, math.ceil(math.sqrt(camera.width * camera.height / max_pixels)))
        self._first = self.step // 2
        self.frame = frame if self.step == 1 else self._taken(frame)

    def box(self, box: ScoredBox) -> ScoredBox:
        """The same box in pixels of the smaller picture."""
        x0, y0, x1, y1 = ((v - self._first) / self.step for v in box.box_xyxy)
        smaller: BoxXyxy = (x0, y0, x1, y1)
        return box if self.step == 1 else replace(box, box_xyxy=smaller)

    def _taken(self, frame: RgbdFrame) -> RgbdFrame:
        every, camera = slice(self._first, None, self.step), frame.camera
        rgb = frame.rgb[every, every]
        height, width = rgb.shape[:2]
        smaller = replace(
            camera,
            width=width,
            height=height,
            fx=camera.fx / self.step,
            fy=camera.fy / self.step,
            cx=(camera.cx - self._first) / self.step,
            cy=(camera.cy - self._first) / self.step,
        )
        depth_m = None if frame.depth_m is None else frame.depth_m[every, every]
        return replace(frame, rgb=rgb, depth_m=depth_m, camera=smaller)
