"""Whether anything moved since a picture was looked at. If nothing did, what was seen in it still holds.

Colour and depth are averaged over blocks of 8x8 pixels, and the block that changed most decides, so that a
small thing that moved a little counts as much as a large one. What counts as change follows from the noise
measured in the two pictures themselves. The camera must stand still and the hand hold the same. Fails
closed: whatever cannot be compared, or looks noisier than the sensor is, asks for a new look.
"""

from __future__ import annotations

import math
from collections.abc import Hashable
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from mmrobot.types import RgbdFrame

BLOCK_PX = 8
SIGMAS = 6.0
"""Of 14,400 block means of a 640x480 picture, noise alone carries one this far in 1 of 30,000 pictures."""
_ROUNDING = 1 / 48
"""Variance of a block's mean from rounding its four quarters to whole steps of 255: 1/12 of each."""
_CORRELATION = 2.0
"""Noise of neighbours may go together (demosaicking, JPEG): block means then vary up to this much more."""
_FLAT_SHARE = 20.0
_MIN_DEPTH_STEP_M, _DEPTH_SIGMAS = 0.002, 8.0
_MAX_DEPTH_SIGMA_M = 0.002
_LOST_SHARE, _MIN_KNOWN_SHARE = 0.5, 0.25
_MAX_SHIFT_M, _MAX_TURN_RAD = 5e-4, 5e-4
_NORMAL_OF_MAD = 1.4826


@dataclass(frozen=True, eq=False)
class _Reference:
    """A picture that was looked at: colour in block means (h, w, 3), grain, where depth is valid."""

    frame: RgbdFrame
    key: Hashable
    color: NDArray[np.float32]
    grain: float
    there: NDArray[np.bool_] | None


class ChangeGate:
    """Holds the last picture that was looked at. For one thread.

    `reused` and `looked` count answers; `reason` says why the last one was a new look, "" if it was none.
    """

    def __init__(self, max_age_s: float = 5.0) -> None:
        self.max_age_s = max_age_s
        self.reused = self.looked = 0
        self.reason = ""
        self._reference: _Reference | None = None

    def unchanged(self, frame: RgbdFrame, key: Hashable = None) -> RgbdFrame | None:
        """The picture looked at before, if this one shows the same; else None, and this one is it from now.

        `key` is whatever else must be the same: what the hand holds, the joints' positions.
        """
        now = _reference(frame, key)
        self.reason = self._difference(now)
        if self.reason or self._reference is None:
            # Copies: who fills the same buffers with the next picture must not change what was seen.
            depth = None if frame.depth_m is None else frame.depth_m.copy()
            self._reference = replace(now, frame=replace(frame, rgb=frame.rgb.copy(), depth_m=depth))
            self.looked += 1
            return None
        self.reused += 1
        return self._reference.frame

    def forget(self) -> None:
        """The next picture is a new look."""
        self._reference = None

    def _difference(self, now: _Reference) -> str:
        then = self._reference
        if then is None:
            return "nothing was looked at before"
        age_s = (now.frame.stamp_ns - then.frame.stamp_ns) * 1e-9
        if not 0 <= age_s <= self.max_age_s:
            return f"the last look is {age_s:.1f} s old"
        if now.key != then.key:
            return "the robot or its hand is another"
        if min(now.frame.rgb.shape[:2]) < 2 * BLOCK_PX:
            return "the picture is too small to tell"
        return _moved_camera(then.frame, now.frame) or _changed_color(then, now) or _changed_depth(then, now)


