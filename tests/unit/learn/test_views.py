"""The recogniser learns, never sees colour where shape is told, and is weighed beside the encoder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from mmrobot.learn import pooling
from mmrobot.learn.distributed import World
from mmrobot.learn.loop import LoopSettings
from mmrobot.learn.pictures import MAX_VIEWS, VIEW_DTYPE, VIEW_PX, PictureSet
from mmrobot.learn.pooling import fit_pooling
from mmrobot.learn.view_training import recogniser_figures, split_logits, train_recogniser
from mmrobot.tabletop.scene import Scene
from mmrobot.vlm.families.nano_beliefs import pooled
from mmrobot.vlm.models.nano import NanoConfig
from mmrobot.vlm.models.nano.recogniser import NanoRecogniser

CONFIG = NanoConfig(colors=("red", "blue"), shapes=("cube", "ball"), sizes=("small", "large"))


def pictures(count: int) -> PictureSet:
    """Squares and discs, red and blue, and bare table; large ones in large boxes."""
    rng = np.random.default_rng(0)
    views = np.full((count, MAX_VIEWS, VIEW_PX, VIEW_PX, 3), 110, np.uint8)
    index = np.zeros((count, MAX_VIEWS), VIEW_DTYPE)
    v, u = np.mgrid[:VIEW_PX, :VIEW_PX] - VIEW_PX / 2 + 0.5
    square, disc = np.maximum(abs(u), abs(v)) < 17, np.hypot(u, v) < 17
    for i in range(count):
        for slot in range(8):
            color, shape, size, named = rng.integers(2, size=4)
            if named:
                views[i, slot][disc if shape else square] = (40, 60, 220) if color else (220, 50, 40)
            half = 20 if size else 8
            x, y = rng.uniform(40, 200, 2)
            index[i, slot] = (True, named, color, shape, size, (x - half, y - half, x + half, y + half))
    scenes = tuple(Scene(k, ()) for k in range(count))
    return PictureSet(np.zeros((count, 2, 2, 3), np.uint8), index, scenes, None, None, views, index)


def test_a_recogniser_learns_what_is_shown_and_resumes(tmp_path: Path) -> None:
    torch.manual_seed(0)
    recogniser, made = NanoRecogniser(CONFIG), pictures(12)
    checkpoint = tmp_path / "views.pt"
    lines: list[str] = []
    for steps in (40, 120):
        settings = LoopSettings(steps=steps, batch=32, learning_rate=3e-3, warmup=5)
        train_recogniser(recogniser, CONFIG, made, settings, checkpoint, lines.append)
    figures = recogniser_figures(recogniser.eval(), CONFIG, made, World())
    assert set(figures) == {"color", "shape", "size", "real", "not"}
    assert all(share > 0.9 for share in figures.values()), figures


def test_no_color_and_no_light_speaks_for_a_shape() -> None:
    torch.manual_seed(1)
    recogniser = NanoRecogniser(CONFIG).eval()
    boxes = torch.tensor([[0.2, 0.2, 0.4, 0.5]])
    grey = torch.rand(1, 1, 48, 48) * 0.8 - 0.4
    plain, _, _, _ = split_logits(recogniser(grey.expand(-1, 3, -1, -1), boxes), CONFIG)
    # The same brightness in another colour, in other light and with another contrast.
    tinted = torch.cat([grey + 0.2, grey, grey - 0.2 * 0.299 / 0.114], 1)
    for changed in (tinted, 1.5 * tinted + 0.1):
        before = split_logits(recogniser(grey.expand(-1, 3, -1, -1), boxes), CONFIG)
        after = split_logits(recogniser(changed, boxes), CONFIG)
        for part in (1, 2, 3):
            torch.testing.assert_close(before[part], after[part], atol=0.05, rtol=0.05)
        assert not torch.allclose(after[0], plain, atol=1e-4)


def test_two_looks_are_pooled_between_the_one_and_the_other() -> None:
    first, second = np.array([[0.7, 0.2, 0.1]]), np.log(np.array([[0.1, 0.8, 0.1]]))
    np.testing.assert_allclose(pooled(first, second, 0.0), first)
    np.testing.assert_allclose(pooled(first, second, 1.0), np.exp(second))
    assert pooled(first, second, 0.9).argmax() == 1


class Looks:
    """Candidates of two pictures, as WholeModel tells of them: the second look is right, the first is not."""

    def __init__(self, truth: np.ndarray) -> None:
        self.truth, self.config = truth, NanoConfig()
        self.cache = self
        self.present = np.ones(truth.shape, bool)
        self.ids = np.where(truth >= 0, np.arange(truth.shape[1])[None], -1)

    def looks(self, picture: np.ndarray, slot: np.ndarray) -> tuple[list, list]:
        truth = np.maximum(self.truth[picture, slot], 0)
        wrong, right = np.full((len(truth), 2), 0.5), 6.0 * np.eye(2)[truth]
        real = np.where(self.truth[picture, slot] >= 0, 5.0, -5.0)[:, None]
        return [wrong, wrong, wrong, 0 * real], [right, right, right, real]


def test_the_better_look_weighs_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pooling, "_real", lambda whole: ((0.0, 1.0, 0.0), 1.0))
    rng = np.random.default_rng(0)
    truth = rng.integers(-1, 2, (4, 20))
    objects = np.zeros((4, 20), [("color", "i2"), ("shape", "i2"), ("size", "i2")])
    for name in ("color", "shape", "size"):
        objects[name] = np.maximum(truth, 0)
    made = PictureSet(np.zeros((4, 2, 2, 3), np.uint8), objects, tuple(Scene(k, ()) for k in range(4)))
    found = fit_pooling(Looks(truth), made)  # type: ignore[arg-type]
    assert found.view_weights == pytest.approx((1.0, 1.0, 1.0))
    assert found.right["real"] == (pytest.approx(found.right["real"][0]), 1.0, 1.0)
    assert found.right["color"][1:] == (1.0, 1.0) and found.right["color"][0] < 0.9
