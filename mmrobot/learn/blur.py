"""Blur as a lens out of focus makes it, each sample by an own amount."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

CAMERA_SCALE = 2.0
"""Pixels of the camera's picture to one of the model's."""
MOST_CAMERA_PX = 1.6
"""Standard deviation of the strongest blur that training shows; level L4 begins beyond it."""
REACH = 8
"""Pixels to each side that a blur takes in."""


def gaussian(images: Tensor, deviation_px: NDArray[np.float64]) -> Tensor:
    """Images (N, C, H, W), each by a Gaussian of its own; `deviation_px` (N,), or (N, 2) across and down."""
    n, c, h, w = images.shape
    across, down = np.broadcast_to(deviation_px.reshape(n, -1), (n, 2)).T
    flat = F.pad(images.reshape(1, n * c, h, w), [REACH] * 4, mode="replicate")
    flat = F.conv2d(flat, _kernels(down, c, images)[:, None, :, None], groups=n * c)
    return F.conv2d(flat, _kernels(across, c, images)[:, None, None], groups=n * c).view(n, c, h, w)


def _kernels(deviation_px: NDArray[np.float64], channels: int, like: Tensor) -> Tensor:
    """(N * channels, 2 REACH + 1)."""
    deviation = torch.from_numpy(np.maximum(deviation_px, 0.05)).to(like.device, torch.float32)
    offsets = torch.arange(-REACH, REACH + 1, device=like.device)
    kernel = torch.exp(-(offsets**2) / (2 * deviation[:, None] ** 2))
    return (kernel / kernel.sum(1, keepdim=True)).repeat_interleave(channels, 0)
