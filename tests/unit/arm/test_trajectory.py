from __future__ import annotations

import numpy as np
import pytest

from mmrobot.arm.embedded import arm_model
from mmrobot.arm.hand import OBSERVE_POSTURE, top_down
from mmrobot.arm.kinematics import ArmKinematics
from mmrobot.arm.path import JointPath, hand_line, joint_line
from mmrobot.arm.trajectory import MotionLimits, TimedMotion, TimeScaling, hold_trajectory
from mmrobot.errors import UnreachableError
from mmrobot.simulator.spline import HermiteSpline

LIMITS = MotionLimits(joint_speed_rad_s=1.8, joint_acceleration_rad_s2=6.0, hand_speed_m_s=1.0)
HOME = np.array(OBSERVE_POSTURE)


@pytest.fixture(scope="module")
def kinematics() -> ArmKinematics:
    return ArmKinematics(arm_model())


def motions(kinematics: ArmKinematics) -> list[TimedMotion]:
    rng = np.random.default_rng(5)
    found = []
    for _ in range(6):
        x, y, z = rng.uniform((0.27, -0.33, 0.15), (0.63, 0.33, 0.25))
        above = kinematics.solve(top_down(x, y, z, rng.uniform(-1.5, 1.5)), HOME)
        found.append(TimedMotion(joint_line(HOME, above), kinematics, LIMITS))
        down = kinematics.forward(above)
        down[2, 3] -= 0.12
        found.append(TimedMotion(hand_line(kinematics, above, down), kinematics, LIMITS))
    return found


def test_limits_are_kept_and_ends_are_at_rest(kinematics: ArmKinematics) -> None:
    for motion in motions(kinematics):
        times = np.arange(0.0, motion.duration_s, 0.002)
        positions = np.array([motion.at(t)[0] for t in times])
        velocities = np.array([motion.at(t)[1] for t in times])
        hand = np.array([kinematics.forward(q)[:3, 3] for q in positions])
        assert np.abs(velocities).max() <= LIMITS.joint_speed_rad_s + 1e-6
        assert np.abs(np.diff(velocities, axis=0) / 0.002).max() <= 1.15 * LIMITS.joint_acceleration_rad_s2
        assert np.linalg.norm(np.diff(hand, axis=0), axis=1).max() / 0.002 <= 1.03 * LIMITS.hand_speed_m_s
        np.testing.assert_allclose(np.diff(positions, axis=0) / 0.002, velocities[:-1], atol=0.02)
        for t in (0.0, motion.duration_s):
            np.testing.assert_allclose(motion.at(t)[1], 0.0, atol=1e-9)
        np.testing.assert_allclose(motion.at(motion.duration_s)[0], motion.path.end, atol=1e-9)


def test_motions_are_quick(kinematics: ArmKinematics) -> None:
    """At least one limit is nearly reached: no time is given away."""
    for motion in motions(kinematics)[::2]:
        assert motion.duration_s < 2.4


def test_hand_line_is_straight(kinematics: ArmKinematics) -> None:
    start = kinematics.solve(top_down(0.5, 0.1, 0.2, 0.4), HOME)
    goal = kinematics.forward(start)
    goal[:3, 3] += (0.0, 0.0, -0.15)
    path = hand_line(kinematics, start, goal)
    for s in np.linspace(0, 1, 40):
        pose = kinematics.forward(path.at(s))
        np.testing.assert_allclose(pose[:2, 3], goal[:2, 3], atol=5e-4)
        np.testing.assert_allclose(pose[:3, :3], goal[:3, :3], atol=4e-3)


def test_hand_line_out_of_reach_is_refused(kinematics: ArmKinematics) -> None:
    start = kinematics.solve(top_down(0.6, 0.3, 0.2, 0.0), HOME)
    goal = kinematics.forward(start)
    goal[2, 3] = 1.2
    with pytest.raises(UnreachableError):
        hand_line(kinematics, start, goal)


