"""Gate one: the encoder learns to see, on dense labels.

Penalty-reduced focal loss on the centre heatmaps (Law & Deng 2018, arXiv:1808.01244), smooth L1 on
boxes and cross-entropy on attributes at the centres. bfloat16 autocast; resumes from its checkpoint.
"""

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

from mmrobot.learn.distributed import World
from mmrobot.learn.loop import LoopSettings, Loss, Validate, train
from mmrobot.learn.pictures import PictureSet
from mmrobot.vlm.models.nano.configuration import NanoConfig
from mmrobot.vlm.models.nano.vision import BOX_SCALE_PX, GROUPS, STRIDE, DenseMaps, NanoVision

CONTAINER_SHAPES = ("bowl", "plate", "tray")


DRAINED = 0.2
"""Share of pictures without colour."""

DEFAULTS = LoopSettings(steps=3600, batch=16, learning_rate=2e-3, warmup=200, clip_norm=5.0)


@dataclass
class Targets:
    """Heatmaps (B, GROUPS, h, w); for each of M objects where it is and what the heads should say there."""

    heatmap: Tensor
    picture: Tensor
    group: Tensor
    row: Tensor
    column: Tensor
    box: Tensor
    attributes: Tensor  # (M, 3): colour, shape, size
    extent: Tensor  # (M, 4): the box's middle, width and height in cells


def make_targets(
    objects: NDArray[Any],
    config: NanoConfig,
    device: torch.device = torch.device("cpu"),  # noqa: B008  (frozen)
) -> Targets:
    """From rows of OBJECT_DTYPE (B, MAX_OBJECTS), on a device."""
    h, w = config.image_height // STRIDE, config.image_width // STRIDE
    containers = [config.shapes.index(s) for s in CONTAINER_SHAPES]
    picture, slot = np.nonzero(objects["pixels"] > 0)
    rows = objects[picture, slot]
    boxes = rows["box"]
    group = np.isin(rows["shape"], containers).astype(np.int64)
    cx, cy = (boxes[:, 0] + boxes[:, 2]) / 2 / STRIDE, (boxes[:, 1] + boxes[:, 3]) / 2 / STRIDE
    size = np.maximum(boxes[:, 2:] - boxes[:, :2], 1.0)
    column, row = np.clip(cx.astype(int), 0, w - 1), np.clip(cy.astype(int), 0, h - 1)
    sigma = np.maximum(0.55, size.min(1) / STRIDE / 7).astype(np.float32)
    box = np.stack([cx - column - 0.5, cy - row - 0.5, *np.log(size / BOX_SCALE_PX).T], 1)
    attributes = np.stack([rows["color"], rows["shape"], rows["size"]], 1).astype(np.int64)
    extent = np.stack([cx, cy, *(size.T / STRIDE)], 1).astype(np.float32)
    arrays = (picture, group, row, column, box.astype(np.float32), attributes, extent, sigma)
    *known, spread = (torch.from_numpy(np.ascontiguousarray(a)).to(device) for a in arrays)
    where = (known[0], known[1], known[2], known[3])
    return Targets(_heatmap(where, spread, (len(objects), GROUPS, h, w)), *known)


def _heatmap(
    where: tuple[Tensor, Tensor, Tensor, Tensor], sigma: Tensor, shape: tuple[int, int, int, int]
) -> Tensor:
    """A blob of height 1 at each object's picture, group, row and column; where they overlap the higher
    counts."""
    picture, group, row, column = where
    b, groups, h, w = shape
    down = torch.arange(h, device=row.device)[None] - row[:, None]
    across = torch.arange(w, device=row.device)[None] - column[:, None]
    scale = -1 / (2 * sigma[:, None] ** 2)
    blobs = torch.exp(down**2 * scale)[:, :, None] * torch.exp(across**2 * scale)[:, None]
    heat = torch.zeros(b * groups, h * w, device=row.device)
    index = (picture * groups + group)[:, None].expand(-1, h * w)
    return heat.scatter_reduce_(0, index, blobs.flatten(1), "amax").view(shape)


def vision_loss(
    vision: NanoVision, maps: DenseMaps, t: Targets, colored: Tensor
) -> tuple[Tensor, dict[str, float]]:
    """The sum of all losses, and each by name. `colored` (B,): whose colours are as they were."""
    logits = maps.heatmap.float()
    p = torch.sigmoid(logits).clamp(1e-4, 1 - 1e-4)
    positive = t.heatmap > 0.999
    n = max(int(positive.sum()), 1)
    focal = (
        torch.where(
            positive, -((1 - p) ** 2) * torch.log(p), -((1 - t.heatmap) ** 4) * p**2 * torch.log(1 - p)
        ).sum()
        / n
    )

    def at(values: Tensor) -> Tensor:
        return values[t.picture, t.group, :, t.row, t.column].float()

    box = F.smooth_l1_loss(at(maps.box), t.box, beta=0.1)
    shape = F.cross_entropy(at(maps.shape), t.attributes[:, 1])
    size = F.cross_entropy(at(maps.size), t.attributes[:, 2])
    said = _colors(vision, maps, t)
    known = colored[t.picture]
    color = F.cross_entropy(said[known], t.attributes[known, 0]) if known.any() else said.sum() * 0
    total = focal + 4 * box + color + shape + 0.5 * size
    return total, {
        "focal": float(focal.detach()),
        "box": float(box.detach()),
        "color": float(color.detach()),
        "shape": float(shape.detach()),
        "size": float(size.detach()),
    }


