"""The whole way with a model and a lift that answer from a table."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mmrobot.config import Config, config_from_dict
from mmrobot.errors import (
    AmbiguousError,
    InvalidInstructionError,
    NoDepthError,
    NotUnderstoodError,
    TargetNotFoundError,
    TransformUnavailableError,
    UnsafeError,
)
from mmrobot.pipeline import Pipeline
from mmrobot.types import DraftStep, PlanDraft, ScoredBox
from tests.support.fake_world import FakeWorld, bowl, draft, frame, thing

SENTENCE = "put the red cube in the bowl"
DRAFT = draft(("pick", "the red cube"), ("place", "in", "the bowl"))


def world(**more) -> FakeWorld:
    things = {
        "red": thing("red cube", 0.40, 0.20),
        "red2": thing("red cube", 0.30, -0.25, score=0.2),
        "bowl": bowl("bowl", 0.50, -0.10),
    }
    phrases = {"the red cube": ["red", "red2"], "the bowl": ["bowl"], "the cube": ["red", "red2"]}
    return FakeWorld(things, phrases, DRAFT, **more)


def pipeline(w: FakeWorld) -> Pipeline:
    return Pipeline(w, lifter=w.lifter)


def test_a_sentence_becomes_a_plan_with_timings():
    w = world()
    plan = pipeline(w).plan(frame(5), "  put   the red cube in the bowl ")
    assert plan.instruction == SENTENCE
    assert [s.summary for s in plan.steps] == ["pick the red cube", "place the red cube in the bowl"]
    assert plan.stamp_ns == 5
    assert plan.model == "fake-1"
    assert set(plan.timings_ms) >= {"words", "geometry", "plan", "ground", "lift", "steps", "gate", "total"}
    assert plan.confidence == pytest.approx(0.95)
    assert plan.digest == replace(plan, plan_id="x", timings_ms={}).digest


def test_words_that_are_no_instruction():
    with pytest.raises(InvalidInstructionError):
        pipeline(world()).plan(frame(), "   ")


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (PlanDraft(()), NotUnderstoodError),
        (PlanDraft((), question="which cube?"), AmbiguousError),
        (PlanDraft((), refusal="that is not safe"), NotUnderstoodError),
        (draft(("pick", "the dog")), TargetNotFoundError),
    ],
)
def test_the_models_other_answers(answer, error):
    w = world()
    w.answer_draft = answer
    with pytest.raises(error):
        pipeline(w).plan(frame(), SENTENCE)


def test_a_guess_is_unsure_and_only_for_whoever_reads_it_back():
    guess = (DraftStep("pick", "the cube", confidence=0.3),)
    w = world()
    w.answer_draft = PlanDraft((), confidence=0.9, guess=guess)
    made = pipeline(w).draft(frame(), "up with the cube")
    assert (made.steps, made.confidence) == (guess, 0.3)
    assert pipeline(w).draft(frame(), "where is the cube?").steps == ()
    with pytest.raises(NotUnderstoodError):
        pipeline(w).plan(frame(), "up with the cube")
    never = config_from_dict({"command": {"confirm_below": 0.0}})
    assert Pipeline(w, never, lifter=w.lifter).draft(frame(), "up with the cube").steps == ()


def test_two_strong_candidates_are_a_question():
    w = world()
    w.things["red2"] = replace(w.things["red2"], score=0.9)
    with pytest.raises(AmbiguousError, match="which red cube do you mean"):
        pipeline(w).plan(frame(), SENTENCE)


def test_one_thing_found_twice_is_one():
    w = world()
    box = w.things["red"].box_xyxy
    w.ground = lambda image, phrase: tuple(  # type: ignore[method-assign]
        ScoredBox(phrase, tuple(v + d for v in (box if "cube" in phrase else w.things["bowl"].box_xyxy)), 0.9)
        for d in (0, 2)
    )
    assert len(pipeline(w).plan(frame(), SENTENCE).steps) == 2


def test_no_depth_where_it_is_needed_and_no_transform():
    needed = Config.model_validate({"grounding": {"without_depth": False}})
    with pytest.raises(NoDepthError, match="located in metres"):
        Pipeline(world(), needed).plan(frame(depth=False), SENTENCE)
    with pytest.raises(NoDepthError):
        Pipeline(world(), needed).ground(frame(depth=False), "the bowl")
    with pytest.raises(TransformUnavailableError):
        pipeline(world()).plan(replace(frame(), T_base_camera=None), SENTENCE)


def test_a_thing_named_but_without_depth():
    w = world()

    def lifter(f, boxes):
        def lift(box):
            raise NoDepthError("no valid depth in the box")

        return lift

    with pytest.raises(NoDepthError, match="in the box"):
        Pipeline(w, lifter=lifter).plan(frame(), SENTENCE)


def test_the_gate_has_the_last_word():
    w = world()
    w.things["red"] = thing("red cube", 0.24 - 0.05, 0.0)  # near the area: seen, but not to be touched
    with pytest.raises(UnsafeError, match="work_area"):
        pipeline(w).plan(frame(), SENTENCE)


def test_things_far_from_the_work_area_are_not_meant():
    w = world()
    w.things["red"] = thing("red cube", 0.95, 0.0)
    with pytest.raises(TargetNotFoundError):
        pipeline(w).plan(frame(), SENTENCE)


def test_fresh_look_takes_the_candidate_where_it_was():
    w = world()
    p = pipeline(w)
    pick, _ = p.plan(frame(), SENTENCE).steps
    w.things["red2"] = replace(w.things["red2"], score=0.9)
    w.move("red", 0.41, 0.20)
    found = p.locate(frame(7), pick)
    assert found.target.position_m[0] == 0.41
    assert found.target.stamp_ns == 7
    assert found.target.label == "the red cube"
    assert "bowl" in {o.label for o in found.obstacles}


def test_fresh_look_follows_what_moved_far():
    w = world()
    p = pipeline(w)
    pick, place = p.plan(frame(), SENTENCE).steps
    w.move("red", 0.55, 0.10)
    w.move("bowl", 0.40, -0.20)
    assert p.locate(frame(7), pick).target.position_m[:2] == (0.55, 0.10)
    assert p.locate(frame(7), place, held=pick.target).goal_position_m == pytest.approx((0.40, -0.20, 0.006))


def test_fresh_look_says_what_vanished_or_cannot_be_told_apart():
    w = world()
    p = pipeline(w)
    pick, place = p.plan(frame(), SENTENCE).steps
    w.move("red", 0.55, 0.10)
    w.things["red2"] = replace(w.things["red2"], score=0.9)
    with pytest.raises(AmbiguousError, match="has gone from where it was"):
        p.locate(frame(7), pick)
    del w.things["bowl"]
    with pytest.raises(TargetNotFoundError, match="the bowl"):
        p.locate(frame(7), place, held=pick.target)


def test_a_phrase_that_fits_no_longer_keeps_the_thing_in_its_place():
    w = world()
    p = pipeline(w)
    pick, _ = p.plan(frame(), SENTENCE).steps
    w.phrases["the red cube"] = []
    assert p.locate(frame(7), pick).target.position_m == pick.target.position_m
    w.things["red"] = thing("plate", 0.40, 0.20, (0.17, 0.17, 0.015))  # another thing in its place
    with pytest.raises(TargetNotFoundError):
        p.locate(frame(7), pick)


def test_verification_trusts_the_place_before_the_phrase():
    w = world()
    p = pipeline(w)
    pick, _ = p.plan(frame(), SENTENCE).steps
    w.things["red2"] = replace(w.things["red2"], score=0.9)
    w.phrases["the red cube"] = ["red2"]  # by now the phrase fits another
    assert p.locate(frame(7), replace(pick, skill="verify")).target.position_m[0] == 0.40
    assert p.locate(frame(7), pick).target.position_m[0] == 0.30


def test_verification_believes_the_phrase_where_nothing_stood_before():
    w = world()
    p = pipeline(w)
    pick, _ = p.plan(frame(), SENTENCE).steps
    others = p.locate(frame(), pick).obstacles
    w.things["red2"] = replace(w.things["red2"], label="blue cube", score=0.9)
    w.move("red", 0.55, 0.25)
    w.move("red2", 0.40, 0.20)  # a like thing stands where the red cube was to stand
    w.phrases["the red cube"] = ["red"]
    look = replace(pick, skill="verify", obstacles=others)
    assert p.locate(frame(7), look).target.position_m[:2] == (0.55, 0.25)


def test_home_needs_nothing():
    p = pipeline(world())
    w = world()
    w.answer_draft = draft(("home",))
    (home,) = pipeline(w).plan(frame(), "go home").steps
    assert p.locate(frame(), home) is home


def test_ground_and_overview():
    p = pipeline(world())
    assert [t.label for t in p.ground(frame(), "the bowl")] == ["the bowl"]
    assert len(p.overview(frame())) == 3


def test_what_was_moved_is_known_again_where_it_was_left_though_less_of_it_is_seen() -> None:
    left = thing("orange sphere", 0.45, 0.0, (0.05, 0.05, 0.05))
    things = {"ball": thing("orange ball", 0.455, 0.0, (0.04, 0.04, 0.027))}
    seen = pipeline(FakeWorld(things, {}, DRAFT))
    ((now, _),) = seen.seen_again(frame(), [(left, left)])
    assert now.position_m == things["ball"].position_m
    farther = thing("orange sphere", 0.49, 0.0, (0.05, 0.05, 0.05))
    assert not seen.seen_again(frame(), [(farther, farther)])
