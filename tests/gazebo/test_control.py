"""The arm under the generator's gains, by the laws of Harmonic's controllers, in Gazebo's physics."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from mmrobot.arm.hand import ARM_JOINTS, OBSERVE_POSTURE
from mmrobot.simulator.gazebo.homing import home_trajectory
from mmrobot.tabletop.scene import Scene
from tests.gazebo.server import GazeboError, GazeboServer

pytestmark = [pytest.mark.gazebo, pytest.mark.timeout(900)]

FOLLOWS_RAD = 0.06
STOPPED_RAD_S = 0.05


@pytest.fixture(scope="module")
def server(gazebo_root: Path) -> Iterator[GazeboServer]:
    with GazeboServer(gazebo_root, Scene()) as running:
        yield running


def go(server: GazeboServer, goal: np.ndarray) -> float:
    """Starts a motion to a posture; the simulated time of its beginning."""
    at = np.array([server.state["joints"][n][0] for n in ARM_JOINTS])
    motion = home_trajectory(ARM_JOINTS, at, goal)
    points = zip(motion.times_s, motion.positions, motion.velocities, strict=True)
    began = server.state["t"]
    server.send_trajectory(ARM_JOINTS, [(t, list(p), list(v)) for t, p, v in points])
    return float(began)


def speed(server: GazeboServer) -> float:
    return max(abs(server.state["joints"][n][1]) for n in ARM_JOINTS)


def test_the_arm_follows_and_arrives_without_shaking(server: GazeboServer) -> None:
    motion = home_trajectory(ARM_JOINTS, np.zeros(6), np.array(OBSERVE_POSTURE))
    seen: list[tuple[float, list[float]]] = []
    server.on_state = lambda s: seen.append((s["t"], [s["joints"][n][0] for n in ARM_JOINTS]))
    began = go(server, np.array(OBSERVE_POSTURE))
    server.wait(lambda: server.state["t"] > began + 4.0, 60.0)
    server.on_state = lambda _: None
    times, positions = np.array([t for t, _ in seen]) - began, np.array([p for _, p in seen])
    wanted = np.array([np.interp(times, motion.times_s, motion.positions[:, j]) for j in range(6)]).T
    lag, left = np.abs(positions - wanted).max(), np.abs(positions[-1] - OBSERVE_POSTURE).max()
    print(f"lag at most {lag:.4f} rad, at rest {left:.4f} rad from the goal")
    assert lag < FOLLOWS_RAD
    assert positions[-1] == pytest.approx(OBSERVE_POSTURE, abs=0.003)
    assert positions[-20:].std(axis=0).max() < 1e-4
    assert speed(server) < 0.005


def test_stand_still_stops_it_within_half_a_second(server: GazeboServer) -> None:
    began = go(server, np.array([-0.6, 0.3, 1.2, 0.2, 0.8, -0.3]))
    server.wait(lambda: server.state["t"] > began + 1.5, 30.0)
    assert speed(server) > 0.2
    told = server.state["t"]
    # As TopicArmPort.halt: one point where the arm is, without speed, due at once.
    here = [server.state["joints"][n][0] for n in ARM_JOINTS]
    server.send_trajectory(ARM_JOINTS, [(0.0, here, [0.0] * 6)])
    server.wait(lambda: speed(server) < STOPPED_RAD_S, 20.0)
    assert server.state["t"] - told < 0.5
    server.wait(lambda: server.state["t"] > told + 1.0, 20.0)
    assert speed(server) < STOPPED_RAD_S
    still = [server.state["joints"][n][0] for n in ARM_JOINTS]
    assert still == pytest.approx(here, abs=0.03)


def test_gazebos_end_is_noticed_with_its_last_words(gazebo_root: Path) -> None:
    with GazeboServer(gazebo_root, Scene()) as running:
        running.check()
        running._process.kill()
        running._process.wait()
        with pytest.raises(GazeboError, match="Gazebo ended with status"):
            running.check()
