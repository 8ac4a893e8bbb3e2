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
SHIFT_PX = 3


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
            images = np.stack([shifted(crops[i], rng) for i in index]).transpose(0, 3, 1, 2)
            x = torch.from_numpy(np.ascontiguousarray(images)).to(world.device)
            x = augment(x, generator).contiguous(memory_format=torch.channels_last)
            with world.autocast():
                logits = speller(x).float()
            target = torch.from_numpy(wanted[index]).to(world.device)
            loss = F.cross_entropy(logits.flatten(0, 1), target.flatten())
            right = (logits.argmax(-1) == target).all(1).float()
            return loss, {
                "spell": float(loss.detach()),
                "read": float(right[:share].mean()),
                "blank": float(right[share:].mean()),
            }

        return loss_of_batch

    train("labels", speller, begin, settings, checkpoint, report, world=world, validate=validate)


def shifted(crop: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Moved by up to SHIFT_PX, since the encoder's boxes are a little off; the edge is repeated."""
    dy, dx = rng.integers(-SHIFT_PX, SHIFT_PX + 1, 2)
    padded = np.pad(crop, ((SHIFT_PX, SHIFT_PX), (SHIFT_PX, SHIFT_PX), (0, 0)), mode="edge")
    height, width = crop.shape[:2]
    top, left = SHIFT_PX + int(dy), SHIFT_PX + int(dx)
    return padded[top : top + height, left : left + width]
