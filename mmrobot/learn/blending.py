"""Weights between those of two trainings."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from mmrobot.learn.distributed import World

SETTLING_BATCHES = 100


def blend(
    part: nn.Module,
    before: dict[str, Tensor],
    pass_batch: Callable[[], object],
    world: World,
    kept: float = 0.5,
) -> None:
    """Weights between those before and after, `kept` of those before: what was learned of odd light from many
    pictures is not lost to what was learned from fewer (Wortsman et al. 2022, arXiv:2109.01903). `pass_batch`
    sends a batch through; what batch norm knows of the activations is of neither, and gathered anew."""
    between = {
        name: kept * before[name].to(x.device) + (1 - kept) * x if x.is_floating_point() else x
        for name, x in part.state_dict().items()
    }
    part.load_state_dict(between)
    norms = [m for m in part.modules() if isinstance(m, nn.BatchNorm2d)]
    momenta = [m.momentum for m in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
    part.train()
    with torch.no_grad():
        for _ in range(SETTLING_BATCHES):
            pass_batch()
    world.average_buffers(part)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    part.eval()
