"""The recogniser learns to name things, from views of the camera's own pictures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from mmrobot.learn.distributed import World
from mmrobot.learn.loop import LoopSettings, Loss, Validate, train
from mmrobot.learn.pictures import VIEW_PX, VIEW_SPARE, PictureSet
from mmrobot.learn.vision_training import augment, drain
from mmrobot.vlm.models.nano.configuration import NanoConfig
from mmrobot.vlm.models.nano.processing import VIEW_MARGIN
from mmrobot.vlm.models.nano.recogniser import NanoRecogniser

DEFAULTS = LoopSettings(steps=8000, batch=64, learning_rate=2e-3, warmup=200, clip_norm=5.0)
CAMERA_SCALE = 2.0
"""Pixels of the camera's picture to one of the model's."""
OFF = 0.09
"""Standard deviation of a candidate's middle, in shares of the view, and of the log of its size."""
BLURRED, BLUR_PX = 0.3, 1.6
"""Share of views, and the most deviation in pixels of the camera: as `augment` blurs whole pictures."""


@dataclass(frozen=True, eq=False)
class Views:
    """All views of a set (M, VIEW_PX, VIEW_PX, 3), their rows of VIEW_DTYPE, and the picture of each."""

    images: NDArray[np.uint8]
    index: NDArray[Any]
    picture: NDArray[np.int64]

    @classmethod
    def of(cls, pictures: PictureSet) -> Views:
        assert pictures.views is not None and pictures.view_index is not None
        picture, slot = np.nonzero(pictures.view_index["used"])
        images = np.concatenate(
            [pictures.views[i][pictures.view_index["used"][i]] for i in range(len(pictures))]
        )
        return cls(images, np.asarray(pictures.view_index[picture, slot]), picture)

    def __len__(self) -> int:
        return len(self.index)

    def batch(
        self, chosen: NDArray[np.int64], config: NanoConfig, rng: np.random.Generator | None
    ) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """Views (B, view_size, view_size, 3) and boxes (B, 4) in [0, 1]; with `rng` each a little off, some
        blurred, and half of them mirrored."""
        size = config.view_size
        images = np.empty((len(chosen), size, size, 3), np.uint8)
        scale = np.array([config.image_width, config.image_height] * 2, np.float32)
        boxes = (self.index["box"][chosen] / scale).astype(np.float32)
        for row, i in enumerate(chosen):
            side = VIEW_PX / VIEW_SPARE
            middle = np.array([VIEW_PX / 2, VIEW_PX / 2])
            if rng is not None:
                side *= float(np.exp(np.clip(rng.normal(0, OFF), -0.2, 0.2)))
                middle = middle + side * np.clip(rng.normal(0, OFF / 2, 2), -0.12, 0.12)
            # Pixel middles: output u shows input (u + 0.5) * side / size + left - 0.5.
            zoom = side / size
            left, top = middle - side / 2
            how = np.array([[zoom, 0, left + zoom / 2 - 0.5], [0, zoom, top + zoom / 2 - 0.5]])
            flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
            view = cv2.warpAffine(
                self.images[i], how, (size, size), flags=flags, borderMode=cv2.BORDER_REPLICATE
            )
            if rng is not None and rng.random() < BLURRED:
                extent_px = CAMERA_SCALE * float(np.max(np.diff(self.index["box"][i].reshape(2, 2), axis=0)))
                deviation = float(rng.uniform(0, BLUR_PX)) * size / (VIEW_MARGIN * extent_px)
                view = cv2.GaussianBlur(view, (0, 0), max(deviation, 0.05))
            if rng is not None and rng.random() < 0.5:
                view = view[:, ::-1]
                boxes[row, [0, 2]] = 1 - boxes[row, [2, 0]]
            images[row] = view
        return images, boxes


def recogniser_loss(
    logits: Tensor, rows: NDArray[Any], colored: Tensor, config: NanoConfig
) -> tuple[Tensor, dict[str, float]]:
    """The sum of all losses, and shares right; attributes are asked of things with a name only."""
    color, shape, size, real = split_logits(logits, config)
    device = logits.device
    named = torch.from_numpy(rows["named"].copy()).to(device)
    target = {k: torch.from_numpy(rows[k].astype(np.int64)).to(device) for k in ("color", "shape", "size")}

    def cross(said: Tensor, name: str, which: Tensor) -> Tensor:
        return F.cross_entropy(said[which], target[name][which]) if which.any() else said.sum() * 0

    parts = {
        "color": cross(color, "color", named & colored),
        "shape": cross(shape, "shape", named),
        "size": cross(size, "size", named),
        "real": F.binary_cross_entropy_with_logits(real[:, 0], named.float()),
    }
    total = torch.stack(list(parts.values())).sum()
    return total, {k: float(v.detach()) for k, v in parts.items()}


def split_logits(logits: Tensor, config: NanoConfig) -> tuple[Tensor, ...]:
    """Of colours, shapes, sizes and of being a thing with a name."""
    return logits.split([len(config.colors), len(config.shapes), len(config.sizes), 1], -1)


def train_recogniser(
    recogniser: NanoRecogniser,
    config: NanoConfig,
    pictures: PictureSet,
    settings: LoopSettings,
    checkpoint: Path,
    report: Callable[[str], None] = print,
    *,
    world: World = World(),  # noqa: B008  (frozen)
    validate: Validate | None = None,
) -> None:
    """Trains in place to `settings.steps`."""
    views = Views.of(pictures)
    report(f"{len(views)} views, {int(views.index['named'].sum())} of things with a name")
    recogniser.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def begin(step: int) -> Loss:
        rng = np.random.default_rng([settings.seed, step, world.rank])
        generator = torch.Generator(world.device).manual_seed(int(rng.integers(2**31)))

        def loss_of_batch() -> tuple[Tensor, dict[str, float]]:
            chosen = rng.integers(0, len(views), settings.batch)
            images, boxes = views.batch(chosen, config, rng)
            x = torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2))).to(world.device)
            x, colored = drain(x, generator)
            x = augment(x, generator, blurs=False).contiguous(memory_format=torch.channels_last)
            with world.autocast():
                logits = recogniser(x, torch.from_numpy(boxes).to(world.device)).float()
            return recogniser_loss(logits, views.index[chosen], colored, config)

        return loss_of_batch

    train("views", recogniser, begin, settings, checkpoint, report, world=world, validate=validate)


def recogniser_figures(
    recogniser: NanoRecogniser, config: NanoConfig, pictures: PictureSet, world: World
) -> dict[str, float]:
    """Shares of views told rightly."""
    views = Views.of(pictures)
    recogniser.eval()
    said = []
    for start in range(0, len(views), 256):
        chosen = np.arange(start, min(start + 256, len(views)))
        images, boxes = views.batch(chosen, config, None)
        x = torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2))).to(world.device)
        with torch.inference_mode():
            logits = recogniser(x.float() / 127.5 - 1, torch.from_numpy(boxes).to(world.device))
        said.append(logits.float().cpu())
    parts = split_logits(torch.cat(said), config)
    rows, named = views.index, views.index["named"]
    right = {
        name: float((part.argmax(-1).numpy() == rows[name])[named].mean())
        for name, part in zip(("color", "shape", "size"), parts, strict=False)
    }
    real = parts[3][:, 0].numpy() > 0
    return right | {"real": float(real[named].mean()), "not": float(1 - real[~named].mean())}
