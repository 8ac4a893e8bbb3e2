"""What a stream of pictures left lately, on the device that trains: old samples make room for new ones."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mmrobot.learn.picture_stream import Block
from mmrobot.learn.pictures import CROP_DTYPE, CROP_SIZE, MAX_OBJECTS, OBJECT_DTYPE, VIEW_DTYPE, VIEW_PX
from mmrobot.vlm.models.nano.configuration import NanoConfig


class Ring:
    """`images` (capacity, H, W, 3) uint8 on the device, `rows` (capacity, ...) what they show, in memory."""

    def __init__(
        self,
        capacity: int,
        size: tuple[int, int],
        row: tuple[np.dtype[Any], tuple[int, ...]],
        device: torch.device,
    ) -> None:
        height, width = size
        self.images = torch.empty((capacity, height, width, 3), dtype=torch.uint8, device=device)
        self.rows: NDArray[Any] = np.empty((capacity, *row[1]), row[0])
        self._capacity, self.added = capacity, 0

    def __len__(self) -> int:
        return min(self.added, self._capacity)

    def add(self, images: NDArray[np.uint8], rows: NDArray[Any]) -> None:
        """Puts samples in, over the oldest where it is full."""
        places = np.arange(self.added, self.added + len(rows)) % self._capacity
        device = self.images.device
        taken = torch.from_numpy(np.ascontiguousarray(images)).to(device)
        self.images[torch.from_numpy(places).to(device)] = taken
        self.rows[places] = rows
        if device.type == "cuda":  # nothing is drawn before it is there
            torch.cuda.current_stream(device).synchronize()
        self.added += len(rows)

    def draw(self, count: int, rng: np.random.Generator) -> tuple[Tensor, NDArray[Any]]:
        """So many at random, each as likely: images (count, H, W, 3) and what they show."""
        chosen = rng.integers(0, len(self), count)
        return self.images[torch.from_numpy(chosen).to(self.images.device)], self.rows[chosen]


VIEWS_OF_A_PICTURE = 10
MOST_PICTURES = 150_000
SHARE_OF_MEMORY = 0.6


def room_for(config: NanoConfig, device: torch.device) -> int:
    """How many pictures, with all that is cut out of them, the device's free memory is given to."""
    if device.type == "cuda":
        free = torch.cuda.mem_get_info(device)[0]
    else:
        free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    pixels = config.image_height * config.image_width
    pixels += VIEWS_OF_A_PICTURE * VIEW_PX**2 + 2 * CROP_SIZE[0] * CROP_SIZE[1]
    return min(MOST_PICTURES, int(SHARE_OF_MEMORY * free / (3 * pixels)))


class SightRings:
    """Pictures, views, and crops with and without a print."""

    def __init__(self, config: NanoConfig, device: torch.device) -> None:
        pictures = room_for(config, device)
        crop = (CROP_SIZE[1], CROP_SIZE[0])
        self.pictures = Ring(
            pictures, (config.image_height, config.image_width), (OBJECT_DTYPE, (MAX_OBJECTS,)), device
        )
        self.views = Ring(VIEWS_OF_A_PICTURE * pictures, (VIEW_PX, VIEW_PX), (VIEW_DTYPE, ()), device)
        self.printed, self.blank = (Ring(pictures, crop, (CROP_DTYPE, ()), device) for _ in range(2))

    def add(self, block: Block) -> None:
        """Takes all that a block holds."""
        self.pictures.add(block.images, block.objects)
        used = block.view_index["used"]
        self.views.add(block.views[used], block.view_index[used])
        cut = block.crop_index["object"] >= 0
        crops, rows = block.crops[cut], block.crop_index[cut]
        has_print = rows["text"] != b""
        self.printed.add(crops[has_print], rows[has_print])
        self.blank.add(crops[~has_print], rows[~has_print])
