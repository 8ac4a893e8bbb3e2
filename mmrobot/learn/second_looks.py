"""The recogniser learns from what the encoder really proposes: each candidate, cut as the product cuts it.

Views of true boxes and bare places do not look like the encoder's mistakes: half a thing, two at once, a
shadow. With a low threshold for candidates there are many of those, and they are left to the recogniser. How
large a view was cut is told to it beside the view, and here told wrongly by up to a third: what a thing is
does not depend on its size, so that one larger or smaller than any that was shown is still told. Its size is
not asked then.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from mmrobot.learn.blending import blend
from mmrobot.learn.checkpoint import checkpoint_step, save_checkpoint
from mmrobot.learn.distributed import World
from mmrobot.learn.loop import LoopSettings, Loss, Validate, train
from mmrobot.learn.pictures import VIEW_DTYPE, VIEW_PX, VIEW_SPARE, PictureSet
from mmrobot.learn.rendering import SEED, PictureMaker
from mmrobot.learn.tokens import TokenCache, iou
from mmrobot.learn.view_training import Views, cut_out, recogniser_loss
from mmrobot.learn.vision_training import augment, drain
from mmrobot.vlm.models.nano.configuration import NanoConfig
from mmrobot.vlm.models.nano.processing import VIEW_MARGIN, view_around
from mmrobot.vlm.models.nano.recogniser import NanoRecogniser

DEFAULTS = LoopSettings(steps=8000, batch=96, learning_rate=1e-3, warmup=200, clip_norm=5.0)
PICTURES = 6000
NOTHING_IOU = 0.3
"""A candidate that overlaps every thing less than this shows none; up to a match it is left out."""
RESIZED, MOST_LOG_SCALE = 0.5, 0.3
"""Share of views whose box is told wrongly, and by how much at most, as a log."""
STILL_SIZED = 0.05
"""Told wrongly by less than this, a thing keeps its name of size."""


def gather(cache: TokenCache, pictures: PictureSet, report: Callable[[str], None]) -> Views:
    """The candidates of a cache as views of the camera's own pictures, which are rendered anew."""
    config = cache.config
    scale = np.array([config.image_width, config.image_height] * 2, np.float32)
    maker = PictureMaker(SEED, config)
    images: list[NDArray[np.uint8]] = []
    rows: list[NDArray[Any]] = []
    of: list[int] = []
    try:
        for i in range(len(pictures)):
            image = maker.camera(pictures.first + i)
            objects = pictures.objects[i]
            seen = np.flatnonzero(objects["pixels"] > 0)
            for k in np.flatnonzero(cache.present[i]):
                box, shown = cache.boxes[i, k].astype(np.float32) * scale, int(cache.ids[i, k])
                if shown < 0 and len(seen) and iou(box, objects["box"][seen]).max() >= NOTHING_IOU:
                    continue
                row = np.zeros(1, VIEW_DTYPE)
                row["used"], row["box"] = True, box
                if shown >= 0:
                    row["named"] = True
                    for name in ("color", "shape", "size"):
                        row[name] = objects[name][shown]
                on_camera = box * (image.shape[1] / config.image_width)
                images.append(view_around(image, on_camera.tolist(), VIEW_PX, VIEW_MARGIN * VIEW_SPARE))
                rows.append(row)
                of.append(i)
            if (i + 1) % 500 == 0:
                report(f"candidates of {i + 1} of {len(pictures)} pictures: {len(images)}")
    finally:
        maker.close()
    return Views(np.stack(images), np.concatenate(rows), np.array(of))


def train_on_looks(
    recogniser: NanoRecogniser,
    config: NanoConfig,
    sets: list[Views],
    settings: LoopSettings,
    checkpoint: Path,
    report: Callable[[str], None] = print,
    *,
    world: World = World(),  # noqa: B008  (frozen)
    validate: Validate | None = None,
) -> None:
    """Trains in place to `settings.steps`, as many views of each set in a batch; what stays is the mean of
    before and after (`blend`)."""
    for views in sets:
        report(f"{len(views)} views, {int(views.index['named'].sum())} of things with a name")
    recogniser.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    share = settings.batch // len(sets)

    def begin(step: int) -> Loss:
        rng = np.random.default_rng([settings.seed, step, world.rank])
        generator = torch.Generator(world.device).manual_seed(int(rng.integers(2**31)))

        def loss_of_batch() -> tuple[Tensor, dict[str, float]]:
            chosen = [(views, rng.integers(0, len(views), share)) for views in sets]
            images = np.concatenate([views.images[index] for views, index in chosen])
            rows = np.concatenate([views.index[index] for views, index in chosen])
            x, boxes = cut_out(torch.from_numpy(images).to(world.device), rows, config, rng)
            boxes, sized = _resized(boxes, rng)
            x, colored = drain(x, generator)
            x = augment(x, generator, blurs=False).contiguous(memory_format=torch.channels_last)
            with world.autocast():
                logits = recogniser(x, boxes).float()
            return recogniser_loss(logits, rows, colored, config, sized)

        return loss_of_batch

    before = {name: x.detach().clone() for name, x in recogniser.state_dict().items()}
    fresh = checkpoint_step(checkpoint) < settings.steps
    train("looks", recogniser, begin, settings, checkpoint, report, world=world, validate=validate)
    if fresh:
        blend(recogniser, before, begin(settings.steps), world)
        if world.leads:
            save_checkpoint(
                checkpoint, recogniser, torch.optim.AdamW(recogniser.parameters()), settings.steps
            )
        world.wait()


def _resized(boxes: Tensor, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Boxes (B, 4) in [0, 1], some larger or smaller about their middle; and which keep their size (B,)."""
    n = len(boxes)
    log_scale = rng.uniform(-MOST_LOG_SCALE, MOST_LOG_SCALE, n) * (rng.random(n) < RESIZED)
    factor = torch.from_numpy(np.exp(log_scale).astype(np.float32)).to(boxes.device)[:, None]
    middle, half = (boxes[:, :2] + boxes[:, 2:]) / 2, (boxes[:, 2:] - boxes[:, :2]) / 2 * factor
    sized = torch.from_numpy(np.abs(log_scale) < STILL_SIZED).to(boxes.device)
    return torch.cat([middle - half, middle + half], 1), sized


def look_figures(
    recogniser: NanoRecogniser, config: NanoConfig, views: Views, world: World
) -> dict[str, float]:
    """Shares of candidates told rightly, as the product sees them."""
    recogniser.eval()
    said = []
    for start in range(0, len(views), 256):
        chosen = np.arange(start, min(start + 256, len(views)))
        with torch.inference_mode():
            x, boxes = views.batch(chosen, config, None, world.device)
            said.append(recogniser(x / 127.5 - 1, boxes).float().cpu())
    logits = torch.cat(said)
    named = views.index["named"]
    real = logits[:, -1].numpy() > 0
    loss = F.binary_cross_entropy_with_logits(logits[:, -1], torch.from_numpy(named.astype(np.float32)))
    return {
        "real": float(real[named].mean()),
        "not": float(1 - real[~named].mean()) if (~named).any() else 1.0,
        "real_loss": float(loss),
    }
