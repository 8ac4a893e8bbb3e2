"""The speller: the print on a thing, read from a crop of the original picture."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from mmrobot.vlm.models.nano.configuration import NanoConfig
from mmrobot.vlm.models.nano.vision import ConvBlock, ResidualBlock


class NanoSpeller(nn.Module):
    """Crops (N, 3, crop_height, crop_width) in [-1, 1] to logits (N, label_length, characters + 1).

    Class 0 of a place is "no character here"; a thing without print has it in every place.
    """

    def __init__(self, config: NanoConfig) -> None:
        super().__init__()
        self.places = config.label_length
        self.characters = config.label_characters
        classes = 1 + len(self.characters)
        self.trunk = nn.Sequential(
            nn.PixelUnshuffle(2),
            ConvBlock(12, 32, 3, 2),
            ResidualBlock(32),
            ConvBlock(32, 64, 3, 2),
            ResidualBlock(64),
            ConvBlock(64, 96, 3, 2),
            ResidualBlock(96),
        )
        cells = (config.crop_height // 16) * (config.crop_width // 16)
        self.head = nn.Sequential(
            nn.Linear(96 * cells, 160), nn.ReLU(), nn.Linear(160, self.places * classes)
        )

    def forward(self, crops: Tensor) -> Tensor:
        return self.head(F.relu(self.trunk(crops)).flatten(1)).unflatten(1, (self.places, -1))
