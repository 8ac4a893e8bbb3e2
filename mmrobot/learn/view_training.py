"""The recogniser learns to name things, from views of the camera's own pictures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from mmrobot.learn import blur
from mmrobot.learn.distributed import World
from mmrobot.learn.loop import LoopSettings, Loss, Validate, train
from mmrobot.learn.pictures import VIEW_PX, VIEW_SPARE, PictureSet
from mmrobot.learn.vision_training import augment, drain
from mmrobot.vlm.models.nano.configuration import NanoConfig
from mmrobot.vlm.models.nano.processing import VIEW_MARGIN
from mmrobot.vlm.models.nano.recogniser import NanoRecogniser

DEFAULTS = LoopSettings(steps=8000, batch=64, learning_rate=2e-3, warmup=200, clip_norm=5.0)
OFF = 0.09
"""Standard deviation of a candidate's middle, in shares of the view, and of the log of its size."""
BLURRED = 0.3
"""Share of views."""


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
        self,
        chosen: NDArray[np.int64],
        config: NanoConfig,
        rng: np.random.Generator | None,
        device: torch.device,
    ) -> tuple[Tensor, Tensor]:
        """As `cut_out` gives some of them."""
        return cut_out(torch.from_numpy(self.images[chosen]).to(device), self.index[chosen], config, rng)


def cut_out(
    images: Tensor, rows: NDArray[Any], config: NanoConfig, rng: np.random.Generator | None
) -> tuple[Tensor, Tensor]:
    """Of uint8 views (B, VIEW_PX, VIEW_PX, 3) and their rows of VIEW_DTYPE: what the product cuts,
    (B, 3, view_size, view_size) float 0..255, and boxes (B, 4) in [0, 1]; with `rng` each a little off, some
    blurred, and half of them mirrored."""
    n, device, size = len(rows), images.device, config.view_size
    scale = np.array([config.image_width, config.image_height] * 2, np.float32)
    boxes = (rows["box"] / scale).astype(np.float32)
    side = np.full(n, VIEW_PX / VIEW_SPARE)
    middle = np.full((n, 2), VIEW_PX / 2)
    flipped = np.zeros(n, np.bool_)
    if rng is not None:
        side *= np.exp(np.clip(rng.normal(0, OFF, n), -0.2, 0.2))
        middle += side[:, None] * np.clip(rng.normal(0, OFF / 2, (n, 2)), -0.12, 0.12)
        flipped = rng.random(n) < 0.5
        boxes[flipped] = boxes[flipped][:, [2, 1, 0, 3]] * [-1, 1, -1, 1] + [1, 0, 1, 0]
    # In affine_grid's measure: from edge to edge is -1 to 1.
    zoom, off = side / VIEW_PX, 2 * middle / VIEW_PX - 1
    how = np.zeros((n, 2, 3), np.float32)
    how[:, 0, 0], how[:, 1, 1], how[:, :, 2] = np.where(flipped, -zoom, zoom), zoom, off
    grid = F.affine_grid(torch.from_numpy(how).to(device), [n, 3, size, size], align_corners=False)
    pixels = images.permute(0, 3, 1, 2).float()
    cut = F.grid_sample(pixels, grid, padding_mode="border", align_corners=False)
    blurs = np.flatnonzero(rng.random(n) < BLURRED) if rng is not None else np.zeros(0, np.int64)
    if rng is not None and len(blurs):
        extent_px = blur.CAMERA_SCALE * np.maximum(*(rows["box"][blurs, 2:] - rows["box"][blurs, :2]).T)
        deviation_px = rng.uniform(0, blur.MOST_CAMERA_PX, len(blurs)) * size / (VIEW_MARGIN * extent_px)
        chosen = torch.from_numpy(blurs).to(device)
        cut[chosen] = blur.gaussian(cut[chosen], deviation_px)
    return cut, torch.from_numpy(boxes).to(device)


def recogniser_loss(
    logits: Tensor, rows: NDArray[Any], colored: Tensor, config: NanoConfig, sized: Tensor | None = None
) -> tuple[Tensor, dict[str, float]]:
    """The sum of all losses, and shares right; attributes are asked of things with a name only, colours of
    the `colored` (B,), sizes of the `sized` (B,), or of all."""
    color, shape, size, real = split_logits(logits, config)
    device = logits.device
    named = torch.from_numpy(rows["named"].copy()).to(device)
    target = {k: torch.from_numpy(rows[k].astype(np.int64)).to(device) for k in ("color", "shape", "size")}

    def cross(said: Tensor, name: str, which: Tensor) -> Tensor:
        return F.cross_entropy(said[which], target[name][which]) if which.any() else said.sum() * 0

    parts = {
        "color": cross(color, "color", named & colored),
        "shape": cross(shape, "shape", named),
        "size": cross(size, "size", named if sized is None else named & sized),
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
            taken = torch.from_numpy(views.images[chosen]).to(world.device)
            return loss_of_views(recogniser, taken, views.index[chosen], config, rng, generator, world)

        return loss_of_batch

    train("views", recogniser, begin, settings, checkpoint, report, world=world, validate=validate)


def loss_of_views(
    recogniser: NanoRecogniser,
    images: Tensor,
    rows: NDArray[Any],
    config: NanoConfig,
    rng: np.random.Generator,
    generator: torch.Generator,
    world: World,
) -> tuple[Tensor, dict[str, float]]:
    """Of uint8 views (B, VIEW_PX, VIEW_PX, 3) on the device and their rows of VIEW_DTYPE, varied."""
    x, boxes = cut_out(images, rows, config, rng)
    x, colored = drain(x, generator)
    x = augment(x, generator, blurs=False).contiguous(memory_format=torch.channels_last)
    with world.autocast():
        logits = recogniser(x, boxes).float()
    return recogniser_loss(logits, rows, colored, config)


def recogniser_figures(
    recogniser: NanoRecogniser, config: NanoConfig, pictures: PictureSet, world: World
) -> dict[str, float]:
    """Shares of views told rightly."""
    views = Views.of(pictures)
    recogniser.eval()
    said = []
    for start in range(0, len(views), 256):
        chosen = np.arange(start, min(start + 256, len(views)))
        with torch.inference_mode():
            x, boxes = views.batch(chosen, config, None, world.device)
            logits = recogniser(x / 127.5 - 1, boxes)
        said.append(logits.float().cpu())
    parts = split_logits(torch.cat(said), config)
    rows, named = views.index, views.index["named"]
    right = {
        name: float((part.argmax(-1).numpy() == rows[name])[named].mean())
        for name, part in zip(("color", "shape", "size"), parts, strict=False)
    }
    real = parts[3][:, 0].numpy() > 0
    return right | {"real": float(real[named].mean()), "not": float(1 - real[~named].mean())}
