"""Replies of a model that make no sense are refused by the ladder; sensible ones pass untouched."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mmrobot.errors import ModelReplyInvalidError
from mmrobot.types import DraftStep, PlanDraft, ScoredBox
from mmrobot.vlm.reply_check import MAX_RAW, checked

PICTURE = np.zeros((48, 64, 3), np.uint8)
BOX = ScoredBox("the red cube", (1.0, 2.0, 30.0, 40.0), 0.9)
ODD = "\x00}]"


@pytest.mark.parametrize(
    ("operation", "reply"),
    [
        ("ground", (BOX,)),
        ("ground", ()),
        ("describe", (BOX, ScoredBox("cut off", (-5.0, -5.0, 10.0, 10.0), 0.5))),
        ("verify", 0.5),
        ("answer", "two\nof them"),
        ("answer", "两个红色的方块"),
        ("plan", PlanDraft((DraftStep("pick", "the red cube"), DraftStep("place", relation="in")))),
        ("plan", PlanDraft((), question="which one?")),
    ],
)
def test_sensible_replies_pass(operation: str, reply: Any) -> None:
    assert checked(operation, reply, PICTURE) is reply


@pytest.mark.parametrize(
    ("operation", "reply", "words"),
    [
        ("ground", (ScoredBox("it", (-70.0, 1.0, -60.0, 9.0), 1.0),), "outside"),
        ("describe", (ScoredBox("it", (1.0, 48.0, 9.0, 60.0), 1.0),), "outside"),
        ("describe", (BOX,) * 2_000, "2000 boxes"),
        ("ground", (ScoredBox(ODD, (1.0, 2.0, 3.0, 4.0), 1.0),), "text with"),
        ("verify", 17.0, "no probability"),
        ("verify", float("nan"), "no probability"),
        ("answer", "x" * 1_000_000, "1000000 characters"),
        ("plan", PlanDraft((DraftStep("pick", "put the " * 125_000),)), "1000000 characters"),
        ("plan", PlanDraft((DraftStep("if", then=(DraftStep("pick", ODD),)),)), "text with"),
        ("plan", PlanDraft((), guess=(DraftStep("pick", ODD),)), "text with"),
        ("plan", PlanDraft((DraftStep("home"),) * 2_000), "2000 steps"),
        ("plan", PlanDraft((), refusal="x" * 5_000), "5000 characters"),
    ],
)
def test_nonsense_is_refused_in_words(operation: str, reply: Any, words: str) -> None:
    match = f"model's reply to '{operation}' makes no sense.*{words}"
    with pytest.raises(ModelReplyInvalidError, match=match) as told:
        checked(operation, reply, PICTURE)
    assert told.value.fix
    assert len(told.value.message) < 300


def test_a_long_raw_reply_is_cut_for_the_record() -> None:
    draft = PlanDraft((DraftStep("home"),), raw="x" * 1_000_000)
    assert len(checked("plan", draft, PICTURE).raw) == MAX_RAW
