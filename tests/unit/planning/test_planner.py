"""From drafts to steps in metres."""

from __future__ import annotations

import math

import pytest

from mmrobot.config import Config, config_from_dict
from mmrobot.errors import (
    AmbiguousError,
    NotUnderstoodError,
    SkillUnknownError,
    TargetNotFoundError,
    UnsafeError,
)
from mmrobot.planning.footprint import footprint_of, gap_m
from mmrobot.planning.planner import Planner, distance_m
from mmrobot.types import DraftStep, PlanDraft
from tests.support.fake_world import bowl, draft, thing

RED = thing("red cube", 0.40, 0.20)
BLUE = thing("blue cube", 0.50, 0.0)
GREEN = thing("green cube", 0.35, -0.20)
BOWL = bowl("bowl", 0.50, -0.18)
PHRASES = {"the red cube": [RED], "the blue cube": [BLUE], "the green cube": [GREEN], "the bowl": [BOWL]}


def planner(phrases=PHRASES, things=(RED, BLUE, GREEN, BOWL), held=None, config=None):
    return Planner(lambda p: phrases.get(p, []), things, config or Config(), held)


def test_put_in_goes_to_the_floor_of_the_bowl():
    pick, place = planner().steps(draft(("pick", "the red cube"), ("place", "in", "the bowl")))
    assert pick.target.position_m == RED.position_m
    assert pick.postconditions == ("held(red cube)",)
    assert place.goal_position_m == (0.50, -0.18, 0.006)
    assert place.postconditions == ("hand_empty", "in(red cube, bowl)")
    assert {o.label for o in place.obstacles} == {"blue cube", "green cube"}


def test_tower_uses_the_new_place_of_what_was_moved():
    steps = planner().steps(
        draft(
            ("pick", "the red cube"),
            ("place", "on", "the blue cube"),
            ("pick", "the green cube"),
            ("place", "on", "the red cube"),
        )
    )
    assert steps[1].goal_position_m == pytest.approx((0.50, 0.0, 0.04))
    assert steps[3].goal_position_m == pytest.approx((0.50, 0.0, 0.08))
    assert steps[3].reference.position_m == pytest.approx((0.50, 0.0, 0.06))


def test_it_is_the_thing_last_placed():
    steps = planner().steps(
        draft(
            ("pick", "the red cube"),
            ("place", "on", "the blue cube"),
            ("pick", "the green cube"),
            ("place", "on", "it"),
        )
    )
    assert steps[3].reference.label == "red cube"
    assert steps[3].goal_position_m[2] == pytest.approx(0.08)


@pytest.mark.parametrize(
    ("relation", "axis", "sign"),
    [("left_of", 1, 1), ("right_of", 1, -1), ("behind", 0, 1), ("in_front_of", 0, -1)],
)
def test_beside_lies_on_its_side_and_near(relation, axis, sign):
    _, place = planner().steps(draft(("pick", "the red cube"), ("place", relation, "the blue cube")))
    offset = [place.goal_position_m[k] - BLUE.position_m[k] for k in (0, 1)]
    assert sign * offset[axis] == pytest.approx(0.04 + 0.028, abs=0.03)
    assert abs(offset[1 - axis]) < abs(offset[axis])
    assert math.hypot(*offset) < 0.15
    assert place.goal_position_m[2] == 0.0


def test_beside_moves_to_a_free_spot_when_blocked():
    blocker = thing("cup", 0.50, 0.075, (0.05, 0.05, 0.07))
    _, place = planner(things=(RED, BLUE, blocker)).steps(
        draft(("pick", "the red cube"), ("place", "left_of", "the blue cube"))
    )
    goal = footprint_of(RED).at(*place.goal_position_m[:2])
    assert gap_m(goal, footprint_of(blocker)) >= Config().planning.clearance_m
    assert gap_m(goal, footprint_of(BLUE)) > 0.01


def test_beside_outside_of_the_work_area_is_refused_with_values():
    edge = thing("edge cube", 0.63, 0.0)
    with pytest.raises(UnsafeError, match=r"x=0\.[67].*allowed is x 0\.25\.\.0\.65") as error:
        planner({**PHRASES, "the edge": [edge]}, (RED, edge)).steps(
            draft(("pick", "the red cube"), ("place", "behind", "the edge"))
        )
    assert error.value.rule == "work_area"


def test_beside_with_no_room_at_all_is_refused():
    wall = thing("tray", 0.45, 0.11, (0.3, 0.16, 0.03))
    with pytest.raises(UnsafeError, match="other things") as error:
        planner(things=(GREEN, BLUE, wall)).steps(
            draft(("pick", "the green cube"), ("place", "left_of", "the blue cube"))
        )
    assert error.value.rule == "free_place"


