"""The reader: the person's words in their context, for the writer to look at.

It knows no picture. What the words mean is written down first, as a plan or a logical form, and only
then looked for among the objects (denotation.py): no sentence can be understood only in the scenes that
training happened to show, and a text is read once however often the picture changes.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
from torch import Tensor, nn

from mmrobot.vlm.models.nano.blocks import MASKED, Attention, FeedForward, WordEncoder
from mmrobot.vlm.models.nano.configuration import NanoConfig


class ReaderLayer(nn.Module):
    """Pre-norm transformer layer."""

    def __init__(self, config: NanoConfig) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(config.hidden_size)
        self.attend = Attention(config)
        self.feed = FeedForward(config)
        self.drop = nn.Dropout(config.dropout)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """`x` (B, T, D), additive `mask` (B, 1, 1, T)."""
        h = self.norm(x)
        x = x + self.drop(self.attend(h, h, mask))
        return x + self.drop(self.feed(x))


@dataclass
class Reading:
    """What the reader made of a text: states (B, T, D) of its words, and an additive mask (B, 1, 1, T)."""

    words: Tensor
    mask: Tensor

    def rows(self, chosen: Tensor) -> Reading:
        """Those of a batch that `chosen` (B,) bool picks."""
        return Reading(*(getattr(self, f.name)[chosen] for f in fields(self)))


class NanoReader(nn.Module):
    """Bytes of words (B, T, L) to a Reading."""

    def __init__(self, config: NanoConfig) -> None:
        super().__init__()
        d = config.hidden_size
        self.words = WordEncoder(config)
        self.position = nn.Parameter(torch.randn(config.max_words, d) * 0.02)
        self.layers = nn.ModuleList(ReaderLayer(config) for _ in range(config.encoder_layers))
        self.norm = nn.LayerNorm(d)

    def forward(self, word_bytes: Tensor) -> Reading:
        x = self.words(word_bytes) + self.position[: word_bytes.shape[1]]
        mask = torch.where(word_bytes[..., 0] > 0, 0.0, MASKED)[:, None, None]
        for layer in self.layers:
            x = layer(x, mask)
        return Reading(self.norm(x), mask)
