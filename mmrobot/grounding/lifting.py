"""A box and depth to an object in metres of the base.

The camera sees the top and the side that faces it. Things stand upright on a support, so the top's
outline gives x, y and yaw, the top and the support give z (`upright_box`). Invalid depth never becomes a
target.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mmrobot.errors import NoDepthError
from mmrobot.grounding.footprint_fit import Rectangle
from mmrobot.grounding.scene_view import SceneView
from mmrobot.grounding.segmentation import Segment, quantile, segment
from mmrobot.grounding.upright_box import Upright, fit_upright
from mmrobot.grounding.working_size import WorkingSize
from mmrobot.types import BoxXyxy, GroundedObject, RgbdFrame, ScoredBox

_MIN_WIDTH_M = 0.004


def lift(
    frame: RgbdFrame, box: ScoredBox, *, others: Sequence[ScoredBox] = (), expected_table_z_m: float = 0.0
) -> GroundedObject:
    """The object that fills a box, in base; boxes of `others` tell apart what lies on or in it.

    Raises NoDepthError (no depth picture, too little of the box valid, or empty table) and
    TransformUnavailableError (frame.T_base_camera unknown).
    """
    return lift_in(SceneView(frame, expected_table_z_m), box, others)


def lift_all(
    frame: RgbdFrame, boxes: Sequence[ScoredBox], *, expected_table_z_m: float = 0.0
) -> tuple[tuple[GroundedObject, ...], tuple[tuple[ScoredBox, NoDepthError], ...]]:
    """Every box's object, and the boxes without one with the reason. Raises as `lift` for all boxes."""
    view = SceneView(frame, expected_table_z_m)
    found: list[GroundedObject] = []
    failed: list[tuple[ScoredBox, NoDepthError]] = []
    for box in boxes:
        try:
            found.append(lift_in(view, box, boxes))
        except NoDepthError as error:
            failed.append((box, error))
    return tuple(found), tuple(failed)


def lift_in(view: SceneView, box: ScoredBox, others: Sequence[ScoredBox] = ()) -> GroundedObject:
    """As `lift`, in a frame whose geometry is known already."""
    part = segment(view, box, others)
    upright = fit_upright(part, view)
    rectangle = upright.rectangle
    x, y = rectangle.center_m
    table_z = float(view.table.z(x, y))
    height = max(upright.top_m - upright.bottom_m, _MIN_WIDTH_M)
    surface = _surface(part, view, rectangle, upright)
    return GroundedObject(
        label=box.label,
        box_xyxy=box.box_xyxy,
        score=box.score,
        position_m=(x, y, table_z + upright.top_m - height / 2),
        size_m=(max(rectangle.size_m[0], _MIN_WIDTH_M), max(rectangle.size_m[1], _MIN_WIDTH_M), height),
        yaw_rad=rectangle.yaw_rad,
        surface_z_m=table_z + surface,
        covariance=_covariance(part, view, upright),
        stamp_ns=view.frame.stamp_ns,
    )


class FrameLifter:
    """Lifts boxes of one frame, at its working size, each once; called with a box. Raises as `lift`."""

    def __init__(self, frame: RgbdFrame, expected_table_z_m: float, others: Sequence[ScoredBox]) -> None:
        self._frame, self._others = frame, tuple(others)
        self._size = WorkingSize(frame)
        self._view = SceneView(self._size.frame, expected_table_z_m)
        self._lifted: dict[BoxXyxy, GroundedObject] = {}

    def serves(self, frame: RgbdFrame, others: Sequence[ScoredBox]) -> bool:
        """Whether these are its own depth picture, pose and boxes."""
        own = self._frame
        same = frame.depth_m is own.depth_m and frame.T_base_camera is own.T_base_camera
        return same and frame.camera == own.camera and tuple(others) == self._others

    def __call__(self, box: ScoredBox, stamp_ns: int | None = None) -> GroundedObject:
        """The thing in a box; `stamp_ns` when the picture is known to hold still, as of then."""
        if box.box_xyxy not in self._lifted:
            others = [self._size.box(other) for other in self._others]
            lifted = lift_in(self._view, self._size.box(box), others)
            self._lifted[box.box_xyxy] = replace(lifted, box_xyxy=box.box_xyxy)
        stamp_ns = self._frame.stamp_ns if stamp_ns is None else stamp_ns
        return replace(self._lifted[box.box_xyxy], label=box.label, score=box.score, stamp_ns=stamp_ns)


def _surface(part: Segment, view: SceneView, rectangle: Rectangle, upright: Upright) -> float:
    """Height of what is seen at the middle from above; of the lowest inside where the middle is hidden."""
    # Not the mask alone is asked, since a low inner floor is cut off with the table.
    rows = np.flatnonzero(part.mask.any(axis=1))
    columns = np.flatnonzero(part.mask.any(axis=0))
    window = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    points, heights = part.patch.points[window], part.patch.height[window]
    turn = rectangle.yaw_rad
    width, depth = rectangle.size_m
    c, s = np.float32(np.cos(turn) / width), np.float32(np.sin(turn) / width)
    c2, s2 = np.float32(np.cos(turn) / depth), np.float32(np.sin(turn) / depth)
    dx = points[..., 0] - np.float32(rectangle.center_m[0])
    dy = points[..., 1] - np.float32(rectangle.center_m[1])
    along, across = np.abs(c * dx + s * dy), np.abs(c2 * dy - s2 * dx)
    reach = np.hypot(along, across) if rectangle.round else np.maximum(along, across)
    # Invalid pixels have NaN reach, which is never less.
    inner = heights[reach < 0.40]
    core = heights[reach < 0.15]
    if inner.size < 5:
        return upright.top_m
    # The lowest few per cent of a level, noisy floor lie this far under it.
    surface = quantile(inner, 0.06) + 1.5 * view.table.noise_m
    # A wall behind the middle, seen over the near rim, is steep and not the floor.
    if core.size >= 8 and quantile(core, 0.9) - quantile(core, 0.1) < 0.012:
        surface = quantile(core, 0.5)
    return min(max(surface, upright.bottom_m), upright.top_m)


def _pixel_m(part: Segment, view: SceneView) -> float:
    """What a pixel spans at the object."""
    return float(np.median(part.patch.depth[part.mask])) / view.frame.camera.fx


def _covariance(part: Segment, view: SceneView, upright: Upright) -> NDArray[np.float64]:
    """Depth noise, the pixels' size and what is hidden, as variances along base x, y, z."""
    size = upright.rectangle.size_m
    pixel = _pixel_m(part, view)
    noise = view.table.noise_m
    across = np.hypot(pixel, noise) + upright.hidden * min(size)
    up = 0.5 * noise + 0.001 + upright.hidden * (upright.top_m - upright.bottom_m)
    return np.diag([across**2, across**2, up**2])
