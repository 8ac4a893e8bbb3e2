"""Curves: what is written, dropped on resuming, and drawn."""

from __future__ import annotations

from pathlib import Path

import cv2
import torch
from torch import nn

from mmrobot.learn.curves import Curves, read_curves
from mmrobot.learn.loop import LoopSettings, train


def test_rows_after_the_step_resumed_from_are_dropped(tmp_path: Path) -> None:
    path = tmp_path / "words.csv"
    first = Curves(path, 0)
    for step in (50, 100, 150):
        first.add(step, "train", {"loss": step / 1000})
    path.write_text(path.read_text() + "200,train,lo")  # cut off by a crash
    second = Curves(path, 100)
    second.add(150, "validation", {"recall": 0.5})
    assert read_curves(path) == [
        (50, "train", "loss", 0.05),
        (100, "train", "loss", 0.1),
        (150, "validation", "recall", 0.5),
    ]
    Curves(path, 0)
    assert read_curves(path) == []


def test_curves_are_drawn(tmp_path: Path) -> None:
    curves = Curves(tmp_path / "vision.csv", 0)
    curves.draw()
    assert not (tmp_path / "vision.png").exists()
    for step in (50, 100):
        curves.add(step, "train", {"focal": 1 / step, "box": 2 / step})
    curves.draw()
    picture = cv2.imread(str(tmp_path / "vision.png"))
    assert picture is not None and picture.std() > 1


def test_the_loop_validates_every_so_often_and_at_the_end(tmp_path: Path) -> None:
    module, lines, modes = nn.Linear(2, 1), [], []

    def validate() -> dict[str, float]:
        modes.append(module.training)
        return {"right": 0.25}

    def loss_of_batch() -> tuple[torch.Tensor, dict[str, float]]:
        assert module.training
        loss = module(torch.ones(4, 2)).square().mean()
        # A figure of which a batch has nothing to say does not spoil the mean.
        return loss, {"loss": float(loss.detach()), "rare": float("nan")}

    settings = LoopSettings(steps=110, batch=4, learning_rate=1e-3, warmup=2, validate_every=40)
    train(
        "toy",
        module,
        lambda step: loss_of_batch,
        settings,
        tmp_path / "toy.pt",
        lines.append,
        validate=validate,
    )
    assert modes == [False] * 3 and not module.training
    assert [row[0] for row in read_curves(tmp_path / "toy.csv") if row[1] == "validation"] == [40, 80, 110]
    assert all("nan" not in line for line in lines)
    assert any(line.startswith("toy 50/110 loss") and line.endswith("min left") for line in lines)
