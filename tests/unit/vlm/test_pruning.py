"""Fewer tokens: a fixed number, the best ones, in their first order; flat marks told from things by depth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmrobot.vlm.families.nano_parts import SeenObjects
from mmrobot.vlm.pruning import AtRandom, PrunedNano, WithDepth, lies_flat, pruned


def objects(scores: list[float]) -> SeenObjects:
    n = len(scores)
    order = np.arange(n, dtype=np.float32)
    boxes = np.tile(np.array([0.4, 0.4, 0.5, 0.5], np.float32), (n, 1))
    tokens, places = order[:, None].repeat(5, 1), order[:, None].repeat(3, 1)
    rests = 100 * order[:, None] + order
    return SeenObjects(tokens, boxes, np.array(scores, np.float32), -order, places, rests)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0, 1, width=32), min_size=1, max_size=20), st.data())
def test_the_best_in_their_order(scores: list[float], data: st.DataObject) -> None:
    keep = data.draw(st.integers(1, len(scores)))
    seen = objects(scores)
    left = pruned(seen, keep)
    at = left.tokens[:, 0].astype(int).tolist()
    assert len(at) == keep and at == sorted(at)
    assert left.scores.tolist() == seen.scores[at].tolist()
    assert left.real.tolist() == [-i for i in at] and left.places[:, 2].tolist() == at
    assert left.rests.tolist() == [[100 * i + j for j in at] for i in at]
    dropped = np.delete(seen.scores, at)
    assert not dropped.size or dropped.max() <= left.scores.min()


def test_random_is_seeded_and_random() -> None:
    seen = objects([0.9] * 20)
    rank = AtRandom(np.random.default_rng(1))
    first, second = pruned(seen, 8, rank), pruned(seen, 8, rank)
    again = pruned(seen, 8, AtRandom(np.random.default_rng(1)))
    assert not np.array_equal(first.tokens, second.tokens)
    assert np.array_equal(first.tokens, again.tokens)


def table(height_m: float = 0.0, noise_m: float = 0.001) -> np.ndarray:
    """A slanted plane 1.2 m away, with a thing on it at pixels (128..160, 96..120) of 320x240."""
    v, u = np.mgrid[:240, :320]
    depth = 1 / (1 / 1.2 + 4e-4 * (v - 120) + 1e-4 * (u - 160))
    depth[96:120, 128:160] -= height_m
    depth += np.random.default_rng(0).normal(0, noise_m, depth.shape)
    return depth.astype(np.float32)


BOX = np.array([128.0, 96.0, 160.0, 120.0])


def test_a_mark_is_flat_and_a_thing_is_not() -> None:
    assert lies_flat(table(0.0), BOX)
    assert not lies_flat(table(0.03), BOX)


def test_where_depth_says_nothing_nothing_is_flat() -> None:
    unknown = table()
    unknown[90:130, 120:170] = np.nan
    assert not lies_flat(unknown, BOX)
    cluttered = table()
    cluttered[80:96, 110:180] -= 0.08
    assert not lies_flat(cluttered, BOX)


def test_depth_guides_the_choice() -> None:
    seen = objects([0.9, 0.5])
    boxes = np.array(
        [BOX / [320, 240, 320, 240], np.array([10, 10, 40, 40]) / [320, 240, 320, 240]], np.float32
    )
    depth = table()
    depth[10:40, 10:40] -= 0.05
    seen = replace(seen, boxes=boxes)
    assert pruned(seen, 1).tokens[0, 0] == 0
    assert pruned(seen, 1, WithDepth(depth)).tokens[0, 0] == 1
    assert pruned(seen, 1, WithDepth(None)).tokens[0, 0] == 0


def test_as_many_as_there_are_and_no_more() -> None:
    class Parts:
        name = "fake"

        class config:
            num_objects = 6

        def see(self, pixels):
            return objects([0.1, 0.9, 0.2, 0.8, 0.3, 0.7])

        def read(self, word_bytes):
            return f"memory of {word_bytes}"

        def writer(self, memory):
            return memory

    for keep in (0, 7):
        with pytest.raises(ValueError, match=f"got {keep}"):
            PrunedNano(Parts(), keep)
    parts = PrunedNano(Parts(), 3)
    assert parts.name == "fake-3"
    assert parts.see(None).tokens[:, 0].tolist() == [1, 3, 5]
    # What is said is read and written as before.
    assert parts.writer(parts.read("words")) == "memory of words"
