"""The picture's encoder: object candidates with box, colour, shape and size, and a token for each.

A convolutional trunk to stride 16 and back to stride 4; a centre heatmap (CenterNet, Zhou et al. 2019,
arXiv:1904.07850) proposes objects, and every head is read at the K highest peaks. Colour alone is read
from the first layer, at points inside the box: what sees a few pixels cannot know a shape, so that a
colour is told on shapes that never had it in training.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mmrobot.vlm.models.nano.configuration import NanoConfig

STRIDE = 4
BOX_SCALE_PX = 32.0


class ConvBlock(nn.Sequential):
    """Convolution, batch norm, ReLU."""

    def __init__(self, c_in: int, c_out: int, kernel: int = 3, stride: int = 1) -> None:
        super().__init__(
            nn.Conv2d(c_in, c_out, kernel, stride, kernel // 2, bias=False),
            nn.BatchNorm2d(c_out),
            nn.ReLU(inplace=True),
        )


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions around a shortcut."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = ConvBlock(channels, channels)
        norm = nn.BatchNorm2d(channels)
        # A new block changes nothing at first (Goyal et al. 2017, arXiv:1706.02677).
        nn.init.zeros_(norm.weight)
        self.second = nn.Sequential(nn.Conv2d(channels, channels, 3, 1, 1, bias=False), norm)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.second(self.first(x)))


GROUPS = 2
"""Solid things and containers have heatmaps of their own: a cube in a bowl shares the bowl's centre."""


@dataclass
class Features:
    """What the trunk makes of pictures (B, 3, H, W): maps (B, C, H/4, W/4) and one vector of the whole."""

    deep: Tensor
    local: Tensor
    """The first layer's: each cell knows 6 x 6 pixels."""
    whole: Tensor
    """(B, WHOLE): light and exposure, without which white is grey and brown is orange."""


@dataclass
class DenseMaps:
    """The heads' maps at stride 4, (B, GROUPS, C, H/4, W/4), and the features that they read."""

    features: Features
    heatmap: Tensor  # (B, GROUPS, h, w) logits: a visible box of this group is centred here
    box: Tensor  # 4: centre offset (cells), log width and height over BOX_SCALE_PX
    shape: Tensor
    size: Tensor


WHOLE = 16
GRID = 5
"""Points of a box that the colour is read at, across and down."""
_PLACES = [(i + 0.5) / GRID - 0.5 for i in range(GRID)]
# No buffers: `from_pretrained` leaves those that are not saved unset.
POINTS = [[x for _ in _PLACES for x in _PLACES], [y for y in _PLACES for _ in _PLACES]]


class ColorHead(nn.Module):
    """Where to look is told by deep features, what is seen there by local ones."""

    def __init__(self, deep: int, local: int, colors: int) -> None:
        super().__init__()
        self.where = nn.Linear(deep, GROUPS * GRID**2)
        self.what = nn.Sequential(nn.Linear(local + WHOLE, 64), nn.ReLU(), nn.Linear(64, colors))

    def forward(
        self, features: Features, deep: Tensor, picture: Tensor, group: Tensor, center: Tensor, size: Tensor
    ) -> Tensor:
        """Logits (..., colours) of objects: `deep` (..., d), `picture` and `group` (...) indices, and the
        `center` and `size` (..., 2) of their boxes in cells, x first."""
        height, width = features.local.shape[2:]
        across, down = torch.tensor(POINTS, dtype=center.dtype, device=center.device)
        column = (center[..., :1] + size[..., :1] * across).long().clamp(0, width - 1)
        row = (center[..., 1:] + size[..., 1:] * down).long().clamp(0, height - 1)
        seen = features.local.permute(0, 2, 3, 1)[picture[..., None], row, column]
        where = self.where(deep).unflatten(-1, (GROUPS, -1))
        where = torch.where((group == 0)[..., None], where[..., 0, :], where[..., 1, :]).softmax(-1)
        pooled = (where[..., None, :].to(seen.dtype) @ seen)[..., 0, :]
        return self.what(torch.cat([pooled, features.whole[picture].to(pooled.dtype)], -1))


