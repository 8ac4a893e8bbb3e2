"""What the recogniser learns of candidates: boxes told wrongly, and the mean of before and after."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import nn

from mmrobot.learn import second_looks
from mmrobot.learn.checkpoint import save_checkpoint


def test_a_box_is_resized_about_its_middle_and_then_not_asked_its_size() -> None:
    boxes = torch.tensor([[0.2, 0.3, 0.4, 0.7]]).expand(400, 4)
    told, sized = second_looks._resized(boxes, np.random.default_rng(0))
    middle = (told[:, :2] + told[:, 2:]) / 2
    assert torch.allclose(middle, torch.tensor([0.3, 0.5]).expand(400, 2))
    log_scale = ((told[:, 2] - told[:, 0]) / 0.2).log()
    assert log_scale.abs().max() <= second_looks.MOST_LOG_SCALE + 1e-5
    assert torch.equal(sized, log_scale.abs() < second_looks.STILL_SIZED)
    assert 0.4 < sized.float().mean() < 0.75


def test_the_blend_lies_half_way(tmp_path: Path) -> None:
    after = nn.Linear(2, 2)
    save_checkpoint(tmp_path / "looks.pt", after, torch.optim.AdamW(after.parameters()), 1)
    blended = nn.Linear(2, 2)
    before = blended.weight.detach().clone()
    second_looks.load_blended(tmp_path / "looks.pt", blended)
    assert torch.allclose(blended.weight, (before + after.weight) / 2)
