"""The recogniser: a second look at each candidate, in a view cut from the camera's own picture.

What a thing is called is told by more pixels than the encoder has. Shape and size are read from brightness
alone, evened out within the view, so that neither a colour nor the light of the room can speak for a shape;
colour from the first layers, which see a few pixels and so know no shape, averaged where the deeper ones look
(two places: the thing, and what it stands on). So pairs of colour and shape that training never showed are
put together from what it did show.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mmrobot.vlm.models.nano.configuration import NanoConfig
from mmrobot.vlm.models.nano.vision import ConvBlock, ResidualBlock

_GREY = (0.299, 0.587, 0.114)
_LOOKS = 2
_LEAST_CONTRAST = 0.05
_LOG_SIDE = 2.3
"""Of a common thing's side, as a share of the picture's, less its sign."""


class NanoRecogniser(nn.Module):
    """Views (N, 3, view_size, view_size) in [-1, 1] and their boxes (N, 4) in [0, 1] of the picture to logits
    (N, colours + shapes + sizes + 1); the last is that it shows a thing with a name."""

    def __init__(self, config: NanoConfig) -> None:
        super().__init__()
        side = config.view_size // 8
        self.first = ConvBlock(1, 24, 5, 2)
        self.second = nn.Sequential(ConvBlock(24, 48, 3, 2), ResidualBlock(48))
        self.third = nn.Sequential(ConvBlock(48, 96, 3, 2), ResidualBlock(96), ResidualBlock(96))
        self.whole = nn.Sequential(nn.Linear(96 * side**2, 160), nn.ReLU())
        self.extent = nn.Sequential(nn.Linear(6, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU())
        self.kind = nn.Sequential(
            nn.Linear(160 + 64, 128), nn.ReLU(), nn.Linear(128, len(config.shapes) + len(config.sizes) + 1)
        )
        self.local = nn.Sequential(nn.Conv2d(3, 32, 3, 2, 1), nn.ReLU(), nn.Conv2d(32, 48, 1), nn.ReLU())
        self.where = nn.Conv2d(48 + 96, _LOOKS, 1)
        self.color = nn.Sequential(
            nn.Linear(_LOOKS * 48, 96), nn.ReLU(), nn.Linear(96, len(config.colors))
        )

    def forward(self, views: Tensor, boxes: Tensor) -> Tensor:
        red, green, blue = views.unbind(1)
        grey = (_GREY[0] * red + _GREY[1] * green + _GREY[2] * blue)[:, None]
        mean = grey.mean((2, 3), keepdim=True)
        contrast = ((grey - mean) ** 2).mean((2, 3), keepdim=True).sqrt()
        x4 = self.second(self.first((grey - mean) / (contrast + _LEAST_CONTRAST)))
        x8 = self.third(x4)
        # A view is as large for a small thing as for a large one: how large it was cut is told beside it.
        sides = (boxes[:, 2:] - boxes[:, :2]).clamp(min=1e-3).log() + _LOG_SIDE
        extent = self.extent(torch.cat([boxes * 2 - 1, sides], 1))
        kind = self.kind(torch.cat([self.whole(x8.flatten(1)), extent], 1))
        deep = torch.cat([x4, F.interpolate(x8, scale_factor=2.0, mode="nearest")], 1)
        where = F.interpolate(self.where(deep), scale_factor=2.0, mode="nearest").flatten(2).softmax(-1)
        color = self.color((where @ self.local(views).flatten(2).transpose(1, 2)).flatten(1))
        return torch.cat([color, kind], 1)
