"""Answers to "which one?", and what is a question at all."""

from __future__ import annotations

import pytest

from mmrobot.command.answers import names_thing, narrowed
from mmrobot.command.questions import is_question


@pytest.mark.parametrize(
    ("phrase", "answer", "meant"),
    [
        ("the red cube", "the left one", "the left red cube"),
        ("the red cube", "the one on the left, please", "the red cube on the left"),
        ("the red cube", "no, I meant the bigger one", "the bigger red cube"),
        ("red cube", "on the right", "the red cube on the right"),
        ("the cube", "the red one", "the red cube"),
        ("a cube", "red", "the red cube"),
        ("the red one", "the red cube", "the red cube"),
        ("the cube", "the blue cube behind the bowl", "the blue cube behind the bowl"),
        ("the cube", "the one nearest to the robot", "the cube nearest to the robot"),
    ],
)
def test_an_answer_narrows_the_phrase(phrase: str, answer: str, meant: str) -> None:
    assert names_thing(answer)
    assert narrowed(phrase, answer).removeprefix("the ") == meant.removeprefix("the ")


@pytest.mark.parametrize("words", ["put the ball in the bowl", "stop that", "take the left one", ""])
def test_a_new_instruction_is_no_answer(words: str) -> None:
    assert not names_thing(words)


@pytest.mark.parametrize(
    "words",
    ["report the shape of the white one", "waht color is the plate", "the tray is green right",
     "number of bowls",
     "how many cubes are there",
     "hello robot is the cup empty", "tell me the color of the ball", "red?",
     "the purple one is what shape", "so what size is the bowl", "can you see a red cube",
     "could you please tell me the color of the bowl", "in which bowl is the ball",
     "the ball is in which bowl", "whose color is the same as that of the cup"],
)  # fmt: skip
def test_questions(words: str) -> None:
    assert is_question(words)


@pytest.mark.parametrize(
    "words",
    ["put the ball in the bowl", "it is the green ball that you should lift", "the cube", "", "home",
     "the table has a cup on it", "would you quickly crown the red cube with the bar?",
     "please can you dance", "dreel the cylinder whose tint is green"],
)  # fmt: skip
def test_no_questions(words: str) -> None:
    assert not is_question(words)
