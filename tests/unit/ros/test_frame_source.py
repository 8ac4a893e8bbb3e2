"""A look of a process that was starved itself waits a moment before it calls the camera dead."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import pytest

from mmrobot.config import CameraConfig
from mmrobot.errors import MmrobotError, NoCameraError
from mmrobot.ros.frame_source import CATCH_UP_S, FrameSource


class Source(FrameSource):
    """Without a node: `bad_for_s` says for how many wall seconds from now something is wrong."""

    def __init__(self, bad_for_s: float) -> None:
        self.good_from_s = time.monotonic() + bad_for_s
        self._newest: Any = SimpleNamespace(stamp_ns=5)
        self._config = CameraConfig()

    def _now_s(self) -> float:
        return 0.1

    def problem(self) -> MmrobotError | None:
        if time.monotonic() < self.good_from_s:
            return NoCameraError("the last message is 2.0 s old", "check the camera")
        return None

    def _decode(self, found: Any) -> Any:
        return found


def test_pictures_that_lay_in_the_queue_are_looked_at() -> None:
    assert Source(bad_for_s=0.3 * CATCH_UP_S).look().stamp_ns == 5


def test_a_camera_that_stays_silent_is_told_soon() -> None:
    began_s = time.monotonic()
    with pytest.raises(NoCameraError, match="2.0 s old"):
        Source(bad_for_s=60.0).look(timeout_s=10.0)
    assert CATCH_UP_S <= time.monotonic() - began_s < 5.0