def test_vertical_hand_stays_vertical_between_postures(kinematics: ArmKinematics) -> None:
    goal = kinematics.solve(top_down(0.6, 0.3, 0.15, 1.0), HOME)
    for s in np.linspace(0, 1, 20):
        pose = kinematics.forward(joint_line(HOME, goal).at(s))
        np.testing.assert_allclose(pose[:3, 2], [0, 0, -1], atol=5e-3)


def test_windows_join_to_the_whole_motion(kinematics: ArmKinematics) -> None:
    """Replaced in time, the windows' driven parts are the motion; none is too long, all end at rest."""
    for motion in motions(kinematics)[:4]:
        for start in np.arange(0.0, motion.duration_s, 0.037):
            window, reached = motion.window(start, 0.3, 0.2)
            assert window.times_s[0] > 0 and window.times_s[-1] <= 0.3 + 1e-9
            np.testing.assert_allclose(window.velocities[-1], 0.0, atol=1e-6)
            np.testing.assert_allclose(window.positions[-1], motion.path.at(reached), atol=1e-6)
            now_q, now_v = motion.at(start)
            spline = HermiteSpline(
                np.concatenate([[0.0], window.times_s]), np.vstack([now_q, window.positions]),
                np.vstack([now_v, window.velocities]),
            )
            for t in (0.02, 0.05, 0.1):
                if start + t < motion.duration_s:
                    np.testing.assert_allclose(spline.at(t)[0], motion.at(start + t)[0], atol=1e-3)
            assert 0 <= reached <= 1


def test_resumed_goes_on_from_rest_to_the_same_end(kinematics: ArmKinematics) -> None:
    motion = motions(kinematics)[0]
    rest = motion.resumed(0.4)
    np.testing.assert_allclose(rest.at(0.0)[0], motion.path.at(0.4))
    np.testing.assert_allclose(rest.at(rest.duration_s)[0], motion.path.end)
    assert 0 < rest.duration_s < motion.duration_s


def test_a_motion_to_where_the_arm_is_takes_no_time(kinematics: ArmKinematics) -> None:
    motion = TimedMotion(joint_line(HOME, HOME), kinematics, LIMITS)
    assert motion.duration_s == 0.0
    window, reached = motion.window(0.0, 0.3, 0.2)
    assert reached == 1.0
    np.testing.assert_allclose(window.positions, [HOME])


def test_whole_trajectory_is_sampled_evenly(kinematics: ArmKinematics) -> None:
    motion = motions(kinematics)[0]
    trajectory = motion.trajectory(0.04)
    assert np.diff(trajectory.times_s).max() <= 0.04 + 1e-9
    np.testing.assert_allclose(trajectory.positions[-1], motion.path.end)


def test_hold_ends_at_rest_where_a_brake_takes_it() -> None:
    held = hold_trajectory(HOME, np.full(6, 1.0), 0.06)
    assert held.times_s.tolist() == [0.06]
    np.testing.assert_allclose(held.positions[0], HOME + 0.03)
    np.testing.assert_allclose(held.velocities, 0.0)


SCALINGS = [(1.0, 0.5, 2.0), (0.1, 5.0, 2.0), (1e-6, 1.0, 1.0)]


@pytest.mark.parametrize(("length", "speed", "acceleration"), SCALINGS)
def test_time_scaling(length: float, speed: float, acceleration: float) -> None:
    scaling = TimeScaling(length, speed, acceleration)
    times = np.linspace(0, scaling.duration_s, 4001)
    s, rate = (np.array(v) for v in zip(*[scaling.at(t) for t in times], strict=True))
    assert s[-1] == pytest.approx(length) and (np.diff(s) >= -1e-12).all()
    assert rate.max() <= speed + 1e-9
    assert np.abs(np.diff(rate) / np.diff(times)).max() <= acceleration * 1.001


@pytest.mark.parametrize("bad", [(0.0, 1.0, 1.0), (1.0, -1.0, 1.0), (1.0, 1.0, 0.0)])
def test_limits_must_be_positive(bad: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError, match="positive"):
        MotionLimits(*bad)


def test_a_path_needs_two_waypoints() -> None:
    with pytest.raises(ValueError, match="waypoints"):
        JointPath(np.zeros((1, 6)))
