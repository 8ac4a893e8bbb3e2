"""Words about the task itself are told from words about things."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmrobot.command.control import decides, goes_on, queued, undoes


@pytest.mark.parametrize(
    "text", ["go on", "OK, go on please!", "Continue.", "carry on, robot", "go ahead now"]
)
def test_go_on(text: str) -> None:
    assert goes_on(text)


@pytest.mark.parametrize(
    "text", ["go on with the cube", "continue to the left", "don't go on", "", "go home"]
)
def test_no_go_on(text: str) -> None:
    assert not goes_on(text)


@pytest.mark.parametrize("text", ["undo", "Undo that, please.", "take it back", "ok undo the last step"])
def test_undo(text: str) -> None:
    assert undoes(text)


@pytest.mark.parametrize("text", ["undo the red cube", "take it back to the bowl", "do it", "put it back"])
def test_no_undo(text: str) -> None:
    assert not undoes(text)


@pytest.mark.parametrize(
    ("text", "meant"),
    [("approve", True), ("I approve the plan, thanks", True), ("reject it", False), ("Rejected!", False),
     ("yes", None), ("approve the red cube", None), ("accept or reject", None), ("", None)],
)  # fmt: skip
def test_decisions(text: str, meant: bool | None) -> None:
    assert decides(text) is meant


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("then put the ball in the bowl", "put the ball in the bowl"),
        ("And then, go home", "go home"),
        ("after that push it away", "push it away"),
        ("once you're done put it back", "put it back"),
        ("When you are finished with that, pick up the cup", "pick up the cup"),
        ("next, stack them", "stack them"),
    ],
)
def test_what_comes_after(text: str, rest: str) -> None:
    assert queued(text) == rest


@pytest.mark.parametrize(
    "text",
    ["put it in the bowl, then go home", "next to the bowl", "then", "then the green one", "the next cube"],
)
def test_what_does_not(text: str) -> None:
    assert queued(text) is None


@given(st.text(max_size=600))
def test_any_text_has_an_answer(text: str) -> None:
    assert isinstance(goes_on(text), bool) and isinstance(undoes(text), bool)
    assert decides(text) in (True, False, None)
    rest = queued(text)
    assert rest is None or (rest and rest in text)
