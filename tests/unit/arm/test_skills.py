from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mmrobot.arm.embedded import arm_model
from mmrobot.arm.hand import OBSERVE_POSTURE
from mmrobot.arm.port import arm_state
from mmrobot.arm.skills import ArmSkills
from mmrobot.config import Config
from mmrobot.errors import ErrorCode, RobotUnavailableError
from mmrobot.types import GroundedObject, PlanStep
from tests.support.fake_arm import FakeArm, run
from tests.support.fake_world import thing

CUBE = thing("the red cube", 0.45, 0.10)
BOWL = thing("the blue bowl", 0.50, -0.15, (0.16, 0.16, 0.055), surface=0.006)


def make() -> tuple[ArmSkills, FakeArm]:
    arm = FakeArm()
    return ArmSkills(arm_model(), arm), arm


def pick(target: GroundedObject = CUBE, obstacles: tuple[GroundedObject, ...] = ()) -> PlanStep:
    return PlanStep(0, "pick", target=target, obstacles=obstacles)


def place(goal: tuple[float, float, float] = (0.50, -0.15, 0.006)) -> PlanStep:
    return PlanStep(1, "place", target=CUBE, relation="in", reference=BOWL, goal_position_m=goal)


def holding() -> tuple[ArmSkills, FakeArm]:
    skills, arm = make()
    arm.thing_m = 0.04
    skills.start(pick())
    assert run(skills, arm).code is ErrorCode.NONE
    return skills, arm


def test_pick_takes_hold_and_ends_in_the_observe_posture() -> None:
    skills, arm = make()
    arm.thing_m = 0.04
    phases: list[str] = []
    lowest = 1.0
    progress = [0.0]
    skills.start(pick(obstacles=(BOWL,)))
    while not (status := skills.poll()).done:
        if not phases or phases[-1] != status.phase:
            phases.append(status.phase)
        progress.append(status.progress)
        arm.step()
        lowest = min(lowest, skills.kinematics.forward(arm.positions)[2, 3])
    assert status.code is ErrorCode.NONE and status.progress == 1.0
    assert phases == ["approach", "descend", "close", "lift", "observe"]
    assert (np.diff(progress) >= 0).all()
    assert lowest == pytest.approx(0.020, abs=0.002)
    np.testing.assert_allclose(arm.positions, OBSERVE_POSTURE, atol=0.06)
    assert skills.held is not None and skills.held.width_m == pytest.approx(0.04)
    assert arm.time_s < 6.0


def test_place_lets_go_over_the_goal_and_comes_back() -> None:
    skills, arm = holding()
    arm.sent.clear()
    skills.start(place())
    opened_at = None
    while not (status := skills.poll()).done:
        arm.step()
        if opened_at is None and arm.gripper_sent[-1] > 0.0:
            opened_at = skills.kinematics.forward(arm.positions)[:3, 3]
    assert status.code is ErrorCode.NONE and skills.held is None
    np.testing.assert_allclose(opened_at, (0.50, -0.15, 0.006 + 0.020 + 0.004), atol=2e-3)
    np.testing.assert_allclose(arm.positions, OBSERVE_POSTURE, atol=0.06)


def test_what_was_located_roughly_is_approached_slowly() -> None:
    times = []
    for sigma_m in (0.002, 0.012):
        skills, arm = make()
        arm.thing_m = 0.04
        skills.start(pick(replace(CUBE, covariance=np.eye(3) * sigma_m**2)))
        while (status := skills.poll()).phase != "descend" and not status.done:
            arm.step()
        began_s = arm.time_s
        while (status := skills.poll()).phase == "descend":
            arm.step()
        times.append(arm.time_s - began_s)
    assert times[1] > 1.1 * times[0]


def test_no_window_reaches_further_than_the_configured_time() -> None:
    _, arm = holding()
    longest = Config().motion.window_s
    for _, window in arm.sent:
        assert window.times_s[-1] <= longest + 1e-9
        np.testing.assert_allclose(window.velocities[-1], 0.0, atol=1e-6)


def test_a_dead_server_leaves_the_arm_at_rest_within_a_window() -> None:
    for kill_s in (0.3, 0.7, 1.1, 1.9, 2.4):
        skills, arm = make()
        skills.start(pick())
        while arm.time_s < kill_s:
            skills.poll()
            arm.step()
        for _ in range(16):
            arm.step()
        np.testing.assert_allclose(arm.velocities, 0.0, atol=1e-9)


