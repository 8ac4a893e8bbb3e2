"""Plans are the same whatever the order of moves that have nothing to do with each other."""

from __future__ import annotations

import random

import numpy as np
import pytest

from mmrobot.evals.plan_eval import reply
from mmrobot.learn.logical_forms import plan_ids
from mmrobot.tabletop.language import CLEAN, FAMILIES, make_command, random_things
from mmrobot.tabletop.plan_meaning import meaning_of, spoken, text_of
from mmrobot.types import PlanDraft
from mmrobot.vlm.families.nano_replies import parse_plan
from mmrobot.vlm.words import words

A, B, C = (("pick", "red cube"), ("in", "bowl")), (("pick", "ball"), ("on", "plate")), (("home", ""),)
TOWER = (("pick", "ball"), ("on", "red cube"))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ((*A, *B), (*B, *A), True),
        ((*A, *B, *C), (*B, *A, *C), True),
        ((*A, *TOWER), (*TOWER, *A), False),
        ((*A, *C), (*C, *A), False),
        ((("pick", "the red cube"), ("in", "the bowl")), A, True),
        ((("each", "cubes"), ("in own_color", "bowl")), (("each", "cubes"), ("in", "bowl")), False),
    ],
)
def test_what_commutes_is_the_same(one, other, same) -> None:
    assert (spoken(one) == spoken(other)) == same


@pytest.mark.parametrize("family", sorted(set(FAMILIES) - {"pyramid"}))
def test_a_right_reply_matches_what_was_meant(family: str) -> None:
    """The written tokens, read back as the product does, mean what the grammar meant."""
    rng, seen = random.Random(family), 0

    class Right:
        def plan(self, image, said, dialogue=()):
            return PlanDraft(parse_plan(plan_ids(command), words(said), 1.0))

    for _ in range(200):
        command = make_command(rng, random_things(rng), family=family, noise=CLEAN)
        if command is None:
            continue
        seen += 1
        meant = meaning_of(command.text, command.steps)
        got = reply(Right(), np.zeros((2, 2, 3), np.uint8), command.text)  # type: ignore[arg-type]
        assert got == meant, text_of(got)
        if seen == 25:
            break
    assert seen == 25
