"""What words mean after an earlier request."""

from __future__ import annotations

import pytest

from mmrobot.errors import NotUnderstoodError
from mmrobot.planning.dialogue import exchanged, in_context
from mmrobot.types import DraftStep, PlanDraft

PICK = DraftStep("pick", target="red cube")
PLACE = DraftStep("place", relation="in", reference="blue bowl")
PUT = PlanDraft((PICK, PLACE))


def said(*steps: DraftStep, before: PlanDraft | None = PUT, held: str | None = None, moved: bool = False):
    made = in_context(PlanDraft(steps), before, held, moved).steps
    return [" ".join(w for w in (s.skill, s.target, s.relation, s.reference) if w) for s in made]


BACK = "put_back it"


@pytest.mark.parametrize(
    ("act", "steps"),
    [
        (DraftStep("again", target="green one"), ["pick the green cube", "place in blue bowl"]),
        (DraftStep("again", target="white ball"), ["pick white ball", "place in blue bowl"]),
        (DraftStep("other"), ["pick the other red cube", "place in blue bowl"]),
        (DraftStep("instead", target="green one"), [BACK, "pick the green cube", "place in blue bowl"]),
        (DraftStep("not_that"), [BACK, "pick the other red cube", "place in blue bowl"]),
        (DraftStep("instead", target="white bowl"), [BACK, "pick red cube", "place in white bowl"]),
        (DraftStep("instead", relation="on", reference="plate"), ["pick it", "place on plate"]),
    ],
)
def test_acts_after_a_thing_was_put_down(act: DraftStep, steps: list[str]) -> None:
    assert said(act, moved=True) == steps


@pytest.mark.parametrize(
    ("phrase", "meant", "becomes"),
    [
        ("the red cube on the left", "green one", "the green cube"),
        ("left red cube", "one on the right", "the cube on the right"),
        ("cube that is left of the bowl", "blue one", "the blue cube"),
        ("red cube", "the white ball", "the white ball"),
        ("cylinder thats blood red", "black one", "the black cylinder"),
    ],
)
def test_only_the_noun_is_taken_over(phrase: str, meant: str, becomes: str) -> None:
    assert exchanged(phrase, meant) == becomes


def test_one_is_of_the_kind_that_was_moved() -> None:
    before = PlanDraft((DraftStep("pick", target="the green one"), PLACE))
    act = PlanDraft((DraftStep("instead", target="blue one"),))
    for kind, meant in (("green ball", "the blue ball"), ("", "the blue one")):
        steps = in_context(act, before, None, True, kind).steps
        assert [s.target for s in steps] == ["it", meant, None]


def test_nothing_is_put_back_where_nothing_was_done() -> None:
    act = DraftStep("instead", target="green one")
    assert said(act) == ["pick the green cube", "place in blue bowl"]


@pytest.mark.parametrize("noun", ["one", "thing", "object"])
def test_a_noun_of_anything_does_not_make_a_correction_one_of_where_to(noun: str) -> None:
    before = PlanDraft(
        (DraftStep("pick", target="red cube"), DraftStep("place", relation="on", reference=f"green {noun}"))
    )
    steps = said(DraftStep("instead", target=f"black {noun}"), before=before)
    assert steps[0].startswith("pick") and "black" in steps[0]
    assert steps[1:] == [f"place on green {noun}"]


def test_a_full_hand_is_emptied_before_another_thing_is_taken() -> None:
    before = PlanDraft((PICK,))
    assert said(DraftStep("again", target="green one"), before=before, held="red cube") == [
        BACK,
        "pick the green cube",
    ]
    assert said(DraftStep("pick", target="ball"), held="red cube") == [BACK, "pick ball"]
    assert said(PICK, PLACE, held="red cube") == ["place in blue bowl"]
    assert said(PLACE, held="red cube") == ["place in blue bowl"]


def test_what_was_put_down_last_is_it() -> None:
    assert said(PLACE, moved=True) == ["pick it", "place in blue bowl"]
    assert said(PLACE, moved=False) == ["place in blue bowl"]


def test_the_other_one_takes_its_noun_from_the_request_before() -> None:
    put = (DraftStep("pick", target="other one"), PLACE)
    assert said(*put)[0] == "pick the other red cube"


def test_going_on_goes_on_with_the_request_before() -> None:
    (step,) = in_context(PlanDraft((DraftStep("resume"),)), PUT, None, False).steps
    assert (step.skill, step.then) == ("resume", PUT.steps)


@pytest.mark.parametrize("act", ["again", "other", "instead", "not_that", "resume"])
def test_an_act_without_a_request_before_is_not_understood(act: str) -> None:
    with pytest.raises(NotUnderstoodError, match="earlier request"):
        in_context(PlanDraft((DraftStep(act, target="green one"),)), None, None, False)


def test_other_words_stand_by_themselves() -> None:
    assert in_context(PUT, None, None, False) == PUT
    assert in_context(PlanDraft(()), PUT, None, True) == PlanDraft(())
