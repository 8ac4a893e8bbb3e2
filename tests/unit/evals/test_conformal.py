"""Thresholds with a promise, and pairs that differ in one thing."""

from __future__ import annotations

import random

import pytest

from mmrobot.errors import InvalidConfigError
from mmrobot.evals.conformal import Phrase, conformal_threshold, rates
from mmrobot.evals.counterfactuals import NOTHING, make_pair


def test_the_promise_holds_over_many_calibrations():
    rng = random.Random(0)
    for alpha in (0.1, 0.3):
        kept = []
        for _ in range(400):
            scores = [rng.random() for _ in range(60)]
            threshold = conformal_threshold(scores[:-1], alpha)
            kept.append(scores[-1] >= threshold)
        assert sum(kept) / len(kept) >= 1 - alpha - 0.04
        assert sum(kept) / len(kept) <= 1 - alpha + 0.06, "no wider than it must be"


def test_few_scores_promise_nothing():
    assert conformal_threshold([0.9] * 8, 0.1) == 0.0
    assert conformal_threshold([0.5, *[0.9] * 8], 0.1) == 0.5
    with pytest.raises(InvalidConfigError, match="alpha 1"):
        conformal_threshold([0.5], 1.0)


def test_asking_and_acting_falsely():
    phrases = [
        Phrase("one", ((0.9, True), (0.1, False))),  # taken
        Phrase("one", ((0.9, True), (0.8, False))),  # asked about, though clear
        Phrase("one", ((0.2, True), (0.9, False))),  # the wrong one taken
        Phrase("one", ((0.3, True),)),  # refused, though there
        Phrase("none", ((0.7, False),)),  # taken for what is not there
        Phrase("several", ((0.9, True), (0.7, True))),  # asked about, rightly
    ]
    found = rates(phrases, 0.5)
    assert (found["coverage"]["passed"], found["coverage"]["n"]) == (2, 4)
    assert (found["false_ask"]["passed"], found["false_ask"]["n"]) == (2, 4)
    assert (found["false_act"]["passed"], found["false_act"]["n"]) == (2, 6)
    # With a rival's ratio 0.8 still stands beside 0.9, 0.1 does not beside 0.9 even at threshold 0.
    assert rates(phrases[:2], 0.0, 0.6)["false_ask"]["passed"] == 1
    assert Phrase("one", ((0.0, True),)).chosen(0.0) == [], "what got no score is never chosen"


@pytest.mark.parametrize("seed", range(500_000, 500_012))
def test_pairs_differ_in_one_thing(seed):
    words = make_pair("words", seed)
    (scene, said, meant), (same, other, then) = words.before, words.after
    assert scene == same and meant != then
    assert sum(a != b for a, b in zip(said.split(), other.split(), strict=True)) == 1
    assert scene.by_id[then].color in other
    assert scene.by_id[then].shape == scene.by_id[meant].shape

    picture = make_pair("picture", seed)
    (scene, said, meant), (painted, same_words, then) = picture.before, picture.after
    assert said == same_words and then == NOTHING
    changed = [(a, b) for a, b in zip(scene.objects, painted.objects, strict=True) if a != b]
    assert [a.id for a, _ in changed] == [meant]
    assert changed[0][1].color not in {o.color for o in scene.objects}
    assert make_pair("picture", seed) == picture
