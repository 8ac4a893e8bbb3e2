"""Boxes to objects in metres of the base without depth, from the table's height and the known camera.

What stands on the table touches it, so its outline alone puts it there (`silhouette`). What kind of body a
thing is, and whether it is hollow, is taken from what the model calls it. Positions are less sure than with
depth, and say so in their covariance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from mmrobot.errors import NoDepthError, TransformUnavailableError
from mmrobot.grounding.silhouette import Body, fit_body, outline_px
from mmrobot.types import BoxXyxy, GroundedObject, RgbdFrame, ScoredBox, box_iou

HOLLOW = frozenset("bowl cup mug glass tumbler plate dish saucer tray basket pan container".split())
_KINDS = {
    "ball": frozenset("ball sphere orb marble".split()),
    "cup": frozenset("cup mug glass tumbler beaker".split()),
    "bowl": frozenset("bowl basin basket pan".split()),
    "plate": frozenset("plate dish saucer".split()),
    "cube": frozenset("cube die dice".split()),
    "round": frozenset("cylinder can tin canister disc disk".split()),
}
FLOOR_M = 0.006
SIGMA_M, SIGMA_OF_SIZE, SIGMA_OF_DISTANCE = 0.004, 0.08, 0.006
"""Standard deviations of a position: fixed, by the thing's size, by its distance from the camera."""
_UPON = 0.6
"""Within this part of another's half widths a thing is taken to stand on it."""
_IOU_SAME = 0.5


def kind_of(name: str) -> str:
    """The body that a thing of this name has."""
    words = set(name.lower().replace("-", " ").split())
    return next((kind for kind, names in _KINDS.items() if words & names), "block")


class MonocularLifter:
    """Lifts boxes of one frame, each once; `others` are boxes of all that is seen, by the model's names.

    Raises TransformUnavailableError without the camera's pose; when called, NoDepthError where a box's
    outline does not tell where the thing is.
    """

    def __init__(self, frame: RgbdFrame, table_z_m: float, others: Sequence[ScoredBox]) -> None:
        if frame.T_base_camera is None:
            raise TransformUnavailableError(
                f"no transform from {frame.camera.frame_id} to the base at stamp {frame.stamp_ns}",
                "publish the camera's pose on /tf or /tf_static",
            )
        self._frame, self._table_z_m, self._others = frame, table_z_m, tuple(others)
        self._lifted: dict[BoxXyxy, GroundedObject] = {}

    def serves(self, frame: RgbdFrame, others: Sequence[ScoredBox]) -> bool:
        """Whether these are its own picture, pose and boxes."""
        own = self._frame
        same = frame.rgb is own.rgb and frame.depth_m is None and frame.T_base_camera is own.T_base_camera
        return same and frame.camera == own.camera and tuple(others) == self._others

    def __call__(self, box: ScoredBox, stamp_ns: int | None = None) -> GroundedObject:
        """The thing in a box, as of `stamp_ns` or of the picture."""
        if box.box_xyxy not in self._lifted:
            self._lifted[box.box_xyxy] = self._lift(box)
        stamp_ns = self._frame.stamp_ns if stamp_ns is None else stamp_ns
        return replace(self._lifted[box.box_xyxy], label=box.label, score=box.score, stamp_ns=stamp_ns)

    def _lift(self, box: ScoredBox) -> GroundedObject:
        name = self._name(box)
        support, kind = outline_px(self._frame, box.box_xyxy), kind_of(name)
        for host in self._hosts(box):
            # A vessel carries on its floor, all else on its top.
            upon_m = host.surface_z_m
            body = fit_body(self._frame, support, kind, upon_m)
            if _stands_on(body, host):
                return self._thing(box, name, body, upon_m)
        return self._thing(box, name, fit_body(self._frame, support, kind, self._table_z_m), self._table_z_m)

    def _name(self, box: ScoredBox) -> str:
        """What the model calls the thing in a box: by the same box where it was described, else as asked."""
        same = [o for o in self._others if box_iou(o.box_xyxy, box.box_xyxy) > _IOU_SAME]
        return max(same, key=lambda o: box_iou(o.box_xyxy, box.box_xyxy)).label if same else box.label

    def _hosts(self, box: ScoredBox) -> list[GroundedObject]:
        """Things in front of which, in the picture, the box begins: it may stand on or in one of them."""
        x, bottom = (box.box_xyxy[0] + box.box_xyxy[2]) / 2, box.box_xyxy[3]
        hosts = []
        for other in self._others:
            x0, y0, x1, y1 = other.box_xyxy
            lower = y0 < bottom < y1 - 0.1 * (y1 - y0) and x0 < x < x1
            if lower and box_iou(other.box_xyxy, box.box_xyxy) <= _IOU_SAME and y1 > bottom:
                try:
                    hosts.append(self(other))
                except NoDepthError:
                    continue
        return hosts

    def _thing(self, box: ScoredBox, name: str, body: Body, stands_at_m: float) -> GroundedObject:
        rectangle = body.rectangle
        x, y = rectangle.center_m
        hollow = bool(set(name.lower().split()) & HOLLOW)
        top_m = stands_at_m + body.height_m
        eye_m = self._frame.T_base_camera[:3, 3]  # type: ignore[index]
        away_m = float(np.linalg.norm(eye_m - [x, y, top_m]))
        across_m = SIGMA_M + SIGMA_OF_SIZE * min(rectangle.size_m) + SIGMA_OF_DISTANCE * away_m
        up_m = SIGMA_M + 0.2 * body.height_m
        return GroundedObject(
            label=box.label,
            box_xyxy=box.box_xyxy,
            score=box.score,
            position_m=(x, y, stands_at_m + body.height_m / 2),
            size_m=(*rectangle.size_m, body.height_m),
            yaw_rad=rectangle.yaw_rad,
            surface_z_m=min(stands_at_m + FLOOR_M, top_m) if hollow else top_m,
            covariance=np.diag([across_m**2, across_m**2, up_m**2]),
            stamp_ns=self._frame.stamp_ns,
        )


def _stands_on(body: Body, host: GroundedObject) -> bool:
    dx = body.rectangle.center_m[0] - host.position_m[0]
    dy = body.rectangle.center_m[1] - host.position_m[1]
    c, s = np.cos(host.yaw_rad), np.sin(host.yaw_rad)
    along, across = abs(c * dx + s * dy), abs(c * dy - s * dx)
    return bool(along < _UPON * host.size_m[0] / 2 and across < _UPON * host.size_m[1] / 2)


