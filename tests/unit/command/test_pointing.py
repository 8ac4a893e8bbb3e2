"""Words that point get the names of what is pointed at; too few or too many are refused."""

from __future__ import annotations

import pytest

from mmrobot.command.pointing import Pointed, point_out
from mmrobot.errors import InvalidInstructionError

CUBE, BOWL, TABLE = Pointed("the red cube"), Pointed("the blue bowl", "in"), Pointed("the table", "on")


@pytest.mark.parametrize(
    ("text", "pointed", "meant"),
    [
        ("put this there", [CUBE, BOWL], "put the red cube in the blue bowl"),
        ("put this in that", [CUBE, BOWL], "put the red cube in the blue bowl"),
        ("Put this cube in that bowl.", [CUBE, BOWL], "Put the red cube in the blue bowl."),
        ("put this one over there, please", [CUBE, TABLE], "put the red cube on the table, please"),
        ("pick this up", [CUBE], "pick the red cube up"),
        ("push this away from you", [CUBE], "push the red cube away from you"),
        ("pick it up", [CUBE], "pick the red cube up"),
        ("put the cube that is green in there", [BOWL], "put the cube that is green in the blue bowl"),
        ("what is this?", [CUBE], "what is the red cube?"),
        ("put the red cube in the bowl", [], "put the red cube in the bowl"),
        (
            "move that to the left of this small block",
            [CUBE, BOWL],
            "move the red cube to the left of the blue bowl",
        ),
    ],
)  # fmt: skip
def test_names_stand_for_what_is_pointed_at(text: str, pointed: list[Pointed], meant: str) -> None:
    assert point_out(text, pointed) == meant


@pytest.mark.parametrize(
    ("text", "pointed"),
    [("put this there", [CUBE]), ("put this away", [CUBE, BOWL]), ("go home", [CUBE]), ("", [CUBE])],
)
def test_too_few_or_too_many_are_refused(text: str, pointed: list[Pointed]) -> None:
    with pytest.raises(InvalidInstructionError, match="pointed at"):
        point_out(text, pointed)
