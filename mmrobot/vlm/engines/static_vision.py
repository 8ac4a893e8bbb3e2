"""Picture encoders of LLaVA and Qwen2.5-VL with static shapes: one graph for each resolution."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from mmrobot.vlm.engines.static_decoder import MASKED


class LlavaVision(nn.Module):
    """pixel_values (1, 3, H, W) to image_embeds (1, N, D): tower, chosen layer, projector."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        config = model.config
        if not isinstance(config.vision_feature_layer, int):
            raise ValueError(f"one vision layer is needed, got {config.vision_feature_layer}")
        self.tower = model.model.vision_tower
        self.projector = model.model.multi_modal_projector
        self.layer = config.vision_feature_layer
        self.without_class_token = config.vision_feature_select_strategy == "default"

    def forward(self, pixel_values: Tensor) -> Tensor:
        states = self.tower(pixel_values, output_hidden_states=True, return_dict=True).hidden_states[
            self.layer
        ]
        return self.projector(states[:, 1:] if self.without_class_token else states)


class QwenVision(nn.Module):
    """Patches (N, channels x time x patch x patch) of one picture to image_embeds (1, N / 4, D).

    The grid (rows, columns of patches) is fixed: rotary angles, the order of windows and what may attend
    to what become constants (Qwen2.5-VL, Bai et al. 2025, arXiv:2502.13923).
    """

    order: Tensor
    back: Tensor
    cos: Tensor
    sin: Tensor
    apart: Tensor

    def __init__(self, model: Any, grid: tuple[int, int]) -> None:
        super().__init__()
        visual = model.model.visual
        self.visual = visual
        rows, columns = grid
        thw = torch.tensor([[1, rows, columns]])
        order, lengths, angles = qwen_layout(visual, thw)
        unit = visual.spatial_merge_unit
        cos, sin = (a.reshape(-1, unit, a.shape[-1])[order].reshape(-1, a.shape[-1]) for a in angles)
        self.window = lengths[0] if len(set(lengths)) == 1 else 0
        self.register_buffer("order", order, persistent=False)
        self.register_buffer("back", torch.argsort(order), persistent=False)
        self.register_buffer("cos", cos.float(), persistent=False)
        self.register_buffer("sin", sin.float(), persistent=False)
        owner = torch.repeat_interleave(torch.arange(len(lengths)), torch.tensor(lengths))
        apart = torch.where(owner[:, None] == owner[None], 0.0, MASKED)
        self.register_buffer("apart", apart if not self.window else torch.zeros(1), persistent=False)

    def forward(self, pixel_values: Tensor) -> Tensor:
        v = self.visual
        unit = v.spatial_merge_unit
        kernel = v.patch_embed.proj.weight
        x = pixel_values.to(kernel.dtype) @ kernel.reshape(kernel.shape[0], -1).t()
        n = x.shape[0]
        x = x.reshape(n // unit, unit, -1)[self.order].reshape(n, -1)
        for i, block in enumerate(v.blocks):
            everywhere = i in v.fullatt_block_indexes
            x = x + self._attend(block.attn, block.norm1(x), everywhere)
            x = x + block.mlp(block.norm2(x))
        return v.merger(x)[self.back][None]

    def _attend(self, attention: Any, x: Tensor, everywhere: bool) -> Tensor:
        n = x.shape[0]
        q, k, v = attention.qkv(x).reshape(n, 3, attention.num_heads, -1).permute(1, 0, 2, 3).unbind(0)
        cos, sin = self.cos[:, None], self.sin[:, None]
        q, k = ((u.float() * cos + _rotate_half(u.float()) * sin).to(x.dtype) for u in (q, k))
        span = self.window if self.window and not everywhere else n
        q, k, v = (u.reshape(n // span, span, attention.num_heads, -1).transpose(1, 2) for u in (q, k, v))
        scores = (q @ k.transpose(2, 3)).float() * attention.scaling
        if not everywhere and not self.window:
            scores = scores + self.apart
        out = scores.softmax(-1).to(v.dtype) @ v
        return attention.proj(out.transpose(1, 2).reshape(n, -1))


def qwen_layout(visual: Any, thw: Tensor) -> tuple[Tensor, list[int], tuple[Tensor, Tensor]]:
    """Order of merged patches (N / 4,), patches a window, and cosine and sine (N, d), of a grid (1, 3)."""
    from transformers.vision_utils import get_vision_position_ids, get_vision_window_index

    positions = get_vision_position_ids(thw, visual.spatial_merge_size)
    order, bounds = get_vision_window_index(
        thw,
        spatial_merge_size=visual.spatial_merge_size,
        window_size=visual.window_size,
        patch_size=visual.patch_size,
    )
    lengths = [n for n in (bounds[1:] - bounds[:-1]).tolist() if n > 0]
    return order, lengths, visual.rotary_pos_emb(torch.zeros(1), positions)


def _rotate_half(x: Tensor) -> Tensor:
    low, high = x.chunk(2, -1)
    return torch.cat([-high, low], -1)