class NanoVision(nn.Module):
    """Pixels to object tokens."""

    def __init__(self, config: NanoConfig) -> None:
        super().__init__()
        self.config = config
        c4, c8, c16 = config.vision_channels
        d = config.object_channels
        self.stem = nn.Sequential(nn.PixelUnshuffle(2), ConvBlock(12, c4, 3, 2))
        self.stage8 = nn.Sequential(ConvBlock(c4, c8, 3, 2), ResidualBlock(c8), ResidualBlock(c8))
        self.stage16 = nn.Sequential(ConvBlock(c8, c16, 3, 2), *(ResidualBlock(c16) for _ in range(4)))
        self.lateral16 = nn.Conv2d(c16, c8, 1)
        self.merge8 = ConvBlock(c8, c8)
        self.lateral8 = nn.Conv2d(c8, d, 1)
        self.lateral4 = nn.Conv2d(c4, d, 1)
        self.merge4 = nn.Sequential(ConvBlock(d, d), ConvBlock(d, d))
        self.heatmap = nn.Conv2d(d, GROUPS, 1)
        self.box = nn.Conv2d(d, GROUPS * 4, 1)
        self.whole = nn.Linear(c16, WHOLE)
        self.color = ColorHead(d, c4, len(config.colors))
        self.shape = nn.Conv2d(d, GROUPS * len(config.shapes), 1)
        self.size = nn.Conv2d(d, GROUPS * len(config.sizes), 1)
        nn.init.constant_(self.heatmap.bias, -4.0)  # type: ignore[arg-type]  # objects are rare: start from none

    def trunk(self, pixel_values: Tensor) -> Features:
        """`pixel_values` (B, 3, H, W) in [-1, 1] to features; the deep ones have `object_channels`."""
        x4 = self.stem(pixel_values)
        x8 = self.stage8(x4)
        x16 = self.stage16(x8)
        x8 = self.merge8(x8 + F.interpolate(self.lateral16(x16), scale_factor=2.0, mode="nearest"))
        x = F.interpolate(self.lateral8(x8), scale_factor=2.0, mode="nearest") + self.lateral4(x4)
        return Features(self.merge4(F.relu(x)), x4, self.whole(x16.mean((2, 3))))

    def dense(self, pixel_values: Tensor) -> DenseMaps:
        """`pixel_values` (B, 3, H, W) in [-1, 1] to the maps, for training."""
        features = self.trunk(pixel_values)
        x = features.deep
        heads = (head(x).unflatten(1, (GROUPS, -1)) for head in (self.box, self.shape, self.size))
        return DenseMaps(features, self.heatmap(x), *heads)

    def forward(self, pixel_values: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """To tokens (B, K, token_size), boxes (B, K, 4) in [0, 1] as x0 y0 x1 y1, and scores (B, K)."""
        return self.gather(self.trunk(pixel_values))

    def gather(self, features: Features) -> tuple[Tensor, Tensor, Tensor]:
        """The K highest peaks of the heatmap with what the heads say there; nowhere else are they asked."""
        deep = features.deep
        heat = torch.sigmoid(self.heatmap(deep).float())
        peaks = heat * (heat == F.max_pool2d(heat, 3, 1, 1))
        scores, index = peaks.flatten(1).topk(self.config.num_objects, dim=1)
        height, width = deep.shape[2:]
        group = torch.div(index, height * width, rounding_mode="floor")
        index = index % (height * width)
        flat = deep.flatten(2)
        at_peaks = flat.gather(2, index[:, None].expand(-1, flat.shape[1], -1)).transpose(1, 2)

        def ask(head: nn.Conv2d) -> Tensor:
            both = F.linear(at_peaks, head.weight.flatten(1), head.bias).float().chunk(GROUPS, -1)
            return torch.where((group == 0)[..., None], both[0], both[1])

        box = ask(self.box)
        row = torch.div(index, width, rounding_mode="floor")
        peak = torch.stack([index % width, row], -1).float()
        centre = (peak + 0.5 + box[..., :2]) * STRIDE
        size = torch.exp(box[..., 2:].clamp(-4, 4)) * BOX_SCALE_PX
        picture = torch.arange(len(index), device=index.device)[:, None].expand_as(index)
        color = self.color(features, at_peaks, picture, group, centre / STRIDE, size / STRIDE).float()
        image_size = (self.config.image_width, self.config.image_height)
        scale = torch.tensor(image_size * 2, dtype=torch.float32, device=scores.device)
        boxes = torch.cat([centre - size / 2, centre + size / 2], -1) / scale
        geometry = torch.cat([centre, size * 4], -1) / scale
        tokens = torch.cat(
            [
                at_peaks.float(),
                geometry * 2 - 1,
                scores[..., None],
                group[..., None].float(),
                color.softmax(-1),
                ask(self.shape).softmax(-1),
                ask(self.size).softmax(-1),
            ],
            -1,
        )
        return tokens, boxes.clamp(0, 1), scores