def _reference(frame: RgbdFrame, key: Hashable) -> _Reference:
    depth = _thinned(frame.depth_m)
    there = None if depth is None else np.isfinite(depth) & (depth > 0)
    # By quarters first: on bytes, in the fast way. Its rounding is far below the grain of one pixel.
    height, width = frame.rgb.shape[:2]
    size = (max(width // 4, 1), max(height // 4, 1))
    quarter = cv2.resize(np.ascontiguousarray(frame.rgb), size, interpolation=cv2.INTER_AREA)
    color = _means(quarter.astype(np.float32), BLOCK_PX // 4)
    return _Reference(frame, key, color, pixel_noise(frame.rgb), there)


def _thinned(depth_m: NDArray[np.float32] | None) -> NDArray[np.float32] | None:
    """Every second row: half the work, and blocks have samples enough."""
    return None if depth_m is None else depth_m[::2]


def _means(image: NDArray[np.float32], width_px: int = BLOCK_PX, height_px: int = 0) -> NDArray[np.float32]:
    """Means of whole blocks; what is left over at the right and lower edge joins its neighbours' blocks."""
    height, width = image.shape[:2]
    size = (max(width // width_px, 1), max(height // (height_px or width_px), 1))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), dtype=np.float32)


def _moved_camera(then: RgbdFrame, now: RgbdFrame) -> str:
    if then.camera != now.camera:
        return "the camera is another"
    if then.T_base_camera is None or now.T_base_camera is None:
        return "the camera's pose is unknown"
    step = np.abs(then.T_base_camera - now.T_base_camera)
    # "not less" is also true of NaN.
    if not (step[:3, 3].max() < _MAX_SHIFT_M and step[:3, :3].max() < _MAX_TURN_RAD):
        return "the camera moved"
    return ""


def _changed_color(then: _Reference, now: _Reference) -> str:
    difference = now.color - then.color
    spread = _spread(difference)
    # The lesser grain: a picture that became noisier is to be looked at.
    white = math.sqrt(2 * ((min(then.grain, now.grain) / BLOCK_PX) ** 2 + _ROUNDING))
    if not spread <= _CORRELATION * white:
        return f"the picture changed all over (blocks vary by {spread:.2f} of 255)"
    limit = SIGMAS * max(spread, white)
    most = float(np.abs(difference).max())
    return "" if most < limit else f"a block changed by {most:.1f} of 255 (noise reaches {limit:.1f})"


def _changed_depth(then: _Reference, now: _Reference) -> str:
    old, new = _thinned(then.frame.depth_m), _thinned(now.frame.depth_m)
    if old is None and new is None:
        return ""
    if old is None or new is None or then.there is None or now.there is None:
        return "depth is there in one of the pictures only"
    both = then.there & now.there
    # What was lost or found on balance: at edges, single pixels come and go.
    lost = _blocks(then.there) - _blocks(now.there)
    if float(np.abs(lost).max()) > _LOST_SHARE:
        return "depth is lost or found where it was not before"
    share = _blocks(both)
    known = share >= _MIN_KNOWN_SHARE
    if not known.any():
        return "no depth is valid"
    # Noise grows with the square of the distance (simulator/noise.py has the source); that of a mean
    # shrinks with the root of how many there are.
    with np.errstate(invalid="ignore", divide="ignore"):
        step = np.where(both, (new - old) / (new * old), np.float32(0))
    difference = _blocks(step)[known] / np.sqrt(share[known])
    sigma = _spread(difference)
    if not sigma <= _MAX_DEPTH_SIGMA_M:
        return f"depth changed all over (blocks vary by {1000 * sigma:.1f} mm)"
    most = float(np.abs(difference).max())
    limit = max(_MIN_DEPTH_STEP_M, _DEPTH_SIGMAS * sigma)
    return "" if most < limit else f"a block's depth changed by {1000 * most:.1f} mm"


def _blocks(thinned: NDArray[np.generic]) -> NDArray[np.float32]:
    return _means(thinned.astype(np.float32), BLOCK_PX, BLOCK_PX // 2)


def _spread(values: NDArray[np.floating]) -> float:
    """Standard deviation about 0, from the median: the few blocks where something moved do not count."""
    return _NORMAL_OF_MAD * float(np.median(np.abs(values)))


def pixel_noise(rgb: NDArray[np.uint8]) -> float:
    """Standard deviation of the grain, in steps of 255, from neighbours' differences where it is flattest.

    Mean |a - b| of two normal values is 2 sigma / sqrt(pi).
    """
    few = rgb[::4]
    if few.shape[1] < 2:
        return 0.0
    steps = np.abs(few[:, 1::2].astype(np.int16) - few[:, : few.shape[1] // 2 * 2 : 2])
    blocks = _means(steps.astype(np.float32), BLOCK_PX // 2, BLOCK_PX // 4)
    return float(np.percentile(blocks, _FLAT_SHARE)) * math.sqrt(math.pi) / 2
