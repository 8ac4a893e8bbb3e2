"""The arm follows, replaces, holds and refuses. Physics only, no pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest

from mmrobot.errors import ExecutionFailedError, UnsupportedSdfError
from mmrobot.simulator.controllers import ArmJoints
from mmrobot.simulator.simulator import Simulator
from mmrobot.types import JointTrajectory


@pytest.fixture
def sim() -> Iterator[Simulator]:
    with Simulator() as simulator:
        yield simulator


def _to(sim: Simulator, turn: float, seconds: float) -> JointTrajectory:
    """All joints by the same angle, from rest to rest."""
    start = sim.arm.commanded_position
    positions = np.stack([start, start + turn])
    return JointTrajectory(sim.arm.names, np.array([0.0, seconds]), positions, np.zeros_like(positions))


def _arm(sim: Simulator) -> np.ndarray:
    return sim.joint_state().positions[:6]


def test_it_tracks_within_half_a_degree_and_arrives(sim: Simulator) -> None:
    trajectory = _to(sim, 0.4, 1.0)
    sim.command_trajectory(trajectory)
    worst = 0.0
    for _ in range(60):
        sim.step(0.02)
        worst = max(worst, float(np.abs(_arm(sim) - sim.arm.commanded_position).max()))
    assert worst < np.radians(0.5)
    assert np.abs(_arm(sim) - trajectory.positions[-1]).max() < 0.002
    assert not sim.arm.moving


def test_it_holds_against_gravity_within_a_milliradian(sim: Simulator) -> None:
    before = _arm(sim)
    sim.step(2.0)
    assert np.abs(_arm(sim) - before).max() < 0.001


def test_efforts_stay_within_the_sdfs_limits_and_show_gravity(sim: Simulator) -> None:
    limits = np.array([120, 120, 80, 25, 25, 12])
    assert np.abs(sim.joint_state().efforts[1]) > 5
    # Far more than the motors can give.
    sim.command_trajectory(_to(sim, 0.8, 0.05))
    seen = np.zeros(6)
    for _ in range(100):
        sim.step(0.002)
        seen = np.maximum(seen, np.abs(sim.joint_state().efforts[:6]))
    assert (seen <= limits + 1e-9).all()
    assert (seen > limits * 0.99).any()


def test_hold_makes_the_commanded_velocity_zero_at_once_and_the_arm_stops(sim: Simulator) -> None:
    sim.command_trajectory(_to(sim, 0.5, 1.0))
    sim.step(0.5)
    assert np.abs(sim.commanded_velocity).max() > 0.3
    sim.hold()
    assert np.array_equal(sim.commanded_velocity, np.zeros(6))
    sim.step(sim.timestep_s)
    assert np.array_equal(sim.commanded_velocity, np.zeros(6))
    sim.step(0.3)
    assert np.abs(sim.joint_state().velocities).max() < 0.01


def test_a_new_trajectory_replaces_the_running_one_smoothly(sim: Simulator) -> None:
    sim.command_trajectory(_to(sim, 0.5, 1.0))
    sim.step(0.5)
    position, velocity = sim.arm.commanded_position, sim.commanded_velocity
    goal = position + 0.1
    # No point at time 0: it begins where the arm is commanded to be now.
    sim.command_trajectory(JointTrajectory(sim.arm.names, np.array([0.8]), goal[None], np.zeros((1, 6))))
    sim.step(sim.timestep_s)
    assert np.abs(sim.commanded_velocity - velocity).max() < 0.05
    sim.step(1.2)
    assert np.abs(_arm(sim) - goal).max() < 0.002


def test_joints_may_come_in_any_order(sim: Simulator) -> None:
    plain = _to(sim, 0.2, 0.5)
    order = [5, 3, 1, 0, 2, 4]
    names = tuple(plain.joint_names[i] for i in order)
    positions = plain.positions.copy()
    positions[-1, 0] += 0.1
    sim.command_trajectory(JointTrajectory(names, plain.times_s, positions[:, order], plain.velocities))
    sim.step(0.8)
    assert np.abs(_arm(sim) - positions[-1]).max() < 0.002


def _without_a_joint(sim: Simulator) -> JointTrajectory:
    t = _to(sim, 0.1, 1.0)
    return JointTrajectory(t.joint_names[:5], t.times_s, t.positions[:, :5], t.velocities[:, :5])


def _beyond_a_limit(sim: Simulator) -> JointTrajectory:
    t = _to(sim, 0.1, 1.0)
    positions = t.positions.copy()
    positions[1, 2] = 5.0
    return JointTrajectory(t.joint_names, t.times_s, positions, t.velocities)


def _jumping(sim: Simulator) -> JointTrajectory:
    t = _to(sim, 0.1, 1.0)
    return JointTrajectory(t.joint_names, t.times_s, t.positions - 0.5, t.velocities)


def _in_the_past(sim: Simulator) -> JointTrajectory:
    t = _to(sim, 0.1, 1.0)
    return JointTrajectory(t.joint_names, t.times_s - 0.5, t.positions, t.velocities)


def _empty(sim: Simulator) -> JointTrajectory:
    return JointTrajectory(sim.arm.names, np.zeros(0), np.zeros((0, 6)), np.zeros((0, 6)))


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (_without_a_joint, "joints"),
        (_beyond_a_limit, "elbow_joint to 5.000"),
        (_jumping, "starts with"),
        (_in_the_past, "times"),
        (_empty, "times"),
    ],
)
def test_bad_trajectories_are_refused_and_change_nothing(
    sim: Simulator, make: Callable[[Simulator], JointTrajectory], told: str
) -> None:
    with pytest.raises(ExecutionFailedError, match=told) as error:
        sim.command_trajectory(make(sim))
    assert error.value.fix
    before = _arm(sim)
    sim.step(0.2)
    assert np.abs(_arm(sim) - before).max() < 0.001


def test_the_gripper_opens_and_closes_to_a_width(sim: Simulator) -> None:
    for width in (0.09, 0.0, 0.045):
        sim.command_gripper(width)
        sim.step(1.0)
        assert sim.gripper.width_m == pytest.approx(width, abs=0.001)
        left, right = sim.joint_state().positions[6:]
        assert abs(left - right) < 1e-4


@pytest.mark.parametrize("width", [-0.01, 0.2, float("nan")])
def test_widths_that_the_gripper_lacks_are_refused(sim: Simulator, width: float) -> None:
    with pytest.raises(ExecutionFailedError, match="gripper width"):
        sim.command_gripper(width)


def test_hold_stops_an_opening_gripper(sim: Simulator) -> None:
    sim.command_gripper(0.09)
    sim.step(0.1)
    sim.hold()
    width = sim.gripper.width_m
    sim.step(0.5)
    assert sim.gripper.width_m == pytest.approx(width, abs=0.003)


def test_a_robot_without_fingers_is_refused() -> None:
    with pytest.raises(UnsupportedSdfError, match="0 commanded fingers"):
        ArmJoints.of([])
