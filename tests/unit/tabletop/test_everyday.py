"""Sentences that join in one breath what the families say one by one: said rightly, for training alone."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from mmrobot.tabletop.language import Command, make_command, random_things
from mmrobot.tabletop.language.everyday import EverydayMaker
from mmrobot.tabletop.language.noise import CLEAN
from mmrobot.tabletop.language.phrases import Style
from mmrobot.tabletop.language.single import UnsuitedError
from mmrobot.tabletop.plan_meaning import meaning_of, text_of
from mmrobot.vlm.words import words

MAKERS = (
    "all_but", "if_seen", "if_empty", "two_sets", "tower_of", "out_and_put", "put_and_lift", "many", "cannot",
    "by_relation",
)  # fmt: skip


def said(count: int, seed: int = 0) -> list[Command]:
    rng = random.Random(seed)
    made = []
    while len(made) < count:
        command = make_command(rng, random_things(rng), family="everyday", mixed=True, noise=CLEAN)
        if command is not None:
            made.append(command)
    return made


@pytest.mark.parametrize("name", MAKERS)
def test_each_kind_is_made_within_some_scenes(name: str) -> None:
    rng = random.Random(name)
    for _ in range(200):
        maker = EverydayMaker(rng, random_things(rng), Style(), "train", None, None, ())
        maker.mixed = True
        try:
            draft = getattr(maker, name)()
        except UnsuitedError:
            continue
        assert draft.words
        assert bool(draft.steps) is (name != "cannot")
        return
    pytest.fail(f"{name} suits no scene")


def test_every_phrase_of_a_plan_stands_in_the_sentence() -> None:
    kinds: Counter[str] = Counter()
    for command in said(300):
        kinds[command.kind] += 1
        have = words(command.text)
        for step in command.steps:
            for span in (step.target, step.reference):
                assert span is None or all(0 <= i < len(have) for i in span), command.text
    assert len(kinds) >= 6


def test_what_is_left_out_belongs_to_the_set_wherever_it_is_said() -> None:
    for command in said(300, 1):
        if command.kind == "negation":
            target = text_of(meaning_of(command.text, command.steps)).split(";")[0]
            assert any(but in target for but in ("except", "but", "other", "apart", "leaving", "without"))
            return
    pytest.fail("nothing was left out")


def test_they_are_for_training_alone() -> None:
    rng = random.Random(2)
    with pytest.raises(ValueError, match="everyday"):
        make_command(rng, random_things(rng), family="everyday")
