"""Long sentences are read clause by clause where that is surer than the whole."""

from __future__ import annotations

import pytest

from mmrobot.types import DraftStep
from mmrobot.vlm.families.nano_clauses import Reading, by_clauses, in_two, joined, takes_noun


def pick(target: str) -> DraftStep:
    return DraftStep("pick", target)


def place(reference: str, relation: str = "on") -> DraftStep:
    return DraftStep("place", None, relation, reference)


BALL_IN_BOWL = (pick("ball"), place("bowl", "in"))
PUSH = (DraftStep("push", "cup", "behind"),)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("push the cup away and then pick the ball", ("push the cup away", "pick the ball")),
        ("first push the cup away, then pick the ball", ("push the cup away", "pick the ball")),
        ("step one push the cup away step two pick the ball", ("push the cup away", "pick the ball")),
        ("push the cup away. When that's done, please pick the ball", ("push the cup away", "pick the ball")),
        ("to begin push the cup away; pick the ball", ("push the cup away", "pick the ball")),
    ],
)
def test_the_words_that_join_are_left_out(text: str, parts: tuple[str, str]) -> None:
    assert parts in list(in_two(text))


def test_an_and_joins_more_loosely_and_what_goes_on_is_no_clause() -> None:
    text = "take the cube and the ball"
    assert list(in_two(text)) == []
    assert list(in_two(text, loosely=True)) == [("take the cube", "the ball")]
    assert list(in_two("if it is red take it. Otherwise go home")) == []
    assert list(in_two("then")) == []


@pytest.mark.parametrize(
    ("first", "second", "clause", "steps"),
    [
        (PUSH, BALL_IN_BOWL, "put the ball in the bowl", (*PUSH, *BALL_IN_BOWL)),
        (BALL_IN_BOWL, (place("tray"),), "put it on the tray", (*BALL_IN_BOWL, pick("ball"), place("tray"))),
        ((pick("ball"),), (place("tray"),), "put it on the tray", (pick("ball"), place("tray"))),
        ((pick("ball"),), (pick("it"), place("tray")), "put it on the tray", (pick("ball"), place("tray"))),
        (PUSH, (pick("it"),), "pick it up", (*PUSH, pick("cup"))),
        (BALL_IN_BOWL, (place("it"),), "on it", (*BALL_IN_BOWL, pick("ball"), place("ball"))),
        # "It" was read as the cube: the clause does not stand by itself.
        (BALL_IN_BOWL, (pick("cube"), place("cube")), "put it on the cube", None),
        ((DraftStep("each", "cubes"), place("tray")), (place("bowl"),), "put them on the bowl", None),
        (BALL_IN_BOWL, (DraftStep("again", "cube"),), "do the same with the cube", None),
        ((DraftStep("if", text="it is", then=PUSH),), BALL_IN_BOWL, "put the ball in the bowl", None),
        ((), BALL_IN_BOWL, "put the ball in the bowl", None),
    ],
)
def test_the_second_clause_may_lean_on_the_first(first, second, clause, steps) -> None:  # type: ignore[no-untyped-def]
    assert joined(first, second, clause) == steps


def test_a_clause_that_takes_its_noun_from_before() -> None:
    assert takes_noun("put the red one on the tray")
    assert not takes_noun("if there is one ball pick it")
    assert not takes_noun("push the cup")


READS = {
    "push the cup away": Reading(PUSH, 0.9),
    "put the ball in the bowl": Reading(BALL_IN_BOWL, 0.8),
    "put the red one in the bowl": Reading(BALL_IN_BOWL, 0.95),
    "if it is": Reading((), 0.0),
}
NOTHING = Reading((), 0.0)


def read(text: str) -> Reading:
    return READS.get(text, NOTHING)


def test_clauses_count_where_each_is_surer_than_the_whole() -> None:
    text = "push the cup away and then put the ball in the bowl"
    unsure = Reading(PUSH, 0.5)
    assert by_clauses(text, unsure, read) == Reading((*PUSH, *BALL_IN_BOWL), 0.8)
    sure = Reading(BALL_IN_BOWL, 0.85)
    assert by_clauses(text, sure, read) is sure
    assert by_clauses("push the cup away and then dance", unsure, read) is unsure
    assert by_clauses("push it", unsure, read) is unsure, "too short for two"


def test_a_third_clause_is_read_too_and_a_noun_is_not_taken_from_nowhere() -> None:
    three = "push the cup away, then put the ball in the bowl. after that push the cup away"
    assert by_clauses(three, Reading(PUSH, 0.1), read).steps == (*PUSH, *BALL_IN_BOWL, *PUSH)
    leaning = "push the cup away and then put the red one in the bowl"
    fair = Reading(PUSH, 0.7)
    assert by_clauses(leaning, fair, read) is fair
    assert by_clauses(leaning, Reading(PUSH, 0.2), read).steps == (*PUSH, *BALL_IN_BOWL)


def test_loose_joints_are_tried_for_what_is_unsure_alone() -> None:
    text = "push the cup away and put the ball in the bowl"
    assert by_clauses(text, Reading(PUSH, 0.5), read).steps == (*PUSH, *BALL_IN_BOWL)
    fair = Reading(PUSH, 0.7)
    assert by_clauses(text, fair, read) is fair
