"""The companion's callbacks, without Gazebo: frames, fingers, the way home once, and what it refuses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import rclpy
from sensor_msgs.msg import JointState
from std_msgs.msg import Float64, Header
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from mmrobot.arm.hand import ARM_JOINTS, GRIPPER_JOINTS, OBSERVE_POSTURE
from mmrobot.ros.gazebo_companion_node import GazeboCompanionNode
from mmrobot.ros.messages import from_duration, to_time


class Out:
    """Takes a publisher's place and keeps what is published; `heard_by` subscribers."""

    def __init__(self, heard_by: int = 2) -> None:
        self.sent: list[Any] = []
        self.heard_by = heard_by

    def publish(self, message: Any) -> None:
        self.sent.append(message)

    def get_subscription_count(self) -> int:
        return self.heard_by


@pytest.fixture
def node() -> Iterator[GazeboCompanionNode]:
    rclpy.init()
    made = GazeboCompanionNode()
    made._tf_out, made._fingers_out, made._trajectory_out = Out(), Out(), Out()
    # The fingers' timer would run in an executor only, and there is none.
    yield made
    made.close()
    made.destroy_node()
    rclpy.try_shutdown()


def state(time_s: float, arm: Any = (0.0,) * 6, finger_m: float = 0.03) -> JointState:
    return JointState(
        header=Header(stamp=to_time(round(time_s * 1e9))),
        name=[*ARM_JOINTS, *GRIPPER_JOINTS],
        position=[*(float(v) for v in arm), finger_m, finger_m],
    )


def test_frames_come_from_joint_states_twenty_times_a_second(node: GazeboCompanionNode) -> None:
    for i in range(11):
        node._take_state(state(1.0 + 0.01 * i))
    assert len(node._tf_out.sent) == 3
    frames = {t.child_frame_id: t for t in node._tf_out.sent[0].transforms}
    assert {"shoulder_link", "tcp", "gripper_left_finger"} <= set(frames)
    assert frames["upper_arm_link"].header.frame_id == "shoulder_link"


def test_the_arm_goes_home_once_and_whoever_moves_it_first_has_it(node: GazeboCompanionNode) -> None:
    node._take_state(state(1.0))
    node._take_state(state(1.5))
    assert len(node._trajectory_out.sent) == 1
    assert node._trajectory_out.sent[0].points[-1].positions == pytest.approx(OBSERVE_POSTURE)
    node._take_state(state(2.1))
    assert len(node._trajectory_out.sent) == 2, "nobody moved it: the command was not heard"
    node._take_state(state(2.2, np.full(6, 0.3)))
    node._take_state(state(9.0))
    assert len(node._trajectory_out.sent) == 2, "it was moved, and is somebody else's now"


def test_after_a_stop_no_way_home_is_said_again(node: GazeboCompanionNode) -> None:
    node._take_state(state(1.0))
    node._see_trajectory(node._trajectory_out.sent[0])
    still = JointTrajectoryPoint(positions=[0.01] * 6, velocities=[0.0] * 6)
    node._see_trajectory(JointTrajectory(joint_names=list(ARM_JOINTS), points=[still]))
    node._take_state(state(5.0))
    assert len(node._trajectory_out.sent) == 1


def test_nothing_is_said_while_only_the_node_itself_hears(node: GazeboCompanionNode) -> None:
    node._trajectory_out.heard_by = 1
    node._take_state(state(1.0))
    assert not node._trajectory_out.sent


def test_an_opening_becomes_the_position_of_each_finger(node: GazeboCompanionNode) -> None:
    node._take_state(state(1.0))
    node._take_gripper(Float64(data=0.08))
    for i in range(30):
        at = node._fingers_out.sent[-1].data if node._fingers_out.sent else 0.03
        node._take_state(state(1.02 + 0.02 * i, finger_m=at))
        node._move_fingers()
    assert node._fingers_out.sent[0].data == pytest.approx(0.0315)
    assert node._fingers_out.sent[-1].data == pytest.approx(0.04)


def test_fingers_wait_while_simulated_time_stands_still(node: GazeboCompanionNode) -> None:
    node._move_fingers()
    node._take_state(state(1.0))
    node._move_fingers()
    assert not node._fingers_out.sent


@pytest.mark.parametrize("width_m", [-0.01, 0.2, float("nan")])
def test_an_opening_that_is_none_is_refused(node: GazeboCompanionNode, width_m: float) -> None:
    node._take_state(state(1.0))
    node._take_gripper(Float64(data=width_m))
    node._take_state(state(1.5))
    node._move_fingers()
    assert node._fingers_out.sent[-1].data == pytest.approx(0.03)


def test_standing_still_holds_the_fingers_too(node: GazeboCompanionNode) -> None:
    node._take_state(state(1.0))
    node._take_gripper(Float64(data=0.0))
    still = JointTrajectoryPoint(positions=[0.0] * 6, velocities=[0.0] * 6)
    assert from_duration(still.time_from_start) == 0.0
    node._see_trajectory(JointTrajectory(joint_names=list(ARM_JOINTS), points=[still]))
    node._take_state(state(1.5))
    node._move_fingers()
    assert node._fingers_out.sent[-1].data == pytest.approx(0.03)


def test_joint_states_of_another_robot_are_left_alone(node: GazeboCompanionNode) -> None:
    node._take_state(JointState(name=["wheel"], position=[1.0]))
    node._move_fingers()
    assert not node._tf_out.sent and not node._fingers_out.sent and not node._trajectory_out.sent
