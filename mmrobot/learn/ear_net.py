"""The net of mmrobot/voice/letters_net.py as torch teaches it, tensor by tensor with the same names."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from mmrobot.voice.letters_net import (
    BANDS,
    FLOOR,
    FRAME,
    HOP,
    LETTERS,
    POINTS,
    STRIDE,
    LettersSize,
    mel_triangles,
)


class EarNet(nn.Module):
    """Mel bands (n, t, BANDS) to natural logarithms of the chances of letters (n, t / STRIDE, 28).

    `counts`: bands of each that are sound (n,); what follows them is as nothing.
    """

    def __init__(self, size: LettersSize = LettersSize()) -> None:  # noqa: B008  (frozen)
        super().__init__()
        self.size = size
        self.first = nn.Conv1d(BANDS, size.width, size.first, STRIDE, size.first // 2)
        self.blocks = nn.ModuleList(Block(size) for _ in range(size.depth))
        self.last = nn.Linear(size.width, len(LETTERS) + 1)

    def forward(self, bands: Tensor, counts: Tensor) -> Tensor:
        """As the class says."""
        x = self.first(bands.transpose(1, 2)).transpose(1, 2)
        sound = (torch.arange(x.shape[1], device=x.device) < letter_counts(counts)[:, None])[..., None]
        x = x * sound
        for block in self.blocks:
            x = block(x) * sound
        logarithms: Tensor = self.last(x).float().log_softmax(-1)
        return logarithms

    def save(self, path: Path) -> None:
        """Half precision, as safetensors."""
        path.parent.mkdir(parents=True, exist_ok=True)
        tensors = {k: tensor.detach().cpu().half().contiguous() for k, tensor in self.state_dict().items()}
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
        added: Tensor = self.down(nn.functional.gelu(self.up(y), approximate="tanh"))
        return x + added


def letter_counts(counts: Tensor) -> Tensor:
    """Frames of letters (n,) of so many bands (n,)."""
    return (counts - 1) // STRIDE + 1


def bands_of(sounds: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
    """What `letters_net.bands` gives of each sound (n, t), of `lengths` samples: bands (n, t', BANDS) and
    how many each has (n,)."""
    sounds = nn.functional.pad(sounds, (0, max(0, FRAME + 8 * HOP - sounds.shape[1])))
    counts = (lengths.clamp(min=FRAME + 8 * HOP) - FRAME) // HOP + 1
    window = torch.from_numpy(np.hanning(FRAME).astype(np.float32)).to(sounds.device)
    spectrum = torch.fft.rfft(sounds.unfold(1, FRAME, HOP) * window, POINTS)
    mel = spectrum.abs().square() @ torch.from_numpy(mel_triangles()).to(sounds.device)
    sound = (torch.arange(mel.shape[1], device=mel.device) < counts[:, None])[..., None]
    number = counts[:, None, None].float()
    mean = (mel * sound).sum((1, 2), keepdim=True) / (number * BANDS)
    logarithm = torch.log(mel + FLOOR * (mean + 1e-3))
    centred = (logarithm - (logarithm * sound).sum(1, keepdim=True) / number) * sound
    spread = (centred.square().sum((1, 2), keepdim=True) / (number * BANDS)).sqrt()
    return centred / (spread + 1e-3), counts
