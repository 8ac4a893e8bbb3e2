"""What reader and writer are built of: words from their letters, attention, layers.

Words are vectors made of their own letters (a convolution over bytes, Kim et al. 2016,
arXiv:1508.06615), so that no word is unknown and a typo stays near its word.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mmrobot.vlm.models.nano.configuration import NanoConfig

BYTE_CHANNELS = 32
LETTERS = 5
"""Letters in a window of the word encoder."""
MASKED = -1e4


class WordEncoder(nn.Module):
    """Bytes (B, T, L) of words to vectors (B, T, D): letters convolved, the strongest response kept."""

    def __init__(self, config: NanoConfig) -> None:
        super().__init__()
        self.embed = nn.Embedding(256, BYTE_CHANNELS, padding_idx=0)
        self.convolve = nn.Linear(LETTERS * BYTE_CHANNELS, 2 * config.hidden_size)
        self.project = nn.Linear(2 * config.hidden_size, config.hidden_size)

    def forward(self, word_bytes: Tensor) -> Tensor:
        b, t, length = word_bytes.shape
        flat = word_bytes.reshape(b * t, length)
        if self.training:  # a batch repeats its words: each is encoded once
            flat, index = torch.unique(flat, dim=0, return_inverse=True)
            return self._encode(flat)[index].reshape(b, t, -1)
        return self._encode(flat).reshape(b, t, -1)

    def _encode(self, flat: Tensor) -> Tensor:
        length = flat.shape[1]
        letters = F.pad(self.embed(flat), (0, 0, LETTERS // 2, LETTERS // 2))
        # As one matrix product, since small convolutions are slow on a CPU.
        windows = torch.cat([letters[:, i : i + length] for i in range(LETTERS)], -1)
        return self.project(F.relu(self.convolve(windows).max(1).values))


class Attention(nn.Module):
    """Multi-head attention with an additive mask that broadcasts to (B, heads, Q, N)."""

    def __init__(self, config: NanoConfig) -> None:
        super().__init__()
        d = config.hidden_size
        self.heads = config.num_heads
        self.query, self.key, self.value, self.out = (nn.Linear(d, d) for _ in range(4))

    def forward(self, x: Tensor, memory: Tensor, mask: Tensor) -> Tensor:
        return self.attend(x, *self.remember(memory), mask)

    def remember(self, memory: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values (B, heads, N, D / heads) of `memory` (B, N, D)."""
        return self._split(self.key(memory)), self._split(self.value(memory))

    def attend(self, x: Tensor, keys: Tensor, values: Tensor, mask: Tensor) -> Tensor:
        """`x` (B, Q, D) looks at what was remembered."""
        q = self._split(self.query(x))
        # Written out: the fused kernel's backward pass is five times slower on a CPU.
        weights = (q @ keys.transpose(2, 3) * q.shape[-1] ** -0.5 + mask).softmax(-1)
        return self.out((weights.to(values.dtype) @ values).transpose(1, 2).reshape(x.shape))

    def _split(self, v: Tensor) -> Tensor:
        return v.reshape(v.shape[0], v.shape[1], self.heads, -1).transpose(1, 2)


class FeedForward(nn.Sequential):
    """The layer's second half."""

    def __init__(self, config: NanoConfig) -> None:
        d = config.hidden_size
        super().__init__(nn.LayerNorm(d), nn.Linear(d, 4 * d), nn.GELU(), nn.Linear(4 * d, d))
