"""The parts of mmrobot-nano as modules of batch 1 with static shapes, and examples to trace them with."""

from __future__ import annotations

import copy
from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from mmrobot.vlm.engines.onnx_graph import Part
from mmrobot.vlm.models.nano import NanoModel
from mmrobot.vlm.models.nano.writer import WriterMemory

BUCKETS = (16, 48)
"""Lengths in words that `read` and `write` are exported for; the last one is replaced by config.max_words."""
SEEN = ("tokens", "boxes", "scores", "real", "places", "rests")
MEMORY = WriterMemory._fields


class See(nn.Module):
    """pixel_values (1, 3, H, W) to all that NanoModel.see tells."""

    def __init__(self, model: NanoModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, pixel_values: Tensor) -> tuple[Tensor, ...]:
        return self.model.see(pixel_values)


class Recognise(nn.Module):
    """views (1, 3, view_size, view_size) and boxes (1, 4) to logits (1, colours + shapes + sizes + 1)."""

    def __init__(self, model: NanoModel) -> None:
        super().__init__()
        self.recogniser = model.recogniser

    def forward(self, views: Tensor, boxes: Tensor) -> Tensor:
        return self.recogniser(views, boxes)


class Spell(nn.Module):
    """crops (1, 3, crop_height, crop_width) to logits (1, label_length, characters + 1)."""

    def __init__(self, model: NanoModel) -> None:
        super().__init__()
        self.speller = model.speller

    def forward(self, crops: Tensor) -> Tensor:
        return self.speller(crops)


class Read(nn.Module):
    """Words (1, T, word_bytes) to the writer's memory, flat."""

    def __init__(self, model: NanoModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, word_bytes: Tensor) -> tuple[Tensor, ...]:
        return tuple(self.model.read(word_bytes))


class Write(nn.Module):
    """One token: last id (1, 1), its position (1,), the caches, the memory; to logits and the caches."""

    def __init__(self, model: NanoModel) -> None:
        super().__init__()
        self.model = model

    def forward(
        self, last: Tensor, position: Tensor, cache: Tensor, *memory: Tensor
    ) -> tuple[Tensor, Tensor]:
        return self.model.write_step(last, position, cache, WriterMemory(*memory))


def on_pixels(conv: nn.Conv2d, factor: int) -> nn.Conv2d:
    """The convolution of pixels that equals `conv` of their unshuffled channels.

    Besides saving a pass over the picture it steps round torch 2.13, whose exporter writes pixel unshuffle
    as ONNX SpaceToDepth, which orders channels otherwise.
    """
    out, channels, height, width = conv.weight.shape
    merged = nn.Conv2d(
        channels // factor**2,
        out,
        (height * factor, width * factor),
        stride=tuple(s * factor for s in conv.stride),  # type: ignore[arg-type]
        padding=tuple(int(p) * factor for p in conv.padding),  # type: ignore[arg-type]
        bias=conv.bias is not None,
    )
    weight = conv.weight.detach().reshape(out, -1, factor, factor, height, width)
    merged.weight = nn.Parameter(weight.permute(0, 1, 4, 2, 5, 3).reshape(merged.weight.shape).contiguous())
    if conv.bias is not None:
        merged.bias = nn.Parameter(conv.bias.detach().clone())
    return merged.eval()


def buckets(max_words: int) -> tuple[int, ...]:
    """Those of BUCKETS below max_words, and max_words."""
    return (*(t for t in BUCKETS if t < max_words), max_words)


def nano_parts(model: NanoModel, dtype: torch.dtype = torch.float32) -> list[Part]:
    """The parts of a model, which is cast to `dtype`; bytes, ids and positions are int64."""
    model = model.to(dtype).eval()
    c = model.config
    pixels = torch.zeros(1, 3, c.image_height, c.image_width, dtype=dtype)
    crop = torch.zeros(1, 3, c.crop_height, c.crop_width, dtype=dtype)
    view = torch.zeros(1, 3, c.view_size, c.view_size, dtype=dtype)
    box = torch.zeros(1, 4, dtype=dtype)
    parts = [
        Part("see", See(model), {"pixel_values": pixels}, SEEN),
        Part("recognise", Recognise(model), {"views": view, "boxes": box}, ("logits",)),
        Part("spell", Spell(model), {"crops": crop}, ("logits",)),
    ]
    for t in buckets(c.max_words):
        data = torch.zeros(1, t, c.word_bytes, dtype=torch.long)
        data[0, 0, 0] = 97
        read = Read(model)
        parts.append(Part(f"read_{t}", read, {"word_bytes": data}, MEMORY))
        with torch.inference_mode():
            memory = [m.clone() for m in read(data)]
        step = {
            "last": torch.ones(1, 1, dtype=torch.long),
            "position": torch.zeros(1, dtype=torch.long),
            "cache": model.writer.empty_cache(),
            **dict(zip(MEMORY, memory, strict=True)),
        }
        parts.append(Part(f"write_{t}", Write(model), step, ("logits", "new_cache")))
    return parts


def fused(model: NanoModel) -> NanoModel:
    """A copy in which batch norms and the stem's pixel unshuffle are part of a convolution; same values."""
    model = copy.deepcopy(model).eval()
    stem = model.vision.stem
    block = cast(nn.Sequential, stem[1])
    block[0] = on_pixels(cast(nn.Conv2d, block[0]), cast(nn.PixelUnshuffle, stem[0]).downscale_factor)
    stem[0] = nn.Identity()
    for module in list(model.modules()):
        children = list(module.named_children())
        for (name, first), (after, second) in pairwise(children):
            if isinstance(first, nn.Conv2d) and isinstance(second, nn.BatchNorm2d):
                setattr(module, name, fuse_conv_bn_eval(first, second))
                setattr(module, after, nn.Identity())
    return model
