"""What a person points at in the picture: a thing that is seen there, or a spot on the table.

"put this there" + two clicks -> "put the red cube in the blue bowl", bound to those very things
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mmrobot.command.pointing import Pointed, point_out
from mmrobot.config import Config
from mmrobot.errors import StaleError, TargetNotFoundError
from mmrobot.perception.camera import rays
from mmrobot.planning.pins import Pins, Spot
from mmrobot.planning.referents import distinct_names
from mmrobot.planning.table_top import TABLE
from mmrobot.planning.vessel import is_hollow
from mmrobot.types import BoxXyxy, GroundedObject, Pointing, RgbdFrame, box_iou

# A finger misses a small thing by so many pixels of a picture 640 wide.
_MISS_PX = 6.0
_DRAWN_IOU = 0.3


def point_out_in(
    frame: RgbdFrame,
    things: Sequence[GroundedObject],
    text: str,
    pointings: Sequence[Pointing],
    config: Config,
    now_ns: int,
) -> tuple[str, Pins]:
    """The words with names in place of "this" and "there", and those names bound to things and spots.

    `things` are all that is seen in `frame`. Raises InvalidInstructionError where the words and the pointings
    do not go together, TargetNotFoundError where nothing is there, StaleError for an old picture.
    """
    named: list[Pointed] = []
    bound: dict[str, GroundedObject] = {}
    spots: dict[str, Spot] = {}
    for pointing in pointings:
        _check_age(pointing, config, now_ns)
        thing = pointed_thing(frame, things, pointing)
        if thing is None:
            spots[TABLE] = pointed_spot(frame, pointing, config)
            named.append(Pointed(TABLE))
            continue
        name = next(n for n, t in zip(distinct_names(things), things, strict=True) if t is thing)
        bound[name] = thing
        named.append(Pointed(f"the {name}", "in" if is_hollow(thing) else "on"))
    return point_out(text, named), Pins(bound, spots)


def pointed_thing(
    frame: RgbdFrame, things: Sequence[GroundedObject], pointing: Pointing
) -> GroundedObject | None:
    """The thing that a click lies on, the smallest of several, or that a drawn box holds; None for none."""
    box = pointing.box_xyxy
    if _is_drawn(box):
        best = max(things, key=lambda t: box_iou(t.box_xyxy, box), default=None)
        return best if best is not None and box_iou(best.box_xyxy, box) >= _DRAWN_IOU else None
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    for miss in (0.0, _MISS_PX * frame.camera.width / 640):
        hit = [t for t in things if _within(t.box_xyxy, x, y, miss)]
        if hit:
            return min(hit, key=lambda t: _area(t.box_xyxy))
    return None


def pointed_spot(frame: RgbdFrame, pointing: Pointing, config: Config) -> Spot:
    """Where on the table the middle of a pointing lies, metres of base_link: the ray through that pixel, cut
    with the table's plane. Raises TargetNotFoundError where it meets no part of the work area."""
    camera, pose = frame.camera, frame.T_base_camera
    x0, y0, x1, y1 = pointing.box_xyxy
    u, v = (x0 + x1) / 2, (y0 + y1) / 2
    where = f"at pixel ({u:.0f}, {v:.0f})"
    fix = "point at a thing, or at free table in front of the robot"
    if pose is None:
        raise TargetNotFoundError(f"nothing is seen {where}, and the camera's place is unknown", fix)
    ray = pose[:3, :3] @ rays(camera, np.array([u, v]))
    origin = pose[:3, 3]
    down = (config.work_area.table_z_m - origin[2]) / ray[2] if abs(ray[2]) > 1e-9 else -1.0
    x, y = (float(c) for c in (origin + down * ray)[:2])
    if down <= 0 or not config.work_area.contains(x, y):
        raise TargetNotFoundError(f"nothing is seen {where}, and it is no part of the work area", fix)
    return x, y


def _check_age(pointing: Pointing, config: Config, now_ns: int) -> None:
    age_s = (now_ns - pointing.stamp_ns) / 1e9
    limit_s = config.command.answer_within_s
    if pointing.stamp_ns and not 0 <= age_s <= limit_s:
        raise StaleError(
            f"the picture that was pointed at is {age_s:.1f} s old, at most {limit_s:g} s are allowed",
            "point at the newest picture",
        )


def _is_drawn(box: BoxXyxy) -> bool:
    return box[2] > box[0] and box[3] > box[1]


def _within(box: BoxXyxy, x: float, y: float, miss: float) -> bool:
    return box[0] - miss <= x <= box[2] + miss and box[1] - miss <= y <= box[3] + miss


def _area(box: BoxXyxy) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])
