"""What a look says of what was put down or pushed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mmrobot.errors import ErrorCode
from mmrobot.execution.outcome import Done, Problem, problem_with, report
from mmrobot.execution.robot import LookResult
from mmrobot.types import PlanStep
from tests.support.fake_world import bowl, thing

RED = thing("the red cube", 0.40, 0.20)
BLUE = thing("the blue cube", 0.50, 0.0)
BOWL = bowl("the bowl", 0.50, -0.18)
CUP = thing("the cup", 0.50, -0.18, (0.07, 0.07, 0.085), surface=0.006)
IN_BOWL = PlanStep(1, "place", RED, "in", BOWL, (0.50, -0.18, 0.006))
BESIDE = PlanStep(1, "place", RED, "left_of", BLUE, (0.50, 0.07, 0.0))
UNSEEN = LookResult(None, ErrorCode.TARGET_NOT_FOUND, "not there")


def test_what_is_new_where_it_is_seen_is_surely_it():
    beside = thing("the cup", 0.33, 0.30, (0.06, 0.06, 0.07))
    known = replace(IN_BOWL, obstacles=(beside,))
    assert judged(known, 0.30, 0.10).seen is not None
    assert judged(known, 0.33, 0.30).seen is None, "the cup stood there"
    ball = Done(replace(IN_BOWL, target=thing("ball", 0.5, 0.2), goal_position_m=(0.30, 0.10, 0.0)), None)
    seen = replace(known, target=thing("the red cube", 0.30, 0.10))
    assert problem_with(Done(known, RED), LookResult(seen), 0.06, [ball]).seen is None


def judged(step, x=0.0, y=0.0, bottom=0.0, size=(0.04, 0.04, 0.04), reference=None, origin=RED):
    seen = replace(step, target=thing("the red cube", x, y, size, bottom=bottom))
    seen = seen if reference is None else replace(seen, reference=reference)
    return problem_with(Done(step, origin), LookResult(seen), 0.06)


def test_anywhere_in_the_vessel_is_in_it():
    assert judged(IN_BOWL, 0.54, -0.20, 0.01) is None
    assert judged(IN_BOWL, 0.50, -0.06) is not None


def test_on_the_rim_is_not_in():
    assert judged(IN_BOWL, 0.50, -0.18, 0.056) is not None
    piled = replace(IN_BOWL, goal_position_m=(0.50, -0.18, 0.046))
    assert judged(piled, 0.50, -0.18, 0.056) is None, "it was put onto what lies there"


def test_a_vessel_that_moved_takes_its_contents_along():
    moved = bowl("the bowl", 0.40, -0.10)
    assert judged(IN_BOWL, 0.41, -0.10, reference=moved) is None
    assert judged(IN_BOWL, 0.50, -0.18, reference=moved) is not None


def test_beside_must_be_on_its_side():
    assert judged(BESIDE, 0.51, 0.08) is None
    assert judged(BESIDE, 0.55, 0.04) is not None, "more behind than to the left"


def test_what_is_not_seen_is_not_done_unless_a_cup_hides_it():
    assert problem_with(Done(BESIDE, RED), UNSEEN, 0.06) is not None
    assert problem_with(Done(IN_BOWL, RED), UNSEEN, 0.06) is not None
    in_cup = replace(IN_BOWL, reference=CUP)
    assert problem_with(Done(in_cup, RED), UNSEEN, 0.06) is None


@pytest.mark.parametrize(
    ("x", "y", "known", "where"),
    [
        (0.50, -0.06, True, "is beside the bowl"),
        (0.40, 0.20, True, "is still where it was"),
        (0.30, 0.30, False, "is at x=0.30, y=0.30 m"),
    ],
)
def test_only_what_is_surely_it_may_be_taken_again(x, y, known, where):
    problem = judged(IN_BOWL, x, y)
    assert problem is not None
    assert (problem.seen is not None) == known
    assert problem.where == where


AWAY = PlanStep(0, "push", RED, "behind", None, (0.50, 0.20, 0.0))
TO_BOWL = PlanStep(0, "push", RED, "near", BOWL, (0.48, -0.08, 0.0))


@pytest.mark.parametrize(
    ("step", "x", "y", "done"),
    [
        (AWAY, 0.50, 0.20, True),
        (AWAY, 0.46, 0.23, True),
        (AWAY, 0.44, 0.20, False),
        (AWAY, 0.46, 0.25, False),
        (AWAY, 0.58, 0.20, True),
        (TO_BOWL, 0.49, -0.07, True),
        (TO_BOWL, 0.45, 0.05, False),
    ],
)
def test_a_push_is_done_when_the_thing_has_gone_that_way_or_is_near(step, x, y, done):
    assert (judged(step, x, y) is None) == done


def test_the_end_is_told_as_it_is():
    first, second = Done(IN_BOWL, RED), Done(replace(BESIDE, target=BLUE, reference=RED), BLUE)
    assert report([first], []) == "done: the red cube in the bowl"
    beside = Problem("long words", "is beside the tray")
    assert report([first, second], [(second, beside)]) == (
        "done: the red cube in the bowl; not done: the blue cube is beside the tray"
    )
    assert report([], [], "the cup") == "the hand holds the cup"
    assert report([Done(AWAY, RED)], []) == "done: the red cube pushed away"