def test_late_polls_pause_the_motion_and_go_on_smoothly() -> None:
    skills, arm = make()
    arm.thing_m = 0.04
    skills.start(pick())
    rng = np.random.default_rng(1)
    last = arm.positions
    polls = 0
    while not (status := skills.poll()).done:
        polls += 1
        for _ in range(40 if rng.random() < 0.1 else 1):
            arm.step(0.01)
            # 2.3 rad/s at most: no jump to make up for the time lost.
            assert np.abs(arm.positions - last).max() < 0.023
            last = arm.positions
    assert status.code is ErrorCode.NONE and polls > 100


@pytest.mark.parametrize("moment_s", np.linspace(0.1, 4.5, 12))
def test_stop_commands_rest_at_once_and_drops_the_skill(moment_s: float) -> None:
    skills, arm = make()
    arm.thing_m = 0.04
    skills.start(pick())
    while arm.time_s < moment_s:
        skills.poll()
        arm.step()
    skills.stop()
    assert arm.sent[-1][0] == arm.time_s
    assert arm.sent[-1][1].times_s[-1] < 0.1
    for _ in range(5):
        arm.step()
    np.testing.assert_allclose(arm.velocities, 0.0, atol=1e-9)
    where = arm.positions
    status = skills.poll()
    arm.step(0.5)
    assert status.done and status.code is ErrorCode.STOPPED
    np.testing.assert_allclose(arm.positions, where)


def test_stop_when_idle_and_twice_is_harmless() -> None:
    skills, arm = make()
    skills.stop()
    skills.stop()
    assert skills.poll().done and skills.poll().code is ErrorCode.NONE
    np.testing.assert_allclose(arm.positions, OBSERVE_POSTURE)


def test_a_skill_after_a_stop_rises_first() -> None:
    skills, arm = make()
    skills.start(pick())
    while skills.poll().phase != "close":
        arm.step()
    skills.stop()
    arm.step(0.2)
    skills.start(PlanStep(0, "home", obstacles=(BOWL,)))
    assert skills.poll().phase == "rise"
    start = skills.kinematics.forward(arm.positions)[:3, 3]
    while skills.poll().phase == "rise":
        arm.step()
        here = skills.kinematics.forward(arm.positions)[:3, 3]
        np.testing.assert_allclose(here[:2], start[:2], atol=2e-3)
    assert here[2] > BOWL.top_z_m + 0.03
    assert run(skills, arm).code is ErrorCode.NONE


def test_nothing_between_the_fingers_is_tried_at_another_turn_then_deeper() -> None:
    skills, arm = make()
    closings: list[np.ndarray] = []
    skills.start(pick())
    while not (status := skills.poll()).done:
        if status.phase == "close" and len(closings) < arm.gripper_sent.count(0.0):
            closings.append(skills.kinematics.forward(arm.positions))
        arm.step()
    assert status.code is ErrorCode.GRASP_FAILED
    assert "3 times" in status.message and "the red cube" in status.message
    first, turned, deeper = closings
    assert abs(first[:3, 1] @ turned[:3, 1]) < 0.1
    assert turned[2, 3] == pytest.approx(first[2, 3], abs=1e-3)
    assert abs(first[:3, 1] @ deeper[:3, 1]) > 0.99
    assert deeper[2, 3] == pytest.approx(first[2, 3] - 0.004, abs=1e-3)
    assert skills.held is None
    np.testing.assert_allclose(arm.positions, OBSERVE_POSTURE, atol=0.06)


@pytest.mark.parametrize(("width_m", "grip_n"), [(0.012, float("nan")), (0.04, 0.3)])
def test_a_hand_that_feels_another_thing_than_was_seen_holds_nothing(width_m: float, grip_n: float) -> None:
    """Much narrower than the cube, or apart without force."""
    skills, arm = make()
    arm.thing_m, arm.grip_n = width_m, grip_n
    skills.start(pick())
    assert run(skills, arm).code is ErrorCode.GRASP_FAILED
    assert skills.held is None


def test_a_grip_without_force_is_no_grip_before_a_place() -> None:
    skills, arm = holding()
    arm.grip_n = 0.3
    skills.start(place())
    status = run(skills, arm)
    assert status.code is ErrorCode.GRASP_FAILED and "does not hold" in status.message


def test_pick_with_a_full_hand_is_refused_without_motion() -> None:
    skills, arm = holding()
    arm.sent.clear()
    skills.start(pick())
    status = skills.poll()
    assert status.done and status.code is ErrorCode.EXECUTION_FAILED
    assert "already holds 'the red cube'" in status.message
    assert arm.sent == []


def test_pick_after_the_thing_was_taken_away_works() -> None:
    skills, arm = holding()
    arm.thing_m = 0.0
    arm.step(0.5)
    arm.thing_m = 0.04
    skills.start(pick())
    assert run(skills, arm).code is ErrorCode.NONE


