"""Where pushes go, and which are refused."""

from __future__ import annotations

import math

import pytest

from mmrobot.config import Config
from mmrobot.errors import NotUnderstoodError, UnsafeError
from mmrobot.planning.footprint import footprint_of, gap_m
from mmrobot.planning.planner import Planner
from mmrobot.planning.pushing import SHORTEST_M, push_goal
from mmrobot.types import DraftStep, PlanDraft
from tests.support.fake_world import bowl, thing

BALL = thing("ball", 0.45, 0.0)
BOWL = bowl("bowl", 0.45, -0.25)
CONFIG = Config()


@pytest.mark.parametrize(
    ("relation", "x", "y"),
    [("behind", 0.55, 0.0), ("in_front_of", 0.35, 0.0), ("left_of", 0.45, 0.10), ("right_of", 0.45, -0.10)],
)
def test_a_direction_is_followed_for_ten_centimetres(relation, x, y):
    assert push_goal(relation, BALL, None, [], CONFIG) == pytest.approx((x, y, 0.0))


def test_near_ends_where_they_touch():
    x, y, _ = push_goal("near", BALL, BOWL, [], CONFIG)
    assert x == pytest.approx(0.45)
    assert 0.0 <= gap_m(footprint_of(BALL).at(x, y), footprint_of(BOWL)) < 0.012


def test_a_push_ends_before_the_edge_and_before_what_stands_in_the_way():
    edge = thing("ball", 0.45, 0.27)
    assert push_goal("left_of", edge, None, [], CONFIG)[1] <= CONFIG.work_area.y_max_m
    ahead = thing("cup", 0.45, 0.13)
    y = push_goal("left_of", BALL, None, [ahead], CONFIG)[1]
    assert SHORTEST_M - 1e-9 <= y < 0.09 - 0.0


@pytest.mark.parametrize(
    ("rule", "target", "reference", "others"),
    [
        ("work_area", thing("ball", 0.45, 0.33), None, []),
        ("lane", BALL, None, [thing("cup", 0.45, 0.06)]),
        ("on_table", thing("ball", 0.45, 0.0, bottom=0.04), None, []),
        ("lane", thing("ball", 0.45, -0.15), BOWL, []),
        ("lane", BALL, thing("tray", 0.45, 0.25), [thing("cup", 0.45, 0.12)]),
    ],
)
def test_pushes_without_a_way_are_refused(rule, target, reference, others):
    with pytest.raises(UnsafeError) as error:
        push_goal("left_of" if reference is None else "near", target, reference, others, CONFIG)
    assert error.value.rule == rule
    assert error.value.fix


def planned(*steps: DraftStep):
    phrases = {"the ball": [BALL], "the bowl": [BOWL]}
    return Planner(lambda p: phrases.get(p, []), (BALL, BOWL), CONFIG).steps(PlanDraft(steps))


def test_a_push_becomes_a_step_and_later_steps_know_where_the_thing_is():
    push, pick = planned(
        DraftStep("push", target="the ball", relation="behind"), DraftStep("pick", target="the ball")
    )
    assert (push.skill, push.relation, push.reference) == ("push", "behind", None)
    assert push.summary == "push ball away" or push.summary == "push the ball away"
    assert push.postconditions == ("pushed(ball)",)
    assert pick.target.position_m[0] == pytest.approx(0.55)


def test_a_push_to_a_thing_names_it():
    (push,) = planned(DraftStep("push", target="the ball", relation="near", reference="the bowl"))
    assert push.reference.label == "bowl"
    assert math.dist(push.goal_position_m[:2], BOWL.position_m[:2]) < 0.12
    assert push.summary.endswith("to bowl")


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (DraftStep("push", target="the ball"), "lacks its relation"),
        (DraftStep("push", target="the ball", relation="on"), "lacks its relation"),
        (DraftStep("push", target="the ball", relation="near"), "lacks its reference"),
        (DraftStep("push", target="the ball", relation="near", reference="the ball"), "to itself"),
    ],
)
def test_pushes_that_say_too_little_are_not_understood(step, words):
    with pytest.raises(NotUnderstoodError, match=words):
        planned(step)
