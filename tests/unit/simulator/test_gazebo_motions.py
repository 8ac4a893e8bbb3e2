"""The companion's pure parts: the way home and the fingers' ramp."""

from __future__ import annotations

import numpy as np
import pytest

from mmrobot.arm.hand import ARM_JOINTS, OBSERVE_POSTURE
from mmrobot.simulator.gazebo.fingers import AHEAD_M, FingerRamp
from mmrobot.simulator.gazebo.homing import DURATION_S, at_zero, home_trajectory
from mmrobot.simulator.gripper import SPEED_M_S


def test_the_way_home_begins_and_ends_at_rest_within_the_joints_speeds() -> None:
    home = home_trajectory(ARM_JOINTS, np.zeros(6), np.array(OBSERVE_POSTURE))
    assert home.times_s[-1] == pytest.approx(DURATION_S)
    assert home.positions[-1] == pytest.approx(OBSERVE_POSTURE)
    assert home.velocities[-1] == pytest.approx(np.zeros(6), abs=1e-9)
    assert np.abs(home.velocities).max() < 1.5
    assert np.abs(np.diff(home.positions, axis=0)).max() < 0.05


def test_only_an_arm_straight_up_counts_as_just_loaded() -> None:
    assert at_zero(np.full(6, 0.01))
    assert not at_zero(np.array([0, 0, 0, 0, 0, 0.2]))


def test_fingers_move_at_a_steady_speed_and_stop_at_the_target() -> None:
    ramp, width = FingerRamp(0.06), 0.06
    ramp.command(0.08)
    assert ramp.step(width, 0.02) == pytest.approx((0.06 + 0.02 * SPEED_M_S) / 2)
    for _ in range(20):
        width = 2 * ramp.step(width, 0.02)
    assert width == pytest.approx(0.08)


def test_blocked_fingers_are_pushed_no_further_than_their_force_needs() -> None:
    ramp = FingerRamp(0.05)
    ramp.command(0.0)
    for _ in range(100):
        finger = ramp.step(0.05, 0.02)
    assert 2 * finger == pytest.approx(0.05 - AHEAD_M)
    # So that they open at once when they are told to.
    ramp.command(0.09)
    assert 2 * ramp.step(0.05, 0.2) > 0.04


def test_a_hold_stops_free_fingers_and_keeps_a_grip() -> None:
    free = FingerRamp(0.06)
    free.command(0.0)
    free.step(0.06, 0.01)
    free.hold(0.058)
    assert 2 * free.step(0.058, 0.5) == pytest.approx(0.058)
    gripping = FingerRamp(0.04)
    gripping.command(0.0)
    gripping.step(0.04, 0.1)
    gripping.hold(0.04)
    assert 2 * gripping.step(0.04, 0.1) < 0.03


def test_time_that_goes_back_moves_nothing() -> None:
    ramp = FingerRamp(0.06)
    ramp.command(0.0)
    assert ramp.step(0.06, -5.0) == pytest.approx(0.03)