def test_a_thing_lost_on_the_way_is_said_and_the_arm_comes_home() -> None:
    skills, arm = holding()
    skills.start(place())
    while skills.poll().phase != "carry":
        arm.step()
    arm.step()
    arm.thing_m = 0.0
    status = run(skills, arm)
    assert status.code is ErrorCode.GRASP_FAILED and "slipped" in status.message
    assert skills.held is None
    np.testing.assert_allclose(arm.positions, OBSERVE_POSTURE, atol=0.06)


def test_place_with_an_empty_hand_is_refused() -> None:
    skills, arm = make()
    skills.start(place())
    status = skills.poll()
    assert status.code is ErrorCode.GRASP_FAILED and "the red cube" in status.message and arm.sent == []


def test_a_blocked_arm_is_noticed_and_held() -> None:
    skills, arm = make()
    skills.start(pick())
    for _ in range(10):
        skills.poll()
        arm.step()
    arm.blocked = True
    arm.velocities = np.zeros(6)
    status = run(skills, arm)
    assert status.code is ErrorCode.EXECUTION_FAILED and "shoulder_pan_joint" in status.message
    np.testing.assert_allclose(arm.sent[-1][1].positions[-1], arm.positions, atol=0.01)


def test_no_joint_states_is_said() -> None:
    skills, arm = make()
    arm.silent = True
    skills.start(pick())
    status = skills.poll()
    assert status.code is ErrorCode.ROBOT_UNAVAILABLE
    skills.stop()
    assert arm.sent == []


def test_old_joint_states_are_not_trusted() -> None:
    skills, arm = make()
    skills.start(pick())
    skills.poll()
    frozen = arm.state()
    arm.state = lambda: frozen  # type: ignore[method-assign]
    arm.time_s += 2.0
    assert skills.poll().code is ErrorCode.ROBOT_UNAVAILABLE


def test_unknown_skill_and_missing_arguments() -> None:
    skills, _ = make()
    skills.start(PlanStep(0, "dance"))
    assert skills.poll().code is ErrorCode.SKILL_UNKNOWN
    skills.start(PlanStep(0, "pick"))
    assert skills.poll().code is ErrorCode.EXECUTION_FAILED
    skills.start(PlanStep(0, "place", target=CUBE))
    assert skills.poll().code is ErrorCode.EXECUTION_FAILED


def test_say_is_done_at_once() -> None:
    skills, arm = make()
    skills.start(PlanStep(0, "say", text="hello"))
    assert skills.poll().done and skills.poll().code is ErrorCode.NONE and arm.sent == []


FAR = thing("far cube", 1.1, 0.0)
WIDE = thing("wide box", 0.45, 0.0, (0.12, 0.11, 0.05))


@pytest.mark.parametrize("far", [FAR, WIDE])
def test_unreachable_things_are_refused_and_the_arm_is_home(far: GroundedObject) -> None:
    skills, arm = make()
    skills.start(pick(far))
    status = run(skills, arm)
    assert status.code is ErrorCode.UNREACHABLE
    np.testing.assert_allclose(arm.positions, OBSERVE_POSTURE, atol=0.06)


def test_a_new_start_stops_the_old_skill() -> None:
    skills, arm = make()
    skills.start(pick())
    for _ in range(20):
        skills.poll()
        arm.step()
    skills.start(PlanStep(0, "home"))
    assert run(skills, arm).code is ErrorCode.NONE
    np.testing.assert_allclose(arm.positions, OBSERVE_POSTURE, atol=0.06)


def test_speed_scale_slows_down_and_is_checked() -> None:
    arm = FakeArm()
    skills = ArmSkills(arm_model(), arm, speed_scale=0.5)
    arm.thing_m = 0.04
    skills.start(pick())
    assert run(skills, arm).code is ErrorCode.NONE and arm.time_s > 6.5
    with pytest.raises(ValueError, match="speed_scale"):
        ArmSkills(arm_model(), FakeArm(), speed_scale=0.0)


def test_joint_states_lacking_a_joint_are_refused() -> None:
    with pytest.raises(RobotUnavailableError, match="elbow_joint"):
        arm_state(["shoulder_pan_joint"], [0.0], [], [], 0.0)


def test_the_gate_stops_a_motion_that_breaks_a_rule() -> None:
    """A bound below what the motion needs: the first window is refused, the arm held, the rule named."""
    config = Config()
    slow = config.gate.model_copy(update={"max_joint_speed_rad_s": 0.05})
    strict = config.model_copy(update={"gate": slow})
    arm = FakeArm()
    skills = ArmSkills(arm_model(), arm, strict)
    start = arm.positions.copy()
    skills.start(pick())
    status = run(skills, arm)
    assert status.code is ErrorCode.UNSAFE
    assert "0.05" in status.message
    np.testing.assert_allclose(arm.positions, start, atol=0.02)
