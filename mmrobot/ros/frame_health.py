"""What is wrong with a camera's stamps and pictures though they arrive: found before anybody looks.

Stamps far from the time of arrival, sets that no longer come together, a picture that stands still while
the robot moves, a calibration that has become another. Pure: FrameSource asks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from mmrobot.errors import InvalidImageError, MmrobotError, NoCameraError, StaleError
from mmrobot.perception.pairing import PairedSet
from mmrobot.types import CameraModel

NS = 1_000_000_000
SAMPLES = 16_384
"""Of a picture's bytes so many are compared: a sensor's noise changes them from picture to picture."""
_OTHER_FOCAL, _OTHER_CENTRE_PX = 0.02, 4.0
_ONE_CLOCK = "let the camera's driver and mmrobot keep one time (NTP or PTP between machines; use_sim_time)"


class StillPicture:
    """Since when the picture is the same to the last byte."""

    def __init__(self) -> None:
        self._sample = np.empty(0, np.uint8)
        self.since_ns = 0
        self.frozen = False

    def take(self, data: Any, stamp_ns: int) -> None:
        """A colour picture's bytes; stamps that run back begin anew."""
        pixels = np.frombuffer(data, np.uint8)
        sample = pixels[:: max(1, pixels.size // SAMPLES) | 1]
        if stamp_ns >= self.since_ns and np.array_equal(sample, self._sample):
            return
        self._sample, self.since_ns, self.frozen = sample.copy(), stamp_ns, False

    def problem(
        self, stamp_ns: int, limit_s: float, moved: Callable[[int, int], bool]
    ) -> MmrobotError | None:
        """That it is frozen: the same for longer than `limit_s` while frames of the robot `moved`.

        A still scene under a simulated camera without noise is the same, too; that alone is no fault. What
        is frozen stays so until another picture comes.
        """
        same_s = (stamp_ns - self.since_ns) / NS
        self.frozen = self.frozen or (same_s > limit_s and moved(self.since_ns, stamp_ns))
        if not self.frozen:
            return None
        return NoCameraError(
            f"the camera is frozen: its picture has been the same for {same_s:.1f} s, "
            "though its stamps advance and the robot moves",
            "start the camera's driver again",
        )


def stamp_problem(
    newest: PairedSet, now_s: float, silent_s: float, late_s: float, ahead_s: float
) -> MmrobotError | None:
    """What is wrong with the time of the newest set of pictures, judged when it came together.

    No set for `silent_s`; stamps older than `late_s` or more than `ahead_s` in the future on arrival.
    """
    age_s, lag_s = now_s - newest.received_s, newest.received_s - newest.stamp_ns / NS
    if age_s > silent_s:
        return NoCameraError(
            f"no picture, info and depth of one stamp for {age_s:.1f} s "
            f"(newest: {newest.stamp_ns / NS:.3f} s)",
            "synchronise the camera's streams, and see that all of them carry stamps",
        )
    if lag_s > late_s:
        return StaleError(
            f"pictures are {lag_s:.1f} s old when they come, allowed are {late_s:g} s", _ONE_CLOCK
        )
    if lag_s < -ahead_s:
        return StaleError(
            f"pictures are stamped {-lag_s:.1f} s in the future, allowed are {ahead_s:g} s", _ONE_CLOCK
        )
    return None


def calibration_problem(before: CameraModel | None, now: CameraModel) -> MmrobotError | None:
    """That a camera of the same picture size has other intrinsics than before: one of both is wrong."""
    if before is None or (before.width, before.height) != (now.width, now.height):
        return None
    focal = max(abs(now.fx / before.fx - 1), abs(now.fy / before.fy - 1))
    centre = max(abs(now.cx - before.cx), abs(now.cy - before.cy))
    if focal <= _OTHER_FOCAL and centre <= _OTHER_CENTRE_PX:
        return None
    return InvalidImageError(
        f"the camera's intrinsics have changed: fx {before.fx:.1f}, cx {before.cx:.1f} became "
        f"fx {now.fx:.1f}, cx {now.cx:.1f}",
        "see that one calibration is published; when the camera was changed on purpose, say it again",
        "intrinsics_changed",
    )
