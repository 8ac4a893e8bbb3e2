"""Sight learns from pictures that are rendered meanwhile; rings keep what came lately."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from mmrobot.errors import ModelUnavailableError
from mmrobot.learn.checkpoint import checkpoint_step
from mmrobot.learn.distributed import World
from mmrobot.learn.label_training import blur_crops, moved
from mmrobot.learn.picture_stream import BLOCK, PictureStream
from mmrobot.learn.pictures import CROP_DTYPE
from mmrobot.learn.rendering import PictureMaker
from mmrobot.learn.rings import Ring
from mmrobot.learn.sight_training import SightSettings, schedule, train_sight
from mmrobot.vlm.models.nano import NanoConfig, NanoModel
from mmrobot.vlm.models.nano.processing import crop_around

CPU = torch.device("cpu")
SMALL = NanoConfig(vision_channels=(8, 8, 8), object_channels=8, hidden_size=32, num_heads=2)


def test_a_ring_keeps_the_last_ones_with_what_they_show() -> None:
    ring = Ring(5, (1, 2), (np.dtype(np.int64), ()), CPU)
    for start in (0, 3):
        values = np.arange(start, start + 3)
        ring.add(np.broadcast_to(values[:, None, None, None], (3, 1, 2, 3)).astype(np.uint8), values)
    assert len(ring) == 5 and ring.added == 6
    images, rows = ring.draw(200, np.random.default_rng(0))
    assert set(rows) == {1, 2, 3, 4, 5}
    assert (images[:, 0, 0, 0].numpy() == rows).all()


def test_a_moved_crop_repeats_its_edge() -> None:
    crops = torch.arange(20.0).view(1, 1, 1, 20).expand(40, 3, 8, 20)
    several = moved(crops, np.random.default_rng(0))
    assert several.shape == crops.shape and (several != crops).any()
    steps = several[..., 1:] - several[..., :-1]
    assert float(steps.min()) >= -1e-4 and float(steps.max()) < 1.2, "in their order, nothing leaps"
    assert several[:, 0, 0, 0].unique().numel() > 10, "each is moved by an amount of its own"


def test_a_crop_is_blurred_as_the_cameras_picture_around_it_is() -> None:
    rng = np.random.default_rng(1)
    image = cv2.GaussianBlur(rng.integers(0, 256, (480, 640, 3), dtype=np.uint8), (0, 0), 1.0)
    rows = np.zeros(1, CROP_DTYPE)
    rows["box"] = (60, 50, 84, 80)
    box, most = 2 * rows["box"][0], 1.6
    sharp, of_blurred = (
        torch.from_numpy(crop_around(x, box, 64, 96)).permute(2, 0, 1)[None].float()
        for x in (image, np.asarray(cv2.GaussianBlur(image, (0, 0), most)))
    )
    ours = blur_crops(sharp, rows, np.array([most]))
    inner = (..., slice(12, -12), slice(12, -12))
    wrong = (ours - of_blurred)[inner].std() / (sharp - of_blurred)[inner].std()
    assert wrong < 0.1


def test_the_rate_rises_falls_and_never_ends() -> None:
    rates = [schedule(share, 0.1) for share in np.linspace(0, 1.2, 50)]
    assert max(rates) == pytest.approx(1.0, abs=0.02) and 0 < rates[0] < 0.05
    assert rates[-1] == pytest.approx(0.01)


@pytest.mark.slow
def test_sight_learns_from_a_stream_and_leaves_what_later_stages_load(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = NanoModel(SMALL)
    said: list[str] = []
    settings = SightSettings(0.5, begin_with=BLOCK, report_every_s=0.0).for_batch(4)
    with PictureStream(SMALL, 1, seed=3) as stream:
        with stream.block() as block:
            maker = PictureMaker(3, SMALL)
            again = maker(0)
            maker.close()
            assert (block.images[0] == again.image).all() and (block.objects[0] == again.objects).all()
        train_sight(model, stream, settings, lambda name: tmp_path / f"{name}.pt", said.append, World())
    assert all(checkpoint_step(tmp_path / f"{name}.pt") > 0 for name in ("vision", "views", "labels"))
    assert "pictures after" in said[0] and "vision" in said[-1]


@pytest.mark.slow
def test_a_stream_whose_processes_died_says_so() -> None:
    with PictureStream(SMALL, 1) as stream:
        for process in stream._processes:
            process.terminate()
            process.join()
        with pytest.raises(ModelUnavailableError, match="0 of 1"), stream.block():
            pass
