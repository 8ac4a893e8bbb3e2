"""A toy that is trained by the project's loop: by torchrun in several processes, or by the tests in one.

Each process writes its weights to rank<R>.pt in the folder that is named.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mmrobot.learn.distributed import World, joined
from mmrobot.learn.loop import LoopSettings, Loss, train

ROWS = 8


def toy(seed: int) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(5, 16), nn.Tanh(), nn.Linear(16, 2))


def data(step: int, rank: int) -> tuple[Tensor, Tensor]:
    """What one process draws at one step."""
    generator = torch.Generator().manual_seed(100 * step + rank)
    x = torch.randn(ROWS, 5, generator=generator)
    return x, torch.stack([x.sum(1), x[:, 0] * x[:, 1]], 1)


def run(module: nn.Module, folder: Path, ranks: Sequence[int], world: World, steps: int) -> list[str]:
    """Trains on the data of `ranks`, joined; what was reported."""

    def begin(step: int) -> Loss:
        at = step

        def loss_of_batch() -> tuple[Tensor, dict[str, float]]:
            nonlocal at
            drawn = [data(at, rank) for rank in ranks]
            at += 1
            x, y = (torch.cat(parts) for parts in zip(*drawn, strict=True))
            loss = F.mse_loss(module(x), y)
            return loss, {"loss": float(loss.detach())}

        return loss_of_batch

    lines: list[str] = []
    settings = LoopSettings(steps, ROWS, 1e-2, warmup=2, clip_norm=0.5, checkpoint_every=4, validate_every=4)
    train(
        "toy",
        module,
        begin,
        settings,
        folder / "toy.pt",
        lines.append,
        world=world,
        validate=lambda: {"fixed": 1.0},
    )
    return lines


def main(folder: Path) -> None:
    with joined("cpu") as world:
        # Processes begin with different weights: those of the first must hold for all.
        run(toy(seed=world.rank), folder, [world.rank], world, steps=6)
        again = toy(seed=50 + world.rank)
        lines = run(again, folder, [world.rank], world, steps=10)
        torch.save({"weights": again.state_dict(), "lines": lines}, folder / f"rank{world.rank}.pt")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
