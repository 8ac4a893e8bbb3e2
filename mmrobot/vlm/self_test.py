"""The test at activation: does a model's box land where the thing is?

A picture drawn here, not square, shows one thing at a known place; its mirrored twin catches a model that
answers by habit. Wrong axes, wrong scale and wrong resize all give plausible boxes in the wrong place, so
a model that misses is refused, with the convention under which its own numbers would have fitted.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from mmrobot.errors import ModelReplyInvalidError, ModelUnavailableError
from mmrobot.types import BoxXyxy
from mmrobot.vlm.coordinates import Convention
from mmrobot.vlm.families.catalogue import CONVENTIONS, FAMILIES
from mmrobot.vlm.interface import VisionLanguageModel

# Neither side is a multiple of 28: both land half-way, where Qwen2.5-VL's resize moves things most.
WIDTH, HEIGHT = 434, 266
LEAST_IOU = 0.5
# Another convention that fits this much better is the model's own, even when the family's passes.
CLEARLY_BETTER = 0.2

_NUMBER = r"-?\d{1,9}(?:\.\d{1,9})?"
_BRACKETS = re.compile(rf"\[\s*({_NUMBER}(?:\s*,\s*{_NUMBER}){{3}})\s*\]")
_TOKENS = re.compile(r"(?:<loc_?\d{1,4}>){4}")


class SelfTestError(ModelUnavailableError):
    """A model's boxes land elsewhere. `fits` names the convention that would have fitted, if one does."""

    def __init__(self, message: str, fix: str = "", fits: str | None = None) -> None:
        super().__init__(message, fix)
        self.fits = fits


@dataclass(frozen=True, eq=False)
class KnownPicture:
    """A picture (H, W, 3) uint8 RGB with one thing that a phrase names, and its box in pixels."""

    image_rgb: NDArray[np.uint8]
    phrase: str
    box_xyxy: BoxXyxy

    def mirrored(self) -> KnownPicture:
        """Left and right exchanged."""
        width = self.image_rgb.shape[1]
        x0, y0, x1, y1 = self.box_xyxy
        return KnownPicture(
            np.ascontiguousarray(self.image_rgb[:, ::-1]),
            self.phrase,
            (width - 1 - x1, y0, width - 1 - x0, y1),
        )


@dataclass(frozen=True)
class SelfTestReport:
    """What a model passed with: per picture the best box found and its IoU with the known one."""

    model: str
    boxes: tuple[BoxXyxy, ...]
    ious: tuple[float, ...]
    seconds: float


def draw_cube(width: int = WIDTH, height: int = HEIGHT) -> KnownPicture:
    """A red cube on a plain light table, towards the lower right, with a blue one elsewhere."""
    rows = np.linspace(205, 180, height)[:, None, None]
    image = np.broadcast_to(rows * np.array([1.0, 0.96, 0.9]), (height, width, 3)).astype(np.uint8).copy()
    _draw(image, (0.40, 0.35), (0.09, 0.15), (40, 70, 200))
    box = _draw(image, (0.80, 0.70), (0.11, 0.18), (205, 35, 30))
    return KnownPicture(image, "the red cube", box)


def _draw(
    image: NDArray[np.uint8],
    corner: tuple[float, float],
    size: tuple[float, float],
    color: tuple[int, int, int],
) -> BoxXyxy:
    """A cube seen from above its front; corner and size are shares of the picture. Returns its box."""
    height, width = image.shape[:2]
    left, top = round(corner[0] * width), round(corner[1] * height)
    right, bottom = left + round(size[0] * width), top + round(size[1] * height)
    edge, inset = top + (bottom - top) // 3, (right - left) // 10
    cv2.rectangle(image, (left, edge), (right, bottom), [int(0.75 * c) for c in color], -1)
    lid = np.array([(left, edge), (left + inset, top), (right - inset, top), (right, edge)], np.int32)
    cv2.fillPoly(image, [lid], color)
    return left - 0.5, top - 0.5, right + 0.5, bottom + 0.5


