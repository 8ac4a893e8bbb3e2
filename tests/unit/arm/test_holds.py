"""A hold from outside at any moment: nothing jumps, and the skill goes on from where the arm stands."""

from __future__ import annotations

import numpy as np
import pytest

from mmrobot.arm.embedded import arm_model
from mmrobot.arm.hand import OBSERVE_POSTURE
from mmrobot.arm.mover import GRIP_LIMIT_S, Action
from mmrobot.arm.skills import ArmSkills
from mmrobot.errors import ErrorCode, ExecutionFailedError
from mmrobot.types import PlanStep
from tests.support.fake_arm import FakeArm, run
from tests.support.fake_world import thing

PICK = PlanStep(0, "pick", target=thing("the red cube", 0.45, 0.10))
PAUSE_S = 2.5
TICK_S = 0.02
# 2.5 rad/s, the gate's limit, in one tick.
FASTEST_STEP_RAD = 2.5 * TICK_S


def make() -> tuple[ArmSkills, FakeArm]:
    arm = FakeArm()
    arm.thing_m = 0.04
    return ArmSkills(arm_model(), arm), arm


def pause(arm: FakeArm) -> None:
    """Held for a while, as by the arm server, which does not poll the skill then."""
    arm.hold()
    where = arm.positions
    arm.step(PAUSE_S)
    np.testing.assert_array_equal(arm.positions, where)
    arm.let_go_on()


def drive(action: Action, arm: FakeArm) -> None:
    for _ in action:
        arm.step()


@pytest.mark.parametrize("moment_s", np.linspace(0.03, 4.6, 16))
def test_a_pick_held_at_any_moment_succeeds_and_never_jumps(moment_s: float) -> None:
    skills, arm = make()
    skills.start(PICK)
    paused = False
    last = arm.positions
    while not (status := skills.poll()).done:
        arm.step(TICK_S)
        assert np.abs(arm.positions - last).max() < FASTEST_STEP_RAD
        last = arm.positions
        if not paused and arm.time_s >= moment_s:
            paused = True
            pause(arm)
        assert arm.time_s < 30.0, status
    assert paused and status.code is ErrorCode.NONE, status
    assert skills.held is not None
    np.testing.assert_allclose(arm.positions, OBSERVE_POSTURE, atol=0.06)


def test_every_part_of_a_pick_may_be_held() -> None:
    skills, arm = make()
    skills.start(PICK)
    ticks = 0
    while not (status := skills.poll()).done:
        arm.step(TICK_S)
        ticks += 1
        if ticks % 40 == 0:
            pause(arm)
    assert status.code is ErrorCode.NONE, status


def test_a_straight_way_goes_on_from_where_the_arm_was_pushed_to() -> None:
    skills, arm = make()
    goal = skills.mover.tcp()
    goal[2, 3] -= 0.15
    action = skills.mover.straight(goal)
    for _ in range(30):
        next(action)
        arm.step()
    arm.hold()
    arm.positions = arm.positions + 0.05  # somebody leaned on it
    arm.let_go_on()
    sent = len(arm.sent)
    next(action)
    assert np.abs(arm.sent[sent][1].positions[0] - arm.positions).max() < 0.03
    drive(action, arm)
    np.testing.assert_allclose(skills.mover.tcp()[:3, 3], goal[:3, 3], atol=0.03)


def test_nothing_is_sent_before_the_arm_rests() -> None:
    skills, arm = make()
    action = skills.mover.travel(np.array(OBSERVE_POSTURE) + 0.4)
    for _ in range(10):
        next(action)
        arm.step()
    arm.hold()
    arm.let_go_on()
    arm.velocities = np.full(6, 0.3)
    sent = len(arm.sent)
    for _ in range(5):
        next(action)
        arm.step()
    assert len(arm.sent) == sent
    arm.velocities = np.zeros(6)
    drive(action, arm)
    np.testing.assert_allclose(arm.positions, np.array(OBSERVE_POSTURE) + 0.4, atol=0.06)


def test_an_arm_that_moves_though_it_was_held_is_told() -> None:
    skills, arm = make()
    action = skills.mover.travel(np.array(OBSERVE_POSTURE) + 0.4)
    next(action)
    arm.hold()
    arm.let_go_on()
    arm.velocities = np.full(6, 0.3)
    with pytest.raises(ExecutionFailedError, match="still moves"):
        drive(action, arm)


@pytest.mark.parametrize("width_m", [0.0, 0.08])
def test_fingers_are_told_again_and_get_their_whole_time(width_m: float) -> None:
    skills, arm = make()
    arm.thing_m = 0.0
    action = skills.mover.close() if width_m == 0.0 else skills.mover.open_to(width_m)
    next(action)
    arm.step()
    arm.hold()
    # They went back, as a hand does that lets go when nobody commands it, for longer than they may take.
    arm.width_m = arm._target_m = 0.05
    arm.step(GRIP_LIMIT_S + 0.5)
    arm.let_go_on()
    drive(action, arm)
    assert arm.gripper_sent == [width_m, width_m]
    assert arm.width_m == pytest.approx(width_m, abs=0.003)


def test_a_stop_in_a_hold_ends_the_skill_for_good() -> None:
    skills, arm = make()
    skills.start(PICK)
    for _ in range(20):
        skills.poll()
        arm.step()
    arm.hold()
    skills.stop()
    arm.let_go_on()
    where, sent = arm.positions, len(arm.sent)
    status = run(skills, arm)
    arm.step(0.5)
    assert status.code is ErrorCode.STOPPED
    assert len(arm.sent) == sent
    np.testing.assert_array_equal(arm.positions, where)
