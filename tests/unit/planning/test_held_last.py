"""What is to stay in the hand is taken after all that needs the hand."""

from __future__ import annotations

import pytest

from mmrobot.planning.held_last import held_last
from mmrobot.types import DraftStep

CUP, BALL, IN_BOWL = (
    DraftStep("pick", "cup"),
    DraftStep("pick", "ball"),
    DraftStep("place", None, "in", "bowl"),
)
CUBES, HOME = DraftStep("each", "cubes"), DraftStep("home")


@pytest.mark.parametrize(
    ("steps", "order"),
    [
        ((CUP, BALL, IN_BOWL), (BALL, IN_BOWL, CUP)),
        ((CUP, CUBES, IN_BOWL), (CUBES, IN_BOWL, CUP)),
        ((BALL, IN_BOWL, CUP, CUBES, IN_BOWL), (BALL, IN_BOWL, CUBES, IN_BOWL, CUP)),
        (
            (CUP, DraftStep("if", text="x", then=(BALL, IN_BOWL))),
            (DraftStep("if", text="x", then=(BALL, IN_BOWL)), CUP),
        ),
        # Nothing to change: put down at once, the only one, or last already.
        ((CUP, IN_BOWL, BALL, IN_BOWL), (CUP, IN_BOWL, BALL, IN_BOWL)),
        ((CUP,), (CUP,)),
        ((CUP, HOME), (CUP, HOME)),
        ((), ()),
    ],
)
def test_order(steps: tuple[DraftStep, ...], order: tuple[DraftStep, ...]) -> None:
    assert held_last(steps) == order


@pytest.mark.parametrize(
    "later",
    [
        (BALL,),
        (BALL, DraftStep("place", None, "on", "cup")),
        (BALL, DraftStep("place", None, "on", "it")),
        (DraftStep("if", text="x", then=(BALL,)),),
        (DraftStep("if", text="x", then=(BALL, IN_BOWL), otherwise=(BALL,)),),
    ],
)
def test_not_where_two_would_be_held_or_it_is_needed_before(later: tuple[DraftStep, ...]) -> None:
    assert held_last((CUP, *later)) == (CUP, *later)
