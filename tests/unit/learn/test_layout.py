"""Where things stand: targets from true scenes, figures by hand; a layout learns what is to be seen."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch

from mmrobot.learn.distributed import World
from mmrobot.learn.layout_training import LayoutTargets, layout_figures, layout_loss, train_layout
from mmrobot.learn.loop import LoopSettings
from mmrobot.tabletop.language import Thing
from mmrobot.tabletop.language.meaning import volume_m3
from mmrobot.vlm.models.nano import NanoConfig
from mmrobot.vlm.models.nano.layout import CENTER_M, LOG_VOLUME, Layout, NanoLayout

CONFIG = NanoConfig(object_channels=8, num_objects=4)
BOWL = Thing("bowl", "bowl", "blue", "large", (0.5, 0.1, 0.03))
CUBE = Thing("cube", "cube", "red", "small", (0.51, 0.1, 0.05), inside="bowl")
TOP = Thing("top", "cube", "green", "small", (0.3, -0.2, 0.06), on="hidden", bulk=1.2)


@dataclass
class Cache:
    """What LayoutTargets takes of a TokenCache."""

    tokens: np.ndarray
    scores: np.ndarray
    ids: np.ndarray
    things: list[list[Thing | None]]

    @property
    def present(self) -> np.ndarray:
        return self.scores > 0.25

    def shown(self, i: int) -> list[Thing | None]:
        return self.things[i]


def by_hand() -> Cache:
    """A cube in a bowl beside a candidate that is nothing and one that is not believed; a cube on something
    hidden; a distractor, which is an object of the scene without a name."""
    tokens = np.random.default_rng(0).normal(size=(2, 4, CONFIG.token_size)).astype(np.float16)
    scores = np.array([[0.9, 0.8, 0.5, 0.1], [0.7, 0.6, 0.2, 0.1]])
    ids = np.array([[1, 0, -1, -1], [3, -1, -1, -1]])
    return Cache(tokens, scores, ids, [[CUBE, BOWL, None, None], [TOP, None, None, None]])


def test_targets_are_the_scene() -> None:
    t = LayoutTargets(by_hand())  # type: ignore[arg-type]
    assert t.present.tolist() == [[True, True, True, False], [True, True, False, False]]
    assert t.real.tolist() == [[True, True, False, False], [True, False, False, False]]
    np.testing.assert_allclose(t.places[0, 0], (0.51, 0.1, math.log(volume_m3(CUBE))), rtol=1e-6)
    np.testing.assert_allclose(t.places[1, 0], (0.3, -0.2, math.log(volume_m3(TOP))), rtol=1e-6)
    assert t.places[1, 0, 2] == pytest.approx(t.places[0, 0, 2] + math.log(1.2), abs=1e-5)
    assert np.argwhere(t.rests).tolist() == [[0, 0, 1]], "the cube in the bowl; what is hidden holds nothing"
    batch = t.batch(np.array([1, 0]), torch.device("cpu"))
    assert batch["places"].shape == (2, 4, 3) and batch["rests"][1, 0, 1] and batch["tokens"].shape[0] == 2


class Told(NanoLayout):
    """A layout that says what it is told."""

    def __init__(self, layout: Layout) -> None:
        super().__init__(CONFIG)
        self.told = layout

    def forward(self, tokens: torch.Tensor) -> Layout:
        return self.told


def perfect(t: LayoutTargets) -> Layout:
    real, rests = (torch.from_numpy(x).float() * 40 - 20 for x in (t.real, t.rests))
    return Layout(real, torch.from_numpy(t.places).clone(), rests)


def test_what_is_told_rightly_costs_nothing_and_what_is_not_known_does_not_count() -> None:
    t = LayoutTargets(by_hand())  # type: ignore[arg-type]
    batch, told = t.batch(np.arange(2), torch.device("cpu")), perfect(t)
    told.real[0, 3], told.real[1, 2] = 20, 20  # not present
    told.places[0, 2:], told.places[1, 1:] = 5.0, 5.0  # nothing is there
    told.rests[0, 2], told.rests[1], told.rests[0, 0, 0] = (
        20,
        20,
        20,
    )  # nothing there, or itself
    loss, figures = layout_loss(Told(told), batch)
    assert float(loss) < 1e-6 and set(figures) == {"real", "place", "rests"}
    told = perfect(t)
    told.rests[:, range(4), range(4)] = 20  # nobody asks what lies in itself
    figures = layout_figures(Told(told), t, World())
    assert figures == {
        "real": 1.0, "place_mm": 0.0, "relative_mm": 0.0, "log_volume": 0.0, "rests_recall": 1.0,
        "rests_precision": 1.0,
    }  # fmt: skip


@pytest.mark.parametrize("part", ["real", "places", "rests"])
def test_each_error_costs(part: str) -> None:
    t = LayoutTargets(by_hand())  # type: ignore[arg-type]
    batch, told = t.batch(np.arange(2), torch.device("cpu")), perfect(t)
    getattr(told, part)[0, :2] *= -1
    assert float(layout_loss(Told(told), batch)[0]) > 0.5


def test_a_shift_of_all_spoils_places_but_not_their_relations() -> None:
    t = LayoutTargets(by_hand())  # type: ignore[arg-type]
    told = perfect(t)
    told.places[..., 0] += 0.03
    told.real[0, 0] = -20
    told.rests[0, 0, 1], told.rests[0, 1, 0] = -20, 20
    figures = layout_figures(Told(told), t, World())
    assert figures["place_mm"] == pytest.approx(30, abs=0.01)
    assert figures["relative_mm"] == pytest.approx(0, abs=0.01)
    assert figures["real"] == pytest.approx(4 / 5)
    assert figures["rests_recall"] == figures["rests_precision"] == 0


def to_be_seen(n: int, seed: int) -> Cache:
    """Tokens that show what there is: place in the box's centre, size in its width, realness in one channel;
    where two boxes share a centre, the smaller lies in the larger."""
    rng = np.random.default_rng(seed)
    tokens = rng.normal(0, 0.1, (n, 4, CONFIG.token_size))
    ids = np.full((n, 4), -1)
    things: list[list[Thing | None]] = []
    for i in range(n):
        shown: list[Thing | None] = []
        for j in range(4):
            at, large = rng.uniform(-0.8, 0.8, 2), bool(rng.random() < 0.5)
            host = shown[0] if j == 1 and rng.random() < 0.5 else None
            if host is not None:
                at, large = tokens[i, 0, 8:10], False
            real = bool(rng.random() < 0.7) or host is not None or j == 0
            tokens[i, j, 8:10], tokens[i, j, 10:12] = at, 0.5 if large else -0.5
            tokens[i, j, 0] = real
            place = (0.45 - 0.2 * float(at[1]), -0.3 * float(at[0]), 0.02)
            size, inside = "large" if large else "small", host.id if host else None
            shown.append(
                Thing(str(j), "bowl" if j == 0 else "cube", "red", size, place, inside) if real else None
            )
            ids[i, j] = j if real else -1
        things.append(shown)
    return Cache(tokens.astype(np.float16), np.full((n, 4), 0.9), ids, things)


def test_a_layout_learns_what_is_to_be_seen_and_resumes(tmp_path: Path) -> None:
    torch.manual_seed(0)
    layout, lines = NanoLayout(CONFIG), list[str]()
    targets, unseen = (LayoutTargets(to_be_seen(n, seed)) for n, seed in ((256, 1), (64, 2)))  # type: ignore[arg-type]
    batch = unseen.batch(np.arange(64), torch.device("cpu"))
    before, start = float(layout_loss(layout, batch)[0].detach()), layout_figures(layout, unseen, World())
    settings = LoopSettings(steps=160, batch=32, learning_rate=5e-3, warmup=10)
    train_layout(layout, targets, settings, tmp_path / "layout.pt", lines.append)
    after, end = float(layout_loss(layout, batch)[0].detach()), layout_figures(layout, unseen, World())
    assert after < 0.4 * before
    assert end["real"] > 0.95 and end["place_mm"] < 0.4 * start["place_mm"]
    assert end["rests_recall"] > 0.6 and end["rests_precision"] > 0.6
    again = NanoLayout(CONFIG)
    train_layout(again, targets, settings, tmp_path / "layout.pt", lines.append)
    assert torch.equal(again.place.weight, layout.place.weight)


def test_untrained_all_stands_in_metres_near_the_middle_of_the_table() -> None:
    torch.manual_seed(0)
    found = NanoLayout(CONFIG)(torch.from_numpy(to_be_seen(5, 3).tokens).float())
    assert (found.real.shape, found.places.shape, found.rests.shape) == ((5, 4), (5, 4, 3), (5, 4, 4))
    assert (found.places[..., :2] - torch.tensor(CENTER_M)).abs().max() < 0.2
    assert (found.places[..., 2] - LOG_VOLUME).abs().max() < 2
    volumes = [math.log(volume_m3(Thing("", s, "red", z))) for s in CONFIG.shapes for z in CONFIG.sizes]
    assert LOG_VOLUME - 2 < min(volumes) < LOG_VOLUME < max(volumes) < LOG_VOLUME + 3


def test_each_pair_is_judged_alike_wherever_it_stands_among_the_candidates() -> None:
    torch.manual_seed(0)
    layout, tokens = NanoLayout(CONFIG), torch.randn(1, 4, CONFIG.token_size)
    order = torch.tensor([2, 0, 3, 1])
    first, second = layout(tokens), layout(tokens[:, order])
    torch.testing.assert_close(second.places, first.places[:, order])
    torch.testing.assert_close(second.rests, first.rests[:, order][:, :, order])


def test_boxes_of_no_size_and_far_outside_are_finite() -> None:
    tokens = torch.zeros(1, 4, CONFIG.token_size)
    tokens[0, 0, 8:12] = torch.tensor([-5.0, 5.0, -1.0, -1.0])
    tokens[0, 1, 8:12] = torch.tensor([5.0, -5.0, -3.0, 9.0])
    assert all(torch.isfinite(x).all() for x in NanoLayout(CONFIG)(tokens))