def self_test(
    model: VisionLanguageModel, picture: KnownPicture | None = None, least_iou: float = LEAST_IOU
) -> SelfTestReport:
    """Ground the known thing in a picture and its mirrored twin.

    A model that only points (its family has `points` true) needs to hit the box, not to match it.
    Raises SelfTestError when a box is missing or elsewhere, with what would have fitted.
    """
    started = time.monotonic()
    known = picture or draw_cube()
    pictures = (known, known.mirrored())
    boxes: list[BoxXyxy | None] = []
    raw: list[list[list[float]]] = []
    faults: list[str] = []
    for shown in pictures:
        try:
            found = model.ground(shown.image_rgb, shown.phrase)
        except ModelReplyInvalidError as error:
            found = ()
            faults.append(error.message)
        # The first box is the model's best; the twin picture keeps luck out.
        best = found[0].box_xyxy if found else None
        boxes.append(best)
        reply = getattr(model, "last_reply", None)
        raw.append(raw_boxes(reply) if isinstance(reply, str) else [list(best)] if best else [])
    points = bool(getattr(getattr(model, "family", None), "points", False))
    ious = [
        0.0 if box is None else _hit(box, shown.box_xyxy) if points else iou(box, shown.box_xyxy)
        for box, shown in zip(boxes, pictures, strict=True)
    ]
    rival, rival_iou = (None, 0.0) if points else fitting_convention(raw, pictures)
    passed = [box for box in boxes if box is not None]
    if min(ious) >= least_iou and rival_iou <= min(ious) + CLEARLY_BETTER:
        return SelfTestReport(model.name, tuple(passed), tuple(ious), time.monotonic() - started)
    raise _refusal(model, pictures, boxes, ious, faults, rival if rival_iou >= least_iou else None)


def raw_boxes(reply: str) -> list[list[float]]:
    """Every four numbers in brackets or location tokens that a reply holds, as written."""
    found = [[float(n) for n in re.findall(_NUMBER, match[1])] for match in _BRACKETS.finditer(reply)]
    found += [[float(n) for n in re.findall(r"\d+", match[0])] for match in _TOKENS.finditer(reply)]
    return found


def fitting_convention(
    raw: Sequence[Sequence[Sequence[float]]], pictures: Sequence[KnownPicture]
) -> tuple[Convention | None, float]:
    """The convention under which the raw numbers fit all pictures best, and its least IoU."""
    best: tuple[Convention | None, float] = (None, 0.0)
    for convention in CONVENTIONS:
        least = min(
            max((_iou_under(convention, four, shown) for four in fours), default=0.0)
            for fours, shown in zip(raw, pictures, strict=True)
        )
        if least > best[1]:
            best = (convention, least)
    return best


def iou(a: BoxXyxy, b: BoxXyxy) -> float:
    """Intersection over union of two boxes."""
    w = min(a[2], b[2]) - max(a[0], b[0])
    h = min(a[3], b[3]) - max(a[1], b[1])
    both = max(w, 0.0) * max(h, 0.0)
    total = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both
    return both / total if total > 0 else 0.0


def _iou_under(convention: Convention, four: Sequence[float], shown: KnownPicture) -> float:
    height, width = shown.image_rgb.shape[:2]
    try:
        return iou(convention.to_pixels(four, width, height), shown.box_xyxy)
    except ModelReplyInvalidError:
        return 0.0


def _hit(box: BoxXyxy, known: BoxXyxy) -> float:
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    return 1.0 if known[0] <= x <= known[2] and known[1] <= y <= known[3] else 0.0


def _refusal(
    model: VisionLanguageModel,
    pictures: Sequence[KnownPicture],
    boxes: Sequence[BoxXyxy | None],
    ious: Sequence[float],
    faults: Sequence[str],
    fits: Convention | None,
) -> SelfTestError:
    seen = "; ".join(
        f"expected {_brief(shown.box_xyxy)}, got {_brief(box) if box else 'no box'} (IoU {value:.2f})"
        for shown, box, value in zip(pictures, boxes, ious, strict=True)
    )
    said = f"; {faults[0]}" if faults else ""
    message = f"{model.name} does not see where things are: {seen}{said}"
    if fits is None:
        return SelfTestError(message, "use another model, or another checkpoint of this family")
    families = [
        n for n, f in FAMILIES.items() if getattr(f, "convention", None) and _same(f.convention, fits)
    ]
    own = getattr(getattr(model, "family", None), "convention", None)
    read = f", it is read as '{own.name}'" if own is not None else ""
    return SelfTestError(
        f"{message}. Its numbers fit the convention '{fits.name}'{read}",
        f"write family: {' or '.join(families)} into the model's YAML"
        if families
        else "no family here writes so: use another checkpoint",
        fits=fits.name,
    )


def _same(a: Convention, b: Convention) -> bool:
    return (a.order, a.span, a.form) == (b.order, b.span, b.form) and a.span is not None


def _brief(box: BoxXyxy) -> str:
    return "[" + ", ".join(f"{v:.0f}" if math.isfinite(v) else "?" for v in box) + "]"