def _colors(vision: NanoVision, maps: DenseMaps, t: Targets) -> Tensor:
    """Logits (M, colours), read in the true boxes, each a little off."""
    deep = maps.features.deep[t.picture, :, t.row, t.column]
    jitter = 1 + 0.06 * torch.randn_like(t.extent)
    center = t.extent[:, :2] + (jitter[:, :2] - 1) * t.extent[:, 2:]
    size = t.extent[:, 2:] * jitter[:, 2:]
    return vision.color(maps.features, deep, t.picture, t.group, center, size).float()


def drain(images: Tensor, generator: torch.Generator, share: float = DRAINED) -> tuple[Tensor, Tensor]:
    """Takes the colour out of a share of pictures (B, 3, H, W), so that shapes are told without it.

    Returns them, and which (B,) still have their colours.
    """
    device = generator.device
    colored = torch.rand(len(images), generator=generator, device=device) >= share
    weights = torch.tensor([0.299, 0.587, 0.114], device=device)[None, :, None, None]
    grey = (images.float() * weights).sum(1, keepdim=True)
    tint = 1 + 0.15 * (torch.rand(len(images), 3, 1, 1, generator=generator, device=device) - 0.5)
    drained = (grey * tint).clamp(0, 255).to(images.dtype)
    return torch.where(colored[:, None, None, None], images, drained), colored


def augment(images: Tensor, generator: torch.Generator, *, blurs: bool = True) -> Tensor:
    """uint8 (B, 3, H, W) to float in [-1, 1], with exposure, contrast, colour cast, blur and noise."""
    b, device = len(images), generator.device

    def uniform(low: float, high: float, *shape: int) -> Tensor:
        return torch.rand(b, *shape, generator=generator, device=device) * (high - low) + low

    x = images.float() / 255
    x = x * uniform(0.75, 1.25, 1, 1, 1) * uniform(0.94, 1.06, 3, 1, 1)
    mean = x.mean((1, 2, 3), keepdim=True)
    x = (x - mean) * uniform(0.8, 1.2, 1, 1, 1) + mean
    if blurs and torch.rand((), generator=generator, device=device) < 0.2:
        x = F.avg_pool2d(x, 3, 1, 1)
    # Drawn for one picture and shared, since drawing it costs more than a convolution.
    grain = torch.randn(x.shape[1:], generator=generator, device=device)
    return (x + grain * uniform(0.0, 0.025, 1, 1, 1)).clamp(0, 1) * 2 - 1


def train_vision(
    vision: NanoVision,
    pictures: PictureSet,
    settings: LoopSettings,
    checkpoint: Path,
    report: Callable[[str], None] = print,
    *,
    world: World = World(),  # noqa: B008  (frozen)
    validate: Validate | None = None,
) -> None:
    """Trains in place to `settings.steps`."""
    vision.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def begin(step: int) -> Loss:
        rng = np.random.default_rng([settings.seed, step, world.rank])
        generator = torch.Generator(world.device).manual_seed(int(rng.integers(2**31)))

        def loss_of_batch() -> tuple[Tensor, dict[str, float]]:
            index = np.sort(rng.choice(len(pictures), settings.batch, replace=False))
            images = torch.from_numpy(np.asarray(pictures.images[index])).to(world.device)
            return loss_of_pictures(vision, images, pictures.objects[index], rng, generator, world)

        return loss_of_batch

    train("vision", vision, begin, settings, checkpoint, report, world=world, validate=validate)


def loss_of_pictures(
    vision: NanoVision,
    images: Tensor,
    objects: NDArray[Any],
    rng: np.random.Generator,
    generator: torch.Generator,
    world: World,
) -> tuple[Tensor, dict[str, float]]:
    """Of uint8 pictures (B, H, W, 3) on the device and their rows of OBJECT_DTYPE (B, MAX_OBJECTS): mirrored,
    drained and varied at random."""
    images, objects = mirror(images, objects, rng.random(len(objects)) < 0.5)
    x, colored = drain(images.permute(0, 3, 1, 2), generator)
    x = augment(x, generator).contiguous(memory_format=torch.channels_last)
    targets = make_targets(objects, vision.config, world.device)
    with world.autocast():
        return vision_loss(vision, vision.dense(x), targets, colored)


def mirror(images: Tensor, objects: NDArray[Any], which: NDArray[np.bool_]) -> tuple[Tensor, NDArray[Any]]:
    """Left and right exchanged in some of them; what an object is does not change by it."""
    width = images.shape[2]
    mirrored = objects.copy()
    mirrored["box"][which, :, 0] = width - objects["box"][which, :, 2]
    mirrored["box"][which, :, 2] = width - objects["box"][which, :, 0]
    chosen = torch.from_numpy(which).to(images.device)[:, None, None, None]
    return torch.where(chosen, images.flip(2), images), mirrored
