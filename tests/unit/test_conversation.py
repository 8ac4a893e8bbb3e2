"""Turns: a plan, an answer, a question back, and what is meant by the answer to that."""

from __future__ import annotations

import pytest

from mmrobot.conversation import Conversation
from mmrobot.errors import AmbiguousError, NotUnderstoodError
from mmrobot.pipeline import Pipeline
from mmrobot.types import ActionPlan, Answer, DraftStep, PlanDraft
from tests.support.fake_world import FakeWorld, bowl, draft, frame, thing

SENTENCE = "put the cube in the bowl"
PUT = draft(("pick", "the cube"), ("place", "in", "the bowl"))


class Talker(FakeWorld):
    """Plans one sentence, answers one question."""

    def plan(self, image_rgb, instruction, dialogue=()):
        return PUT if instruction == SENTENCE else draft()

    def answer(self, image_rgb, question):
        assert question == "how many cubes are there?"
        return "2"


def talk() -> Conversation:
    things = {
        "left": thing("red cube", 0.40, 0.20),
        "right": thing("blue cube", 0.40, -0.25),
        "bowl": bowl("bowl", 0.50, -0.02),
    }
    phrases = {
        "the cube": ["left", "right"],
        "the bowl": ["bowl"],
        "the red cube": ["left"],
        "the cube on the right": ["right"],
        "the small cube": ["left", "right"],
    }
    operations = frozenset({"ground", "plan", "describe", "answer"})
    world = Talker(things, phrases, operations=operations)
    return Conversation(Pipeline(world, lifter=world.lifter))


def ask_back(conversation: Conversation) -> AmbiguousError:
    with pytest.raises(AmbiguousError) as error:
        conversation.respond(frame(), SENTENCE)
    return error.value


def test_a_question_is_answered_and_nothing_is_planned() -> None:
    question = "how many cubes are there?"
    assert talk().respond(frame(), question) == Answer(question, "2")


@pytest.mark.parametrize(
    ("answer", "y_m"), [("the red one", 0.20), ("red", 0.20), ("the one on the right please", -0.25)]
)
def test_which_one_is_asked_and_the_answer_goes_on_with_it(answer: str, y_m: float) -> None:
    conversation = talk()
    error = ask_back(conversation)
    assert error.candidates == ("the red cube", "the blue cube")
    assert str(error) == "which cube do you mean: the red cube or the blue cube?"
    plan = conversation.respond(frame(), answer)
    assert isinstance(plan, ActionPlan)
    assert plan.instruction == SENTENCE
    assert [s.skill for s in plan.steps] == ["pick", "place"]
    assert plan.steps[0].target is not None and plan.steps[0].target.position_m[1] == pytest.approx(y_m)


def test_an_answer_that_leaves_it_open_is_asked_about_again() -> None:
    conversation = talk()
    ask_back(conversation)
    with pytest.raises(AmbiguousError):
        conversation.respond(frame(), "the small one")
    assert isinstance(conversation.respond(frame(), "the red cube"), ActionPlan)


def test_other_words_begin_anew_and_an_old_question_is_forgotten() -> None:
    conversation = talk()
    ask_back(conversation)
    question = "how many cubes are there?"
    assert conversation.respond(frame(), question) == Answer(question, "2")
    with pytest.raises(NotUnderstoodError):
        conversation.respond(frame(), "the red one")


def test_a_late_answer_is_none() -> None:
    conversation = talk()
    ask_back(conversation)
    late = frame(int(61e9))
    with pytest.raises(NotUnderstoodError):
        conversation.respond(late, "the red one")


def test_a_whole_command_is_no_answer() -> None:
    conversation = talk()
    ask_back(conversation)
    with pytest.raises(NotUnderstoodError):
        conversation.respond(frame(), "the red cube into the bowl")


def unsure() -> Conversation:
    conversation = talk()
    draft_of = PlanDraft(
        (DraftStep("pick", target="the red cube"), DraftStep("place", None, "in", "the bowl")), confidence=0.5
    )
    world = conversation.pipeline.vlm
    world.plan = lambda image, instruction, dialogue=(): (  # type: ignore[attr-defined]
        draft_of if instruction == "the cube , bowl it" else draft()
    )
    with pytest.raises(AmbiguousError) as error:
        conversation.respond(frame(), "the cube , bowl it")
    assert str(error.value) == "did you mean: put the red cube in the bowl?"
    assert error.value.candidates == ("yes", "no")
    return conversation


def test_what_is_read_unsurely_is_read_back_and_done_after_a_yes() -> None:
    plan = unsure().respond(frame(), "yes, please")
    assert isinstance(plan, ActionPlan)
    assert plan.instruction == "the cube , bowl it"
    assert [s.skill for s in plan.steps] == ["pick", "place"]


@pytest.mark.parametrize("words", ["no", "hello", "the red one"])
def test_without_a_yes_nothing_is_done_and_a_later_yes_means_nothing(words: str) -> None:
    conversation = unsure()
    for said in (words, "yes"):
        with pytest.raises(NotUnderstoodError):
            conversation.respond(frame(), said)


def test_a_late_yes_is_none() -> None:
    with pytest.raises(NotUnderstoodError):
        unsure().respond(frame(int(61e9)), "yes")


def test_a_word_that_was_defined_is_known_from_then_on() -> None:
    conversation = talk()
    asked: list[str] = []
    world = conversation.pipeline.vlm
    world.plan = lambda image, instruction, dialogue=(): asked.append(instruction) or draft()  # type: ignore[attr-defined,func-returns-value]
    for words in ("a dax is a cube; put the dax in the bowl", "take the dax"):
        with pytest.raises(NotUnderstoodError):
            conversation.respond(frame(), words)
    assert asked == ["put the cube in the bowl", "take the cube"]


def test_words_may_lean_on_the_request_before() -> None:
    conversation = talk()
    world = conversation.pipeline.vlm
    said = {
        "put the red cube in the bowl": draft(("pick", "the red cube"), ("place", "in", "the bowl")),
        "no, the blue one": PlanDraft((DraftStep("instead", target="blue one"),)),
    }
    world.plan = lambda image, instruction, dialogue=(): said[instruction]  # type: ignore[attr-defined]
    world.phrases = {**world.phrases, "the blue cube": ["right"]}  # type: ignore[attr-defined]
    conversation.respond(frame(), "put the red cube in the bowl")
    plan = conversation.respond(frame(), "no, the blue one")
    assert isinstance(plan, ActionPlan)
    assert [s.target.label for s in plan.steps if s.skill == "pick" and s.target] == ["the blue cube"]
