"""Stores that forget what was not used for longest; pictures that differ in one byte are different."""

from __future__ import annotations

from collections import OrderedDict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmrobot.vlm.caching import Lru, PictureCache
from mmrobot.vlm.families.nano import NanoVlm
from mmrobot.vlm.models.nano import NanoConfig, NanoModel, NanoProcessor
from mmrobot.vlm.torch_backend import TorchNano


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 6))), st.integers(1, 4))
def test_an_lru_is_its_model(calls: list[tuple[bool, int]], capacity: int) -> None:
    lru: Lru[int, int] = Lru(capacity)
    model: OrderedDict[int, int] = OrderedDict()
    for step, (writes, key) in enumerate(calls):
        if writes:
            lru.put(key, step)
            model[key] = step
            model.move_to_end(key)
            while len(model) > capacity:
                model.popitem(last=False)
        else:
            assert lru.get(key) == model.get(key)
            if key in model:
                model.move_to_end(key)
    assert len(lru) == len(model) <= capacity


def test_a_store_for_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="got 0"):
        Lru(0)


@given(st.integers(0, 12 * 17 * 3 - 1))
def test_one_other_byte_is_another_picture(at: int) -> None:
    picture = np.random.default_rng(0).integers(0, 255, (12, 17, 3), dtype=np.uint8)
    cache: PictureCache[str] = PictureCache(2)
    cache.put(picture, "seen")
    other = picture.copy()
    other.reshape(-1)[at] += 1
    assert cache.get(other) is None
    assert cache.get(picture) == "seen"


def test_what_the_caller_does_to_his_picture_changes_no_memory() -> None:
    picture = np.zeros((4, 4, 3), np.uint8)
    cache: PictureCache[str] = PictureCache(2)
    cache.put(picture, "black")
    picture[2, 2] = 255
    assert cache.get(picture) is None
    assert cache.get(np.zeros((4, 4, 3), np.uint8)) == "black"


def test_another_shape_and_a_view_with_gaps() -> None:
    picture = np.arange(6 * 8 * 3, dtype=np.uint8).reshape(6, 8, 3)
    cache: PictureCache[int] = PictureCache(2)
    cache.put(picture[:, ::2], 1)
    assert cache.get(np.ascontiguousarray(picture[:, ::2])) == 1
    assert cache.get(picture.reshape(8, 6, 3)) is None
    assert (cache.hits, cache.misses) == (1, 1)
    cache.clear()
    assert len(cache) == 0


class Counting(TorchNano):
    """Counts what is worked out."""

    def __init__(self, model: NanoModel) -> None:
        self.model, self.config = model.eval(), model.config
        import torch

        self.device = torch.device("cpu")
        self.seen = self.read_texts = 0

    def see(self, pixel_values):
        self.seen += 1
        return super().see(pixel_values)

    def read(self, word_bytes):
        self.read_texts += 1
        return super().read(word_bytes)


def test_nano_looks_once_and_reads_once() -> None:
    config = NanoConfig(
        image_height=48, image_width=64, vision_channels=(8, 8, 8), object_channels=8, num_objects=6,
        hidden_size=16, num_heads=2, encoder_layers=1, decoder_layers=1, max_plan_tokens=12,
        object_threshold=0.0,
    )  # fmt: skip
    parts = Counting(NanoModel(config))
    vlm = NanoVlm(parts, NanoProcessor.of(config), "tiny", ground_threshold=0.0)
    first, second = (np.random.default_rng(i).integers(0, 255, (48, 64, 3), dtype=np.uint8) for i in (1, 2))
    a = vlm.ground(first, "the red cube")
    vlm.verify(first, "the red cube")
    b = vlm.ground(second, "the red cube")
    assert vlm.ground(first.copy(), "the red cube") == a != b
    # Once as a phrase and once as a statement, whatever the picture.
    assert (parts.seen, parts.read_texts) == (2, 2)
    vlm.describe(first)
    vlm.ground(first, "the ball")
    assert (parts.seen, parts.read_texts) == (2, 3)
