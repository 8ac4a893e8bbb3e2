"""The net of mmrobot/voice/letters_net.py as torch teaches it, tensor by tensor with the same names."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from mmrobot.voice.letters_net import BANDS, LETTERS, STRIDE, LettersSize


class EarNet(nn.Module):
    """Mel bands (n, 3 t, BANDS) to natural logarithms of the chances of letters (n, t, 28)."""

    def __init__(self, size: LettersSize = LettersSize()) -> None:  # noqa: B008  (frozen)
        super().__init__()
        self.size = size
        self.first = nn.Conv1d(BANDS, size.width, size.first, STRIDE, size.first // 2)
        self.blocks = nn.ModuleList(Block(size) for _ in range(size.depth))
        self.last = nn.Linear(size.width, len(LETTERS) + 1)

    def forward(self, bands: Tensor) -> Tensor:
        """As the class says."""
        x = self.first(bands.transpose(1, 2)).transpose(1, 2)
        for block in self.blocks:
            x = block(x)
        logarithms: Tensor = self.last(x).log_softmax(-1)
        return logarithms

    def save(self, path: Path) -> None:
        """Half precision, as safetensors."""
        path.parent.mkdir(parents=True, exist_ok=True)
        tensors = {name: tensor.detach().half().contiguous() for name, tensor in self.state_dict().items()}
        save_file(tensors, path, {"size": json.dumps(asdict(self.size))})


class Block(nn.Module):
    """What is near in time, then all channels (Liu et al. 2022, "A ConvNet for the 2020s")."""

    def __init__(self, size: LettersSize) -> None:
        super().__init__()
        width, kernel = size.width, size.kernel
        self.near = nn.Conv1d(width, width, kernel, padding=kernel // 2, groups=width)
        self.norm = nn.LayerNorm(width)
        self.up = nn.Linear(width, 2 * width)
        self.down = nn.Linear(2 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        """(n, t, width) to the same."""
        y = self.norm(self.near(x.transpose(1, 2)).transpose(1, 2))
        added: Tensor = self.down(torch.nn.functional.gelu(self.up(y), approximate="tanh"))
        return x + added
