"""What the recogniser learns of candidates: boxes told wrongly, and the mean of before and after."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from mmrobot.learn import second_looks
from mmrobot.learn.blending import blend
from mmrobot.learn.distributed import World


def test_a_box_is_resized_about_its_middle_and_then_not_asked_its_size() -> None:
    boxes = torch.tensor([[0.2, 0.3, 0.4, 0.7]]).expand(400, 4)
    told, sized = second_looks._resized(boxes, np.random.default_rng(0))
    middle = (told[:, :2] + told[:, 2:]) / 2
    assert torch.allclose(middle, torch.tensor([0.3, 0.5]).expand(400, 2))
    log_scale = ((told[:, 2] - told[:, 0]) / 0.2).log()
    assert log_scale.abs().max() <= second_looks.MOST_LOG_SCALE + 1e-5
    assert torch.equal(sized, log_scale.abs() < second_looks.STILL_SIZED)
    assert 0.4 < sized.float().mean() < 0.75


class Normed(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.norm = nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.norm(self.first(x))  # type: ignore[no-any-return]


def test_the_blend_lies_half_way_and_knows_its_own_activations() -> None:
    before, module = Normed().state_dict(), Normed()
    after = module.first.weight.detach().clone()
    x = torch.randn(64, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    blend(module, before, lambda: module(x), World())
    assert torch.allclose(module.first.weight, (before["first.weight"] + after) / 2)
    assert torch.allclose(module.norm.running_mean, module.first(x).mean((0, 2, 3)), atol=1e-5)
    assert not module.training and module.norm.momentum == 0.1
