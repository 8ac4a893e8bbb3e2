"""The speller learns to read prints, from crops of the pictures at their own size."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from mmrobot.learn.distributed import World
from mmrobot.learn.loop import LoopSettings, Loss, Validate, train
from mmrobot.learn.pictures import PictureSet
from mmrobot.learn.vision_training import augment
from mmrobot.vlm.models.nano.configuration import NanoConfig
from mmrobot.vlm.models.nano.speller import NanoSpeller

DEFAULTS = LoopSettings(steps=4000, batch=64, learning_rate=2e-3, warmup=200, clip_norm=5.0)
SHIFT_PX = 6


def characters(texts: Sequence[str], config: NanoConfig) -> NDArray[np.int64]:
    """Classes (N, label_length): 0 for no character, else 1 + its place among label_characters."""
    out = np.zeros((len(texts), config.label_length), np.int64)
    for row, text in zip(out, texts, strict=True):
        row[: len(text)] = [1 + config.label_characters.index(c) for c in text]
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
) -> None:
    """Trains in place to `settings.steps`; half of each batch carries a print."""
    crops, _, _, texts = pictures.label_crops()
    wanted = characters(texts, config)
    printed, blank = np.flatnonzero(wanted.any(1)), np.flatnonzero(~wanted.any(1))
    report(f"{len(printed)} prints, {len(blank)} things without one")
    speller.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def begin(step: int) -> Loss:
        rng = np.random.default_rng([settings.seed, step, world.rank])
        generator = torch.Generator(world.device).manual_seed(int(rng.integers(2**31)))

        def loss_of_batch() -> tuple[Tensor, dict[str, float]]:
            share = 3 * settings.batch // 4
            index = np.concatenate([rng.choice(printed, share), rng.choice(blank, settings.batch - share)])
            taken = torch.from_numpy(crops[index]).to(world.device)
            return speller_loss(speller, taken, wanted[index], rng, generator, world)

        return loss_of_batch

    train("labels", speller, begin, settings, checkpoint, report, world=world, validate=validate)


def shifted(crops: Tensor, rng: np.random.Generator) -> Tensor:
    """(N, H, W, 3), each moved by up to SHIFT_PX, since the encoder's boxes are a little off; the edge is
    repeated."""
    n, height, width = crops.shape[:3]
    moves = torch.from_numpy(rng.integers(-SHIFT_PX, SHIFT_PX + 1, (2, n, 1))).to(crops.device)
    rows = (torch.arange(height, device=crops.device) + moves[0]).clamp(0, height - 1)
    columns = (torch.arange(width, device=crops.device) + moves[1]).clamp(0, width - 1)
    return crops[torch.arange(n, device=crops.device)[:, None, None], rows[:, :, None], columns[:, None]]


def speller_loss(
    speller: NanoSpeller,
    crops: Tensor,
    wanted: NDArray[np.int64],
    rng: np.random.Generator,
    generator: torch.Generator,
    world: World,
) -> tuple[Tensor, dict[str, float]]:
    """Of uint8 crops (N, H, W, 3) on the device and the classes (N, label_length) that they show; shares
    read exactly of those with a print and of those without."""
    x = augment(shifted(crops, rng).permute(0, 3, 1, 2), generator)
    with world.autocast():
        logits = speller(x.contiguous(memory_format=torch.channels_last)).float()
    target = torch.from_numpy(wanted).to(crops.device)
    loss = F.cross_entropy(logits.flatten(0, 1), target.flatten())
    right = (logits.argmax(-1) == target).all(1).cpu().numpy()
    printed = wanted.any(1)
    return loss, {
        "spell": float(loss.detach()),
        "read": float(right[printed].mean()) if printed.any() else float("nan"),
        "blank": float(right[~printed].mean()) if not printed.all() else float("nan"),
    }
