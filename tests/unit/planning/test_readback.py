"""A draft is read back so that a person can say yes or no to it."""

from __future__ import annotations

import pytest

from mmrobot.planning.readback import read_back
from mmrobot.types import DraftStep as Step

IN_BOWL = Step("place", None, "in", "bowl")


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ([], ""),
        ([Step("pick", "red cube"), IN_BOWL], "put the red cube in the bowl"),
        ([Step("pick", "red cube")], "pick up the red cube"),
        ([Step("pick", "it"), Step("place", None, "left_of", "my cup")], "put it to the left of my cup"),
        ([Step("each", "all the cubes"), IN_BOWL], "put all the cubes in the bowl"),
        ([Step("each", "cubes"), IN_BOWL], "put each of the cubes in the bowl"),
        ([Step("each", "cubes", count=2), IN_BOWL], "put exactly 2 of the cubes in the bowl"),
        (
            [Step("each", "each cube"), Step("place", None, "in", "bowl", match="own_color")],
            "put each cube in the bowl of the same colour",
        ),
        (
            [Step("each", "each cube"), Step("place", None, "on", "plate", match="different")],
            "put each cube on another plate",
        ),
        ([Step("push", "ball", "behind"), Step("home")], "push the ball away, then go home"),
        ([Step("push", "ball", "near", "tray")], "push the ball to the tray"),
        ([Step("swap", "ball", reference="cup")], "swap the ball and the cup"),
        (
            [Step("pick", "cube"), IN_BOWL, Step("avoid", "cup")],
            "put the cube in the bowl, then keep away from the cup",
        ),
        ([Step("instead", "green one")], "take the green one instead"),
        ([Step("instead", None, "in", "bowl")], "put it in the bowl instead"),
        ([Step("put_back", "it")], "put it back"),
        (
            [Step("if", text="there is a ball", then=(Step("pick", "ball"),), otherwise=(Step("home"),))],
            "if there is a ball, pick up the ball, otherwise go home",
        ),
        (
            [Step("if", text="the bowl is empty", otherwise=(Step("home"),))],
            "unless the bowl is empty, go home",
        ),
    ],
)  # fmt: skip
def test_it_says_what_would_be_done(steps: list[Step], said: str) -> None:
    assert read_back(steps) == said
