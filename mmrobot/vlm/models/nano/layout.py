"""Where the objects stand: places on the table, volumes, what rests in or on what, and what is real.

Read off the object tokens alone. Comparisons ("the second from the left", "nearest to the bowl") are made
in metres of the table's plane, since pixels shrink with distance.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from mmrobot.vlm.models.nano.configuration import NanoConfig

CENTER_M = (0.45, 0.0)
"""The middle of the work area in base_link, x away from the robot, y to its left: outputs are near zero."""
SPREAD_M = 0.2
LOG_VOLUME, LOG_VOLUME_SPREAD = -9.0, 1.5
"""Mean and spread of log(m^3) of the things on the table."""
HIDDEN = 96


class Layout(NamedTuple):
    """Of K objects: `real` (B, K) logits that a token shows a thing that has a name; `places` (B, K, 3) x and
    y of its middle in base_link (m), and the log of its outer volume (m^3); `rests` (B, K, K) logits that
    object i lies in or on object j."""

    real: Tensor
    places: Tensor
    rests: Tensor


class NanoLayout(nn.Module):
    """Tokens (B, K, token_size) to a Layout."""

    def __init__(self, config: NanoConfig) -> None:
        super().__init__()
        self.start = config.object_channels
        self.single = nn.Sequential(
            nn.Linear(config.token_size, HIDDEN), nn.GELU(), nn.Linear(HIDDEN, HIDDEN), nn.GELU()
        )
        self.real = nn.Linear(HIDDEN, 1)
        # A camera maps a plane by a ratio of linear functions; what is left is learned on top.
        self.plane, self.depth = nn.Linear(config.token_size, 3), nn.Linear(config.token_size, 1)
        self.place = nn.Linear(HIDDEN, 3)
        nn.init.zeros_(self.depth.weight)
        nn.init.zeros_(self.depth.bias)
        nn.init.zeros_(self.place.weight)
        # Both tokens, and how their boxes lie to each other.
        self.upper, self.lower = nn.Linear(config.token_size, HIDDEN), nn.Linear(config.token_size, HIDDEN)
        self.between = nn.Linear(6, HIDDEN)
        self.rests = nn.Sequential(nn.GELU(), nn.Linear(HIDDEN, HIDDEN), nn.GELU(), nn.Linear(HIDDEN, 1))

    @property
    def scale(self) -> Tensor:
        """(3,) spreads of what `places` holds."""
        # No buffer: `from_pretrained` leaves those that are not saved unset.
        return self.place.weight.new_tensor([SPREAD_M, SPREAD_M, LOG_VOLUME_SPREAD])

    def forward(self, tokens: Tensor) -> Layout:
        seen = self.single(tokens)
        offset = self.place.weight.new_tensor([*CENTER_M, LOG_VOLUME])
        plane = self.plane(tokens) * torch.exp(self.depth(tokens).clamp(-2, 2))
        places = (plane + self.place(seen)) * self.scale + offset
        box = tokens[..., self.start : self.start + 4]
        pairs = self.upper(tokens)[:, :, None] + self.lower(tokens)[:, None] + self.between(_between(box))
        return Layout(self.real(seen)[..., 0], places, self.rests(pairs)[..., 0])


def _between(box: Tensor) -> Tensor:
    """(B, K, K, 6) from boxes as tokens carry them: centre in [-1, 1], width and height as eighths less 1."""
    centre, size = box[..., :2], (box[..., 2:] + 1).clamp(min=0.02) / 4
    offset = (centre[:, :, None] - centre[:, None]) / size[:, None]
    ratio = size[:, :, None].log() - size[:, None].log()
    bottom = centre[..., 1] + size[..., 1] / 2
    below = (bottom[:, :, None] - bottom[:, None])[..., None] / size[:, None, :, 1:]
    inside = (1 - offset.abs()).clamp(min=0).prod(-1, keepdim=True)
    return torch.cat([offset.clamp(-4, 4), ratio, below.clamp(-4, 4), inside], -1)