def test_second_thing_in_a_bowl_goes_beside_the_first():
    inside = thing("ball", 0.50, -0.18, (0.042, 0.042, 0.042), bottom=0.006)
    _, place = planner(things=(RED, BOWL, inside)).steps(
        draft(("pick", "the red cube"), ("place", "in", "the bowl"))
    )
    assert 0.01 < distance_m(place.goal_position_m, BOWL.position_m) < 0.05


def test_absent_names_the_phrase_and_what_is_there():
    with pytest.raises(TargetNotFoundError, match="the dog") as error:
        planner().steps(draft(("pick", "the dog")))
    assert "red cube" in error.value.fix


def test_two_candidates_are_told_apart_by_where_they_are():
    left, right = thing("red cube", 0.4, 0.2), thing("red cube", 0.42, -0.2)
    with pytest.raises(AmbiguousError, match="which red cube do you mean") as error:
        planner({"the red cube": [left, right]}, (left, right)).steps(draft(("pick", "the red cube")))
    assert "on the left" in error.value.candidates[0]
    assert "on the right" in error.value.candidates[1]
    near, far = thing("cube", 0.3, 0.0), thing("cube", 0.6, 0.01)
    with pytest.raises(AmbiguousError) as error:
        planner({"the cube": [far, near]}, (near, far)).steps(draft(("pick", "the cube")))
    assert "furthest" in error.value.candidates[0]
    assert "nearest" in error.value.candidates[1]


def test_four_candidates_get_four_descriptions():
    cubes = [thing("cube", 0.4, y) for y in (0.3, 0.1, -0.1, -0.3)]
    with pytest.raises(AmbiguousError) as error:
        planner({"the cube": cubes}, cubes).steps(draft(("pick", "the cube")))
    assert len(set(error.value.candidates)) == 4


def test_a_cube_leaves_the_choice_to_the_robot():
    cubes = [thing("cube", 0.6, 0.3), thing("cube", 0.3, 0.0)]
    (pick,) = planner({"a cube": cubes}, cubes).steps(draft(("pick", "a cube")))
    assert pick.target.position_m[0] == 0.3


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ((), "no plan"),
        ((("place", "in", "the bowl"),), "holds nothing"),
        ((("pick", "the red cube"), ("pick", "the blue cube")), "while the hand holds"),
        ((("pick", "the red cube"), ("place", "on", "the red cube")), "itself"),
        ((("pick",),), "lacks its target"),
        ((("pick", "the red cube"), ("place", "under", "the bowl")), "lacks its relation"),
        ((("pick", "the red cube"), ("place", "in")), "lacks its reference"),
        ((("say",),), "lacks its text"),
    ],
)
def test_inconsistent_drafts_are_not_understood(steps, words):
    with pytest.raises(NotUnderstoodError, match=words):
        planner().steps(draft(*steps))


def test_unknown_skill_names_the_nearest():
    with pytest.raises(SkillUnknownError, match="pik") as error:
        planner().steps(PlanDraft((DraftStep("pik", target="the red cube"),)))
    assert "'pick'" in error.value.fix


def test_too_many_steps_are_refused():
    short = config_from_dict({"planning": {"max_steps": 1}})
    with pytest.raises(UnsafeError, match="2 steps"):
        planner(config=short).steps(draft(("pick", "the red cube"), ("place", "in", "the bowl")))


def test_held_thing_can_be_placed_at_once():
    (place,) = planner(things=(BLUE, BOWL), held=RED).steps(draft(("place", "in", "the bowl")))
    assert place.target.label == "red cube"


def test_what_is_held_is_no_second_referent():
    other = thing("red cube", 0.3, -0.1)
    steps = planner({"the red cube on the left": [RED], "the red cube": [RED, other]}, (RED, other)).steps(
        draft(("pick", "the red cube on the left"), ("place", "on", "the red cube"))
    )
    assert steps[1].reference.position_m == other.position_m


def test_gap_of_footprints():
    a, b = footprint_of(thing("a", 0.4, 0.0)), footprint_of(thing("b", 0.4, 0.1))
    assert gap_m(a, b) == pytest.approx(0.06)
    assert gap_m(a, a) < 0
    turned = footprint_of(thing("c", 0.4, 0.1, yaw=math.pi / 4))
    assert gap_m(a, turned) == pytest.approx(0.08 - 0.04 * math.sqrt(0.5), abs=1e-6)
