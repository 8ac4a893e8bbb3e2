"""Stamps, pictures and calibrations that are wrong though they arrive; and those that are right."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mmrobot.errors import InvalidImageError, NoCameraError, StaleError
from mmrobot.perception.pairing import PairedSet
from mmrobot.ros.frame_health import NS, StillPicture, calibration_problem, stamp_problem
from mmrobot.ros.transforms import TransformBuffer
from mmrobot.types import CameraModel

CAMERA = CameraModel(640, 480, 500.0, 500.0, 320.0, 240.0)


def paired(stamp_s: float, received_s: float) -> PairedSet:
    return PairedSet(round(stamp_s * NS), None, None, None, None, 0.0, received_s)


def problem(stamp_s: float, received_s: float, now_s: float):
    return stamp_problem(paired(stamp_s, received_s), now_s, silent_s=1.5, late_s=1.5, ahead_s=0.5)


@pytest.mark.parametrize(
    ("stamp_s", "received_s", "now_s"),
    [(10.0, 10.05, 10.2), (10.0, 11.4, 11.5), (10.4, 10.0, 10.1), (10.0, 10.0, 3.0)],
    ids=["healthy", "slow machine", "a little ahead", "the clock went back"],
)
def test_stamps_that_are_well(stamp_s: float, received_s: float, now_s: float) -> None:
    assert problem(stamp_s, received_s, now_s) is None


def test_stamps_that_are_not() -> None:
    old, ahead, none = problem(5.0, 10.0, 10.1), problem(15.0, 10.0, 10.1), problem(10.0, 10.0, 12.0)
    assert isinstance(old, StaleError) and "5.0 s old" in old.message and old.fix
    assert isinstance(ahead, StaleError) and "5.0 s in the future" in ahead.message
    assert isinstance(none, NoCameraError) and "of one stamp for 2.0 s" in none.message


def fed(pictures: list[np.ndarray], period_s: float = 0.5) -> tuple[StillPicture, int]:
    still, stamp_ns = StillPicture(), NS
    for picture in pictures:
        still.take(picture.tobytes(), stamp_ns)
        stamp_ns += round(period_s * NS)
    return still, stamp_ns - round(period_s * NS)


def test_the_same_picture_while_the_robot_moves_is_frozen_until_another_comes() -> None:
    rng = np.random.default_rng(1)
    noisy = [rng.integers(0, 255, 60_000).astype(np.uint8) for _ in range(6)]
    still, newest_ns = fed(noisy)
    assert still.problem(newest_ns, 1.5, lambda *_: True) is None, "a sensor's noise"
    still, newest_ns = fed([noisy[0]] * 6)
    assert still.problem(newest_ns, 1.5, lambda *_: False) is None, "nothing moves: it may be the same"
    assert still.problem(newest_ns, 5.0, lambda *_: True) is None, "not yet"
    told = still.problem(newest_ns, 1.5, lambda *_: True)
    assert isinstance(told, NoCameraError) and "frozen" in told.message and "2.5 s" in told.message
    assert still.problem(newest_ns, 1.5, lambda *_: False) is not None, "it stays so"
    still.take(noisy[1].tobytes(), newest_ns + NS)
    assert still.problem(newest_ns + 9 * NS, 99.0, lambda *_: True) is None


def test_whether_the_robot_has_moved() -> None:
    buffer = TransformBuffer()
    for number in range(10):
        buffer.add("base", "arm", NS + number * NS // 10, (0.0, 0.0, 0.01 * number), (0, 0, 0, 1))
        buffer.add("base", "camera", NS, (1.0, 0.0, 0.0), (0, 0, 0, 1), static=True)
    assert buffer.moved(NS, 2 * NS)
    assert not buffer.moved(NS, NS + 2 * NS // 10), "2 cm are none"
    assert not buffer.moved(5 * NS, 6 * NS), "nothing is known of then"
    turned = TransformBuffer()
    turned.add("base", "arm", NS, (0, 0, 0), (0, 0, 0, 1))
    turned.add("base", "arm", NS + 1, (0, 0, 0), (0, 0, 0.2, 0.98))
    assert turned.moved(NS, 2 * NS)


def test_another_calibration_is_told() -> None:
    zoomed = replace(CAMERA, fx=650.0, fy=650.0)
    told = calibration_problem(CAMERA, zoomed)
    assert isinstance(told, InvalidImageError) and told.fault == "intrinsics_changed"
    assert "500.0" in told.message and "650.0" in told.message
    assert calibration_problem(None, CAMERA) is None
    assert calibration_problem(CAMERA, replace(CAMERA, fx=501.0)) is None
    assert calibration_problem(CAMERA, replace(CAMERA, width=320, height=240, fx=250.0)) is None
