"""Things put back: where they stood, or as near to it as there is room, and then that is said."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mmrobot.config import Config
from mmrobot.errors import AmbiguousError
from mmrobot.planning.footprint import footprint_of, gap_m
from mmrobot.planning.planner import Planner
from mmrobot.types import DraftStep, PlanDraft
from tests.support.fake_world import bowl, draft, thing

BEFORE = thing("red cube", 0.40, 0.20)
NOW = thing("red cube", 0.50, -0.18, bottom=0.006)
BOWL = bowl("bowl", 0.50, -0.18)


def back(*others):
    things = (NOW, BOWL, *others)
    planner = Planner(
        lambda p: [NOW] if p == "the red cube" else [], things, Config(), recent=NOW, moved=[(NOW, BEFORE)]
    )
    return planner.steps(PlanDraft((DraftStep("put_back", target="the red cube"),)))


def test_it_goes_to_where_it_stood():
    pick, place = back()
    assert pick.target.position_m == NOW.position_m
    assert place.goal_position_m == pytest.approx((0.40, 0.20, 0.0))
    assert place.reference.label == "the table"


def test_of_several_that_fit_what_was_moved_is_meant():
    bar = thing("red bar", 0.45, 0.05)
    two = Planner(lambda _: [bar, NOW], (NOW, BOWL, bar), Config(), moved=[(NOW, BEFORE)])
    pick, place = two.steps(PlanDraft((DraftStep("put_back", target="the red object"),)))
    assert pick.target.position_m == NOW.position_m
    assert place.goal_position_m == pytest.approx((0.40, 0.20, 0.0))


def test_of_several_that_were_moved_which_is_asked():
    bar, was = thing("red bar", 0.45, 0.05), thing("red bar", 0.35, 0.0)
    two = Planner(lambda _: [bar, NOW], (NOW, BOWL, bar), Config(), moved=[(NOW, BEFORE), (bar, was)])
    with pytest.raises(AmbiguousError):
        two.steps(PlanDraft((DraftStep("put_back", target="the red object"),)))


def test_a_taken_place_is_said():
    cup = thing("cup", 0.41, 0.21, (0.06, 0.06, 0.07))
    _, place, say = back(cup)
    goal = footprint_of(replace(NOW)).at(*place.goal_position_m[:2])
    assert gap_m(goal, footprint_of(cup)) > 0.01
    assert say.skill == "say" and "taken" in say.text


def test_the_table_under_what_was_taken_long_ago_is_as_fresh_as_the_picture() -> None:
    old = thing("red cube", 0.40, 0.20, stamp_ns=1)
    steps = Planner(lambda _: [], [], Config(), old, seen_ns=90).steps(draft(("place", "on", "the table")))
    assert steps[0].reference.stamp_ns == 90
