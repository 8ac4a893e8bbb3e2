"""The runner's states, one by one, with a robot and a looker that do as they are told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mmrobot.config import Config, config_from_dict
from mmrobot.errors import BusyError, ErrorCode
from mmrobot.execution.events import EventKind, RunnerState
from mmrobot.execution.robot import LookResult, SkillStatus
from mmrobot.execution.runner import Runner
from mmrobot.safety.gate import SafetyGate
from mmrobot.types import ActionPlan, PlanStep
from tests.support.fake_robot import FakeLooker, FakeRobot, failed
from tests.support.fake_world import bowl, thing

RED = thing("red cube", 0.40, 0.20)
BOWL = bowl("bowl", 0.50, -0.18)
PICK = PlanStep(0, "pick", RED)
PLACE = PlanStep(1, "place", RED, "in", BOWL, (0.50, -0.18, 0.006))
PLAN = ActionPlan("p", "put the red cube in the bowl", (PICK, PLACE), 0, "m")


class Bench:
    """A runner with its fakes and a clock."""

    def __init__(self, see=None, robot=None, config=None, polls=1):
        self.now_s = 0.0
        self.robot = robot or FakeRobot()
        self.looker = FakeLooker(see or self.as_planned, polls)
        self.runner = Runner(self.robot, self.looker, SafetyGate(config), config)
        self.events = []

    def stamp(self, t):
        return None if t is None else replace(t, stamp_ns=round(self.now_s * 1e9))

    def as_planned(self, step: PlanStep) -> LookResult:
        return LookResult(replace(step, target=self.stamp(step.target), reference=self.stamp(step.reference)))

    def tick(self, times=1):
        for _ in range(times):
            self.now_s += 0.02
            self.events += self.runner.tick(self.now_s)

    def run(self, plan=PLAN):
        self.runner.start(plan)
        for _ in range(400):
            self.tick()
            if not self.runner.status.state.running:
                return self.runner.status
        raise AssertionError(f"the runner does not end: {self.runner.status}")

    def kinds(self):
        return [e.kind for e in self.events]


def test_a_plan_runs_to_its_end():
    bench = Bench()
    status = bench.run()
    assert status.state is RunnerState.SUCCEEDED
    assert status.code is ErrorCode.NONE
    assert [s.skill for s in bench.robot.started] == ["pick", "place"]
    assert [s.skill for s, _ in bench.looker.asked] == ["pick", "place", "verify"]
    assert bench.looker.asked[1][1] is not None, "the look before a place knows what is held"
    kinds = bench.kinds()
    assert kinds[0] is EventKind.PLAN_STARTED
    assert kinds[-1] is EventKind.PLAN_FINISHED
    assert kinds.count(EventKind.STEP_FINISHED) == 2
    assert status.held is None


def test_home_and_say_need_no_look():
    bench = Bench()
    plan = replace(PLAN, steps=(PlanStep(0, "say", text="hello"), PlanStep(1, "home")))
    assert bench.run(plan).state is RunnerState.SUCCEEDED
    assert bench.looker.asked == []
    assert [e.message for e in bench.events if e.kind is EventKind.SAID] == ["hello"]
    assert [s.skill for s in bench.robot.started] == ["home"]


def test_a_moved_target_is_followed():
    bench = Bench()

    def see(step):
        result = bench.as_planned(step)
        return (
            LookResult(
                replace(
                    result.step,
                    target=replace(thing("red cube", 0.3, 0.1), stamp_ns=result.step.target.stamp_ns),
                )
            )
            if step.skill == "pick"
            else result
        )

    bench.looker.see = see
    assert bench.run().state is RunnerState.SUCCEEDED
    assert bench.robot.started[0].target.position_m[0] == 0.3
    moved = [e for e in bench.events if e.kind is EventKind.TARGET_MOVED]
    assert "14.1 cm" in moved[0].message


@pytest.mark.parametrize("code", [ErrorCode.TARGET_NOT_FOUND, ErrorCode.AMBIGUOUS, ErrorCode.NO_DEPTH])
def test_a_vanished_target_stops_before_anything_moves(code):
    bench = Bench(see=lambda step: LookResult(None, code, "gone"))
    status = bench.run()
    assert (status.state, status.code, status.message) == (RunnerState.FAILED, code, "gone")
    # What is not seen is worth one more look, with the arm out of the way; nothing is touched.
    again = [] if code is ErrorCode.AMBIGUOUS else ["home"]
    assert [s.skill for s in bench.robot.started] == again


def test_the_gate_judges_the_fresh_step():
    bench = Bench()
    far = thing("red cube", 0.80, 0.0)
    bench.looker.see = lambda step: LookResult(replace(step, target=bench.stamp(far)))
    status = bench.run()
    assert status.code is ErrorCode.UNSAFE
    assert "work_area" in status.message
    assert bench.robot.started == []


def test_an_old_look_is_refused():
    bench = Bench(see=lambda step: LookResult(step))
    bench.now_s = 100.0
    assert bench.run().code is ErrorCode.UNSAFE


def test_a_failed_grasp_is_tried_again_after_a_new_look():
    bench = Bench(robot=FakeRobot(results=[failed(ErrorCode.GRASP_FAILED), failed(ErrorCode.GRASP_FAILED)]))
    assert bench.run().state is RunnerState.SUCCEEDED
    assert [s.skill for s in bench.robot.started] == ["pick", "pick", "pick", "place"]
    assert [s.skill for s, _ in bench.looker.asked] == ["pick", "pick", "pick", "place", "verify"]


def test_grasps_are_not_tried_for_ever():
    bench = Bench(robot=FakeRobot(results=[failed(ErrorCode.GRASP_FAILED)] * 9))
    status = bench.run()
    assert (status.state, status.code) == (RunnerState.FAILED, ErrorCode.GRASP_FAILED)
    assert len(bench.robot.started) == 3


def test_a_thing_lost_on_the_way_is_picked_again():
    bench = Bench(robot=FakeRobot(results=[SkillStatus(True), failed(ErrorCode.GRASP_FAILED)]))
    assert bench.run().state is RunnerState.SUCCEEDED
    assert [s.skill for s in bench.robot.started] == ["pick", "place", "pick", "place"]


def test_other_failures_end_the_plan_truthfully():
    bench = Bench(robot=FakeRobot(results=[failed(ErrorCode.EXECUTION_FAILED, "joint stuck")]))
    status = bench.run()
    assert (status.state, status.code, status.message) == (
        RunnerState.FAILED, ErrorCode.EXECUTION_FAILED, "joint stuck",
    )  # fmt: skip
    assert bench.kinds()[-2:] == [EventKind.STEP_FAILED, EventKind.PLAN_FAILED]
    assert bench.robot.stops >= 1


@pytest.mark.parametrize(("x", "y", "tries"), [(0.50, -0.05, 2), (0.40, 0.20, 2), (0.30, 0.30, 1)])
def test_a_misplaced_thing_is_tried_again_only_where_it_can_be_the_same(x, y, tries):
    """Beside its goal or still at its origin it is the same; elsewhere it may be another one."""
    bench = Bench()

    def see(step):
        result = bench.as_planned(step)
        if step.skill != "verify":
            return result
        return LookResult(replace(result.step, target=bench.stamp(thing("red cube", x, y))))

    bench.looker.see = see
    status = bench.run()
    assert [s.skill for s in bench.robot.started] == ["pick", "place"] * tries
    assert status.code is ErrorCode.VERIFICATION_FAILED
    assert "is seen at" in status.message


@pytest.mark.parametrize(
    ("seen", "tries"),
    [
        (thing("red cube", 0.50, -0.18, (0.04, 0.04, 0.092)), 1),  # a tower seen as one thing
        (thing("red cube", 0.50, -0.18, (0.04, 0.04, 0.04)), 2),  # on the table: it fell off
    ],
)
def test_what_was_stacked_is_judged_by_its_top(seen, tries):
    base = thing("blue cube", 0.50, -0.18, (0.052, 0.052, 0.052))
    plan = replace(PLAN, steps=(PICK, PlanStep(1, "place", RED, "on", base, (0.50, -0.18, 0.052))))
    bench = Bench()

    def see(step):
        result = bench.as_planned(step)
        return (
            LookResult(replace(result.step, target=bench.stamp(seen))) if step.skill == "verify" else result
        )

    bench.looker.see = see
    bench.run(plan)
    assert [s.skill for s in bench.robot.started] == ["pick", "place"] * tries


def test_verification_can_be_turned_off():
    bench = Bench(config=config_from_dict({"runner": {"verify_place": False}}))
    assert bench.run().state is RunnerState.SUCCEEDED
    assert [s.skill for s, _ in bench.looker.asked] == ["pick", "place"]


def test_stop_holds_the_robot_in_the_same_call():
    bench = Bench(robot=FakeRobot(polls=50))
    bench.runner.start(PLAN)
    bench.tick(5)
    assert bench.robot.moving
    events = bench.runner.stop("the person said stop")
    assert not bench.robot.moving
    assert events[-1].kind is EventKind.STOPPED
    assert bench.runner.status.code is ErrorCode.STOPPED
    bench.tick(5)
    assert not bench.robot.moving
    stops = bench.robot.stops
    assert bench.runner.stop("again") == []
    assert bench.robot.stops == stops + 1, "stop reaches the robot even when nothing runs"


def test_stop_before_the_first_tick():
    bench = Bench()
    bench.runner.start(PLAN)
    (event,) = bench.runner.stop("early")
    assert (event.kind, event.time_s) == (EventKind.STOPPED, 0.0)
    assert bench.robot.started == []


def test_a_new_plan_may_start_after_a_stop_but_not_during_one():
    bench = Bench(robot=FakeRobot(polls=50))
    bench.runner.start(PLAN)
    with pytest.raises(BusyError, match="put the red cube"):
        bench.runner.start(PLAN)
    bench.tick(5)
    bench.runner.stop("newer instruction", ErrorCode.PREEMPTED)
    assert bench.runner.status.code is ErrorCode.PREEMPTED
    bench.robot.polls = 2
    assert bench.run().state is RunnerState.SUCCEEDED


LIMITS = {"look_timeout_s": 0.5, "step_timeout_s": 0.5, "plan_timeout_s": 3.0}


@pytest.mark.parametrize(
    ("look_polls", "robot_polls", "words", "limits"),
    [
        (10_000, 2, "no fresh look within 0.5 s", LIMITS),
        (1, 10_000, "took longer than 0.5 s", LIMITS),
        (1, 10_000, "the plan took longer than 0.3 s", LIMITS | {"plan_timeout_s": 0.3}),
    ],
)
def test_everything_has_a_deadline(look_polls, robot_polls, words, limits):
    config = config_from_dict({"runner": limits})
    bench = Bench(robot=FakeRobot(polls=robot_polls), config=config, polls=look_polls)
    status = bench.run()
    assert status.code is ErrorCode.TIMEOUT
    assert words in status.message
    assert not bench.robot.moving


@pytest.mark.parametrize("now_s", [0.0, float("nan")])
def test_a_clock_that_runs_backwards_stops_the_robot(now_s):
    bench = Bench(robot=FakeRobot(polls=50))
    bench.runner.start(PLAN)
    bench.tick(5)
    assert bench.robot.moving
    bench.runner.tick(now_s)
    assert not bench.robot.moving
    assert bench.runner.status.code is ErrorCode.STALE
    bench.now_s = 0.0
    bench.robot.polls = 2
    assert bench.run().state is RunnerState.SUCCEEDED, "a new plan may begin on a clock set anew"


def test_a_fault_of_robot_or_looker_stops_the_robot():
    def see(step):
        raise KeyError("bug")

    bench = Bench(see=see)
    status = bench.run()
    assert status.code is ErrorCode.INTERNAL
    assert "KeyError" in status.message
    assert bench.robot.stops == 1


def test_held_is_remembered_between_plans():
    bench = Bench()
    bench.run(replace(PLAN, steps=(PICK,)))
    assert bench.runner.held.label == "red cube"
    assert bench.run(replace(PLAN, steps=(replace(PLACE, index=0),))).state is RunnerState.SUCCEEDED
    assert bench.runner.held is None
    bench.run(replace(PLAN, steps=(PICK,)))
    bench.runner.forget_held()
    assert bench.runner.held is None


def test_defaults():
    assert Config().runner.grasp_retries == 2


BALL = thing("ball", 0.35, 0.0)
TRAY = thing("tray", 0.60, 0.20, (0.16, 0.12, 0.025), surface=0.005)
TWO = replace(
    PLAN,
    steps=(PICK, PLACE, PlanStep(2, "pick", BALL), PlanStep(3, "place", BALL, "in", TRAY, (0.6, 0.2, 0.005))),
)


def moved_by_a_later_step(bench, times, to=(0.42, -0.08)):
    """Looks in which the red cube is found elsewhere, after the ball was placed, so many times."""
    left = [times]

    def see(step):
        result = bench.as_planned(step)
        placed_ball = any(s.skill == "place" and s.target.label == "ball" for s in bench.robot.started)
        if step.skill == "verify" and step.target.label == "red cube" and placed_ball and left[0]:
            left[0] -= 1
            return LookResult(replace(result.step, target=bench.stamp(thing("red cube", *to))))
        return result

    bench.looker.see = see


def test_what_a_later_step_moved_is_put_right_at_the_end():
    bench = Bench()
    moved_by_a_later_step(bench, times=1)
    status = bench.run(TWO)
    assert status.state is RunnerState.SUCCEEDED
    assert status.report == "done: ball in tray, red cube in bowl"
    assert [(s.skill, s.target.label) for s in bench.robot.started[4:]] == [
        ("pick", "red cube"), ("place", "red cube"),
    ]  # fmt: skip
    assert bench.robot.started[4].target.position_m[:2] == (0.42, -0.08), "it is taken where it was seen"
    told = [e.message for e in bench.events if e.kind is EventKind.RETRYING]
    assert len(told) == 1 and "a later step has moved something" in told[0]


def test_repairs_are_bounded_and_the_end_is_told_as_it_is():
    bench = Bench()
    moved_by_a_later_step(bench, times=9)
    status = bench.run(TWO)
    assert (status.state, status.code) == (RunnerState.FAILED, ErrorCode.VERIFICATION_FAILED)
    assert len(bench.robot.started) == 6 + 2, "one repair, and one more try of its place"
    assert status.report == "done: ball in tray; not done: red cube is still where it was"
    assert status.report in status.message


def test_what_is_not_surely_the_same_is_left_alone():
    bench = Bench()
    moved_by_a_later_step(bench, times=9, to=(0.62, 0.18))  # where the ball is by now
    status = bench.run(TWO)
    assert status.code is ErrorCode.VERIFICATION_FAILED
    assert len(bench.robot.started) == 4


def test_what_a_later_step_takes_on_purpose_is_not_missed():
    bench = Bench()
    where = {"bowl": True}

    def see(step):
        result = bench.as_planned(step)
        if step.skill == "verify" and step.goal_position_m[:2] == (0.50, -0.18):
            assert where.pop("bowl", False), "looked at in the bowl once only"
        return result

    bench.looker.see = see
    there = thing("red cube", 0.50, -0.18, bottom=0.006)
    again = (PlanStep(2, "pick", there), PlanStep(3, "place", there, "in", TRAY, (0.6, 0.2, 0.005)))
    status = bench.run(replace(PLAN, steps=(PICK, PLACE, *again)))
    assert status.report == "done: red cube in tray"


def test_a_failure_half_way_tells_what_was_done():
    ok = SkillStatus(True)
    bench = Bench(robot=FakeRobot(results=[ok, ok, failed(ErrorCode.EXECUTION_FAILED, "joint stuck")]))
    status = bench.run(TWO)
    assert status.message == "joint stuck; done: red cube in bowl"


def test_a_place_that_the_hand_cannot_reach_is_tried_at_another_spot():
    bench = Bench(robot=FakeRobot(results=[SkillStatus(True), failed(ErrorCode.UNREACHABLE)]))
    assert bench.run().state is RunnerState.SUCCEEDED
    assert [s.skill for s in bench.robot.started] == ["pick", "place", "place"]
    again = [step for step, _ in bench.looker.asked if step.skill == "place"][1]
    (blocked,) = again.obstacles
    assert blocked.label == "a blocked spot"
    assert blocked.position_m[:2] == (0.50, -0.18)


def test_a_thing_dropped_out_of_reach_is_told():
    bench = Bench(robot=FakeRobot(results=[SkillStatus(True), failed(ErrorCode.GRASP_FAILED, "slipped")]))

    def see(step):
        gone = step.skill == "pick" and len(bench.robot.started) > 1
        return LookResult(None, ErrorCode.TARGET_NOT_FOUND, "not there") if gone else bench.as_planned(step)

    bench.looker.see = see
    status = bench.run()
    assert status.code is ErrorCode.GRASP_FAILED
    assert "'red cube' was dropped, and cannot be taken again: not there" in status.message
    assert [s.skill for s in bench.robot.started] == ["pick", "place", "home"]


def test_a_thing_seen_at_the_second_look_is_picked():
    bench = Bench()
    looks = []

    def see(step):
        looks.append(step.skill)
        hidden = len(looks) == 1
        return LookResult(None, ErrorCode.TARGET_NOT_FOUND, "hidden") if hidden else bench.as_planned(step)

    bench.looker.see = see
    assert bench.run().state is RunnerState.SUCCEEDED
    assert [s.skill for s in bench.robot.started] == ["home", "pick", "place"]
    assert "hidden; looking again from home" in [
        e.message for e in bench.events if e.kind is EventKind.RETRYING
    ]


def test_a_push_is_looked_at_and_tried_again():
    push = PlanStep(0, "push", RED, "behind", None, (0.50, 0.20, 0.0))
    bench = Bench()
    looks = [thing("red cube", 0.42, 0.20), thing("red cube", 0.52, 0.20)]

    def see(step):
        result = bench.as_planned(step)
        return LookResult(replace(result.step, target=looks.pop(0))) if step.skill == "verify" else result

    bench.looker.see = see
    status = bench.run(replace(PLAN, steps=(push,)))
    assert status.state is RunnerState.SUCCEEDED
    assert [s.skill for s in bench.robot.started] == ["push", "push"]
    assert status.report == "done: red cube pushed away"
