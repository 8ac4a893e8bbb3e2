"""Words that are said to mean something."""

from __future__ import annotations

import pytest

from mmrobot.command.definitions import define, replaced


@pytest.mark.parametrize(
    ("text", "becomes"),
    [
        ("a dax is a white bar; put the dax in the bowl", "put the white bar in the bowl"),
        ("A wug means a red cube. Pick up the wug!", "Pick up the red cube!"),
        ("By toma I mean the bowl: put the ball in the toma", "put the ball in the bowl"),
        ("let us call the green ball a fep. push the fep away", "push the green ball away"),
        (
            "the kiki is the blue cup, now put the kiki left of the plate",
            "put the blue cup left of the plate",
        ),
        ("a zib is a cube; put all zibs in the tray", "put all cubes in the tray"),
        ("a white bar is called a dax. take the dax", "take the white bar"),
    ],
)
def test_a_new_word_is_replaced_by_its_meaning(text: str, becomes: str) -> None:
    assert define(text)[0] == becomes


@pytest.mark.parametrize(
    "text",
    [
        "put the ball in the bowl",
        "the cube is red, pick it up",
        "is the cube red?",
        "there is a ball; take it",
        "a dax is a white bar",
        "",
    ],
)
def test_other_words_define_nothing(text: str) -> None:
    assert define(text) == (text, {})


def test_whole_words_alone_are_replaced() -> None:
    assert replaced("the daxter and the Dax", {"dax": "bar"}) == "the daxter and the bar"
