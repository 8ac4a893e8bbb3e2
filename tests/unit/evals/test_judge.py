"""Verdicts over made-up ends of episodes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mmrobot.conversation import READ_BACK
from mmrobot.errors import ErrorCode
from mmrobot.evals.judge import Run, handled, judge, needs_question
from mmrobot.tabletop.episode import Episode, Expect
from mmrobot.tabletop.goals import initial_world
from mmrobot.tabletop.scene import Scene, SceneObject
from mmrobot.types import ActionPlan, PlanStep
from tests.support.fake_world import bowl, thing

SCENE = Scene(
    0,
    (
        SceneObject("red_cube", "cube", "red", position=(0.40, 0.20)),
        SceneObject("blue_bowl", "bowl", "blue", position=(0.50, -0.15)),
        SceneObject("green_ball", "ball", "green", position=(0.35, 0.0)),
    ),
)
BEFORE = initial_world(SCENE)
EPISODE = Episode(
    "e", SCENE, "put the red cube in the blue bowl",
    expect=Expect("success", ("in(red_cube, blue_bowl)",), ("green_ball",)),
)  # fmt: skip
PLAN = ActionPlan(
    "p", "i",
    (
        PlanStep(0, "pick", thing("the red cube", 0.40, 0.20)),
        PlanStep(
            1, "place", thing("the red cube", 0.40, 0.20), "in", bowl("the blue bowl", 0.50, -0.15),
            (0.50, -0.15, 0.0),
        ),
    ),
    0, "m",
)  # fmt: skip
DONE = Run(ErrorCode.NONE, "", PLAN, acted=True)


def world(**places):
    objects = {
        name: replace(state, position_m=places.get(name, state.position_m))
        for name, state in BEFORE.objects.items()
    }
    return replace(BEFORE, objects=objects)


IN_BOWL = {"red_cube": (0.50, -0.15, 0.03)}


def test_success_is_what_physics_says():
    verdict = judge(EPISODE, BEFORE, world(**IN_BOWL), DONE)
    assert (verdict.passed, verdict.strict, verdict.outcome, verdict.part) == (True, True, "success", "")
    assert judge(EPISODE, BEFORE, world(**IN_BOWL), replace(DONE, code=ErrorCode.VERIFICATION_FAILED)).passed


def test_a_claim_is_no_success():
    verdict = judge(EPISODE, BEFORE, BEFORE, DONE)
    assert (verdict.passed, verdict.outcome, verdict.part) == (False, "wrong", "verify")
    assert "does not hold: in(red_cube, blue_bowl)" in verdict.reason


def test_others_may_not_move():
    little = judge(EPISODE, BEFORE, world(**IN_BOWL, green_ball=(0.375, 0.0, 0.021)), DONE)
    assert (little.passed, little.strict) == (True, False)
    much = judge(EPISODE, BEFORE, world(**IN_BOWL, green_ball=(0.45, 0.0, 0.021)), DONE)
    assert not much.passed
    assert "'green_ball' moved 10.0 cm" in much.reason


@pytest.mark.parametrize(
    ("code", "acted", "outcome", "part"),
    [
        (ErrorCode.TARGET_NOT_FOUND, False, "refuse", "ground"),
        (ErrorCode.AMBIGUOUS, False, "clarify", "ground"),
        (ErrorCode.NOT_UNDERSTOOD, False, "refuse", "language"),
        (ErrorCode.UNSAFE, False, "refuse", "plan"),
        (ErrorCode.INTERNAL, False, "error", "error"),
        (ErrorCode.MODEL_REPLY_INVALID, False, "error", "error"),
        (ErrorCode.TIMEOUT, True, "timeout", "model"),
    ],
)
def test_ends_before_a_plan(code, acted, outcome, part):
    verdict = judge(EPISODE, BEFORE, BEFORE, Run(code, "why", None, acted))
    assert (verdict.passed, verdict.outcome, verdict.part) == (False, outcome, part)
    assert "why" in verdict.reason


def test_a_sentence_read_back_is_for_the_words():
    run = Run(ErrorCode.AMBIGUOUS, f"{READ_BACK}put the ball in the bowl?", None, False)
    assert judge(EPISODE, BEFORE, BEFORE, run).part == "language"


def test_a_question_about_what_was_not_said_is_not_the_one_that_was_needed():
    asks = replace(EPISODE, expect=Expect("clarify"))
    run = Run(ErrorCode.AMBIGUOUS, f"{READ_BACK}put the ball in the bowl?", None, False)
    assert judge(asks, BEFORE, BEFORE, run).passed
    verdict = judge(asks, BEFORE, BEFORE, replace(run, read_back="no"))
    assert (verdict.passed, verdict.outcome) == (False, "clarify")
    assert "not what was said" in verdict.reason


def test_the_part_that_failed():
    def part(plan, code=ErrorCode.NONE):
        return judge(EPISODE, BEFORE, BEFORE, Run(code, "", plan, acted=True)).part

    pick, place = PLAN.steps
    assert part(replace(PLAN, steps=(pick,))) == "language"
    wrong_thing = replace(pick, target=thing("the red cube", 0.35, 0.0))
    assert part(replace(PLAN, steps=(wrong_thing, place))) == "ground"
    wrong_bowl = replace(place, reference=bowl("the blue bowl", 0.35, 0.0))
    assert part(replace(PLAN, steps=(pick, wrong_bowl))) == "ground"
    assert part(replace(PLAN, steps=(pick, replace(place, relation="left_of")))) == "language"
    assert part(PLAN, ErrorCode.GRASP_FAILED) == "grasp"
    assert part(PLAN, ErrorCode.UNSAFE) == "plan"


def test_expected_questions_and_refusals():
    asks = replace(EPISODE, expect=Expect("clarify"))
    assert judge(asks, BEFORE, BEFORE, Run(ErrorCode.AMBIGUOUS, "which?", None, False)).passed
    assert not judge(asks, BEFORE, BEFORE, Run(ErrorCode.TARGET_NOT_FOUND, "no", None, False)).passed
    moved = world(green_ball=(0.365, 0.0, 0.021))
    verdict = judge(asks, BEFORE, moved, Run(ErrorCode.AMBIGUOUS, "which?", None, False))
    assert not verdict.passed, "nothing may move"
    kept = replace(EPISODE, expect=Expect("clarify", (), ("green_ball",)))
    told = judge(kept, BEFORE, world(green_ball=(0.5, 0.0, 0.021)), DONE)
    assert told.reason.count("green_ball") == 1, "said once"
    refuses = replace(EPISODE, expect=Expect("refuse"))
    assert judge(refuses, BEFORE, BEFORE, Run(ErrorCode.UNSAFE, "no", None, False)).passed
    assert not judge(refuses, BEFORE, BEFORE, DONE).passed


def test_credit_is_the_share_of_what_was_still_to_be_done():
    both = replace(
        EPISODE, expect=Expect("success", ("in(red_cube, blue_bowl)", "near(green_ball, blue_bowl, 0.05)",
                                           "not in(green_ball, blue_bowl)")),
    )  # fmt: skip
    assert judge(both, BEFORE, world(**IN_BOWL), DONE).credit == 0.5
    assert judge(both, BEFORE, BEFORE, DONE).credit == 0.0, "what held at first is no credit"
    assert judge(EPISODE, BEFORE, world(**IN_BOWL), DONE).credit == 1.0
    asks = replace(EPISODE, expect=Expect("clarify"))
    assert judge(asks, BEFORE, BEFORE, Run(ErrorCode.AMBIGUOUS, "which?", None, False)).credit == 1.0
    assert needs_question(asks) and not needs_question(EPISODE)
    assert handled(both) == {"red_cube", "green_ball"}


def test_answers():
    question = replace(EPISODE, expect=Expect("answer", answer=("two", "2")))
    assert judge(question, BEFORE, BEFORE, Run(ErrorCode.NONE, "", None, False, "Two.")).passed
    verdict = judge(question, BEFORE, BEFORE, Run(ErrorCode.NONE, "", None, False, "three"))
    assert "accepted are two, 2" in verdict.reason
