"""The speller learns to read prints, from crops of the pictures at their own size."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from mmrobot.learn import blur
from mmrobot.learn.blending import blend
from mmrobot.learn.checkpoint import checkpoint_step, save_checkpoint
from mmrobot.learn.distributed import World
from mmrobot.learn.loop import LoopSettings, Loss, Validate, train
from mmrobot.learn.pictures import CROP_SIZE, PictureSet
from mmrobot.learn.vision_training import augment
from mmrobot.vlm.models.nano.configuration import NanoConfig
from mmrobot.vlm.models.nano.processing import CROP_MARGIN
from mmrobot.vlm.models.nano.speller import NanoSpeller

DEFAULTS = LoopSettings(steps=4000, batch=64, learning_rate=2e-3, warmup=200, clip_norm=5.0)
SHIFT_PX = 6
OFF_LOG_SCALE = 0.06
"""Standard deviation of how much larger or smaller, as a log, a crop is than the true box makes it."""
BLURRED = 0.6
"""Share of crops."""
KEPT = 0.25
"""Of the weights that were begun with: sharp prints are read a little better so, blurred ones less."""


def characters(rows: NDArray[Any], config: NanoConfig) -> NDArray[np.int64]:
    """Of rows of CROP_DTYPE the classes (N, label_length) that they show: 0 for no character, else 1 + its
    place among label_characters."""
    out = np.zeros((len(rows), config.label_length), np.int64)
    for classes, text in zip(out, rows["text"], strict=True):
        classes[: len(text)] = [1 + config.label_characters.index(c) for c in bytes(text).decode()]
    return out


def train_speller(
    speller: NanoSpeller,
    config: NanoConfig,
    pictures: PictureSet,
    settings: LoopSettings,
    checkpoint: Path,
    report: Callable[[str], None] = print,
    *,
    world: World = World(),  # noqa: B008  (frozen)
    validate: Validate | None = None,
    kept: float = 0.0,
) -> None:
    """Trains in place to `settings.steps`; three quarters of each batch carry a print. What stays has `kept`
    of the weights before (`blend`)."""
    crops, rows, _ = pictures.label_crops()
    printed, blank = np.flatnonzero(rows["text"] != b""), np.flatnonzero(rows["text"] == b"")
    report(f"{len(printed)} prints, {len(blank)} things without one")
    speller.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def begin(step: int) -> Loss:
        rng = np.random.default_rng([settings.seed, step, world.rank])
        generator = torch.Generator(world.device).manual_seed(int(rng.integers(2**31)))

        def loss_of_batch() -> tuple[Tensor, dict[str, float]]:
            share = 3 * settings.batch // 4
            index = np.concatenate([rng.choice(printed, share), rng.choice(blank, settings.batch - share)])
            taken = torch.from_numpy(crops[index]).to(world.device)
            return speller_loss(speller, taken, rows[index], config, rng, generator, world)

        return loss_of_batch

    before = {name: x.detach().clone() for name, x in speller.state_dict().items()}
    fresh = checkpoint_step(checkpoint) < settings.steps
    train("labels", speller, begin, settings, checkpoint, report, world=world, validate=validate)
    if fresh and kept > 0:
        blend(speller, before, begin(settings.steps), world, kept)
        if world.leads:
            save_checkpoint(checkpoint, speller, torch.optim.AdamW(speller.parameters()), settings.steps)
        world.wait()


def moved(crops: Tensor, rng: np.random.Generator) -> Tensor:
    """Crops (N, C, H, W) float, each moved by up to SHIFT_PX and a little larger or smaller, as the encoder's
    boxes are a little off; the edge is repeated."""
    n, _, height, width = crops.shape
    how = np.zeros((n, 2, 3), np.float32)
    zoom = np.exp(np.clip(rng.normal(0, OFF_LOG_SCALE, (n, 2)), -0.15, 0.15))
    how[:, 0, 0], how[:, 1, 1] = zoom.T
    # In affine_grid's measure: from edge to edge is -1 to 1.
    how[:, :, 2] = rng.uniform(-SHIFT_PX, SHIFT_PX, (n, 2)) * 2 / (width, height)
    grid = F.affine_grid(torch.from_numpy(how).to(crops.device), list(crops.shape), align_corners=False)
    return F.grid_sample(crops, grid, padding_mode="border", align_corners=False)


def blur_crops(crops: Tensor, rows: NDArray[Any], camera_px: NDArray[np.float64]) -> Tensor:
    """Crops (N, 3, H, W) float as if the camera's own picture had been blurred, each by a Gaussian of so many
    pixels (N,); `rows` of CROP_DTYPE say how large each was there."""
    low, high = rows["box"][:, :2], rows["box"][:, 2:]
    extent_px = blur.CAMERA_SCALE * (1 + 2 * CROP_MARGIN) * np.maximum(high - low, 1.0)
    return blur.gaussian(crops, camera_px[:, None] * np.array(CROP_SIZE) / extent_px)


def speller_loss(
    speller: NanoSpeller,
    crops: Tensor,
    rows: NDArray[Any],
    config: NanoConfig,
    rng: np.random.Generator,
    generator: torch.Generator,
    world: World,
) -> tuple[Tensor, dict[str, float]]:
    """Of uint8 crops (N, H, W, 3) on the device and their rows of CROP_DTYPE; shares read exactly of those
    with a print and of those without."""
    x = crops.permute(0, 3, 1, 2).float()
    chosen = np.flatnonzero(rng.random(len(rows)) < BLURRED)
    if len(chosen):
        on_device = torch.from_numpy(chosen).to(crops.device)
        deviation_px = rng.uniform(0, blur.MOST_CAMERA_PX, len(chosen))
        x[on_device] = blur_crops(x[on_device], rows[chosen], deviation_px)
    x = augment(moved(x, rng), generator, blurs=False)
    with world.autocast():
        logits = speller(x.contiguous(memory_format=torch.channels_last)).float()
    wanted = characters(rows, config)
    target = torch.from_numpy(wanted).to(crops.device)
    loss = F.cross_entropy(logits.flatten(0, 1), target.flatten())
    right = (logits.argmax(-1) == target).all(1).cpu().numpy()
    printed = wanted.any(1)
    return loss, {
        "spell": float(loss.detach()),
        "read": float(right[printed].mean()) if printed.any() else float("nan"),
        "blank": float(right[~printed].mean()) if not printed.all() else float("nan"),
    }
