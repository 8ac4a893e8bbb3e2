"""Checkpoints that a later run goes on from; written whole or not at all."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from mmrobot.errors import InvalidConfigError


def save_checkpoint(path: Path, module: nn.Module, optimizer: torch.optim.Optimizer, step: int) -> None:
    """Model, optimizer and step to `path`, atomically."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    torch.save({"model": module.state_dict(), "optimizer": optimizer.state_dict(), "step": step}, part)
    part.replace(path)


def load_checkpoint(path: Path, module: nn.Module, optimizer: torch.optim.Optimizer | None = None) -> int:
    """Restores what `save_checkpoint` wrote and returns its step; 0 when there is none.

    Raises InvalidConfigError where it is damaged, or of a model of other sizes.
    """
    if not path.is_file():
        return 0
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        module.load_state_dict(state["model"])
        if optimizer is not None:
            optimizer.load_state_dict(state["optimizer"])
        return int(state["step"])
    except Exception as error:
        raise InvalidConfigError(
            f"{path} cannot be resumed from: {error}",
            "move it away to begin anew, or use another --data folder",
        ) from error


def checkpoint_step(path: Path) -> int:
    """The step of a checkpoint; 0 when there is none."""
    if not path.is_file():
        return 0
    return int(torch.load(path, map_location="meta", mmap=True, weights_only=True)["step"])
