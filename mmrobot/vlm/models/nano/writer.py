"""The writer: plans and logical forms, as control tokens of its own and words copied from the text.

Copying by pointing: Vinyals et al. 2015, arXiv:1506.03134.
"""

from __future__ import annotations

from typing import NamedTuple, cast

import torch
from torch import Tensor, nn

from mmrobot.vlm.models.nano.blocks import MASKED, Attention, FeedForward
from mmrobot.vlm.models.nano.configuration import NanoConfig
from mmrobot.vlm.models.nano.reader import Reading
from mmrobot.vlm.models.nano.vocabulary import CONTROL


class WriterLayer(nn.Module):
    """Pre-norm transformer layer with cross-attention."""

    def __init__(self, config: NanoConfig) -> None:
        super().__init__()
        d = config.hidden_size
        self.norm_self, self.attend_self = nn.LayerNorm(d), Attention(config)
        self.norm_cross, self.attend_cross = nn.LayerNorm(d), Attention(config)
        self.feed = FeedForward(config)
        self.drop = nn.Dropout(config.dropout)

    def forward(self, x: Tensor, causal: Tensor, memory: Tensor, mask: Tensor) -> Tensor:
        h = self.norm_self(x)
        x = x + self.drop(self.attend_self(h, h, causal))
        x = x + self.drop(self.attend_cross(self.norm_cross(x), memory, mask))
        return x + self.drop(self.feed(x))

    def step(
        self, x: Tensor, cache: Tensor, here: Tensor, mask: Tensor, memory: Tensor, memory_mask: Tensor
    ) -> tuple[Tensor, Tensor]:
        """One token `x` (B, 1, D) at the row that `here` (1, 1, N, 1) marks with 1.

        `cache` and `memory` hold keys and values (2, B, heads, N or n, D / heads). Returns the state and
        the cache with its new row.
        """
        h = self.norm_self(x)
        cache = cache * (1 - here) + torch.stack(self.attend_self.remember(h)) * here
        x = x + self.attend_self.attend(h, cache[0], cache[1], mask)
        x = x + self.attend_cross.attend(self.norm_cross(x), memory[0], memory[1], memory_mask)
        return x + self.feed(x), cache


class WriterMemory(NamedTuple):
    """What one-token steps look at; made once for a text.

    `cross` (layers, 2, B, heads, T, D / heads), `mask` (B, 1, 1, T), `words` and `copy_keys` (B, T, D).
    """

    cross: Tensor
    mask: Tensor
    words: Tensor
    copy_keys: Tensor


class NanoWriter(nn.Module):
    """The decoder: control tokens from its vocabulary, all else copied from the words.

    A token id below len(CONTROL) is a control token; id len(CONTROL) + i is a copy of word i.
    """

    def __init__(self, config: NanoConfig) -> None:
        super().__init__()
        d = config.hidden_size
        self.config = config
        self.embed = nn.Embedding(len(CONTROL), d)
        self.copied = nn.Parameter(torch.zeros(d))
        self.position = nn.Parameter(torch.randn(config.max_plan_tokens, d) * 0.02)
        self.layers = nn.ModuleList(WriterLayer(config) for _ in range(config.decoder_layers))
        self.norm = nn.LayerNorm(d)
        self.control = nn.Linear(d, len(CONTROL))
        self.copy_query = nn.Linear(d, d)
        self.copy_key = nn.Linear(d, d)

    def forward(self, ids: Tensor, reading: Reading) -> Tensor:
        """Ids (B, N) so far to logits (B, N, len(CONTROL) + T) of what comes next, all at once."""
        n = ids.shape[1]
        x = self._embed(ids, reading.words) + self.position[:n]
        causal = torch.full((n, n), MASKED, device=ids.device).triu(1)[None, None]
        for layer in self.layers:
            x = layer(x, causal, reading.words, reading.mask)
        return self._next(x, self.copy_key(reading.words), reading.mask[:, 0])

    def remember(self, reading: Reading) -> WriterMemory:
        """All that `step` needs of a reading."""
        cross = [torch.stack(layer.attend_cross.remember(reading.words)) for layer in self._each()]
        return WriterMemory(torch.stack(cross), reading.mask, reading.words, self.copy_key(reading.words))

    def empty_cache(self, batch: int = 1) -> Tensor:
        """Zeros (layers, 2, B, heads, max_plan_tokens, D / heads)."""
        c = self.config
        shape = (c.decoder_layers, 2, batch, c.num_heads, c.max_plan_tokens, c.hidden_size // c.num_heads)
        return torch.zeros(shape, dtype=self.copied.dtype, device=self.copied.device)

    def step(
        self, last: Tensor, position: Tensor, cache: Tensor, memory: WriterMemory
    ) -> tuple[Tensor, Tensor]:
        """The last id (B, 1) at `position` (1,) to logits (B, len(CONTROL) + T), and the cache."""
        rows = torch.arange(self.config.max_plan_tokens, device=last.device)
        here = (rows == position).to(cache.dtype)[None, None, :, None]
        mask = torch.where(rows <= position, 0.0, MASKED).to(cache.dtype)[None, None, None]
        x = self._embed(last, memory.words) + self.position[position]
        caches = []
        for i, layer in enumerate(self._each()):
            x, row = layer.step(x, cache[i], here, mask, memory.cross[i], memory.mask)
            caches.append(row)
        return self._next(x, memory.copy_keys, memory.mask[:, 0])[:, 0], torch.stack(caches)

    def _each(self) -> list[WriterLayer]:
        return [cast(WriterLayer, layer) for layer in self.layers]

    def _embed(self, ids: Tensor, words: Tensor) -> Tensor:
        n_control = len(CONTROL)
        copied = words.gather(1, (ids - n_control).clamp(min=0)[..., None].expand(-1, -1, words.shape[2]))
        own = self.embed(ids.clamp(max=n_control - 1)).to(copied.dtype)
        return torch.where((ids >= n_control)[..., None], copied + self.copied, own)

    def _next(self, x: Tensor, copy_keys: Tensor, mask: Tensor) -> Tensor:
        x = self.norm(x)
        copy = self.copy_query(x) @ copy_keys.transpose(1, 2) * copy_keys.shape[2] ** -0.5
        return torch.cat([self.control(x), copy + mask], -1)
