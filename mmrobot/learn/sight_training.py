"""Encoder, recogniser and speller learn at once, from pictures that are rendered while they learn.

For a GPU beside many cores: for so many minutes, with schedules over time instead of steps. Each part has its
own optimizer and its usual checkpoint, so that the stages after it find what `vision`, `views` and `labels`
would have left.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from mmrobot.learn.checkpoint import save_checkpoint
from mmrobot.learn.distributed import World
from mmrobot.learn.label_training import speller_loss
from mmrobot.learn.picture_stream import BLOCK, PictureStream
from mmrobot.learn.rings import SightRings
from mmrobot.learn.view_training import loss_of_views
from mmrobot.learn.vision_training import loss_of_pictures
from mmrobot.vlm.models.nano import NanoModel

Step = Callable[[np.random.Generator, torch.Generator], tuple[Tensor, dict[str, float]]]


@dataclass(frozen=True)
class SightSettings:
    """Samples a step, and peak learning rates, of pictures, views and crops once
    `begin_with` pictures are there."""

    minutes: float
    pictures: int = 128
    views: int = 768
    crops: int = 256
    picture_rate: float = 1.5e-3
    view_rate: float = 1.5e-3
    crop_rate: float = 2e-3
    begin_with: int = 2_000
    warmup_share: float = 0.03
    report_every_s: float = 15.0
    save_every_s: float = 90.0
    seed: int = 1

    def for_batch(self, pictures: int) -> SightSettings:
        """So many pictures a step, and of the rest as many more or fewer."""
        return replace(
            self,
            pictures=pictures,
            views=max(1, self.views * pictures // self.pictures),
            crops=max(4, self.crops * pictures // self.pictures),
        )


class _Learner:
    """One part with its optimizer and its own count of steps."""

    def __init__(self, name: str, module: nn.Module, rate: float, step: Step, device: torch.device) -> None:
        self.name, self.module, self._rate, self._step = name, module, rate, step
        module.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.optimizer = torch.optim.AdamW(module.parameters(), rate, weight_decay=1e-2)
        self.steps = 0
        self.running: dict[str, float] = {}
        module.train()

    def learn(self, factor: float, rng: np.random.Generator, generator: torch.Generator) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = self._rate * factor
        loss, parts = self._step(rng, generator)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.module.parameters(), 5.0, error_if_nonfinite=True)
        self.optimizer.step()
        self.steps += 1
        known = {k: v for k, v in parts.items() if math.isfinite(v)}
        self.running |= {k: 0.98 * self.running.get(k, v) + 0.02 * v for k, v in known.items()}

    def line(self) -> str:
        return f"{self.name} {self.steps}: {' '.join(f'{k} {v:.3f}' for k, v in self.running.items())}"


def schedule(share: float, warmup: float) -> float:
    """Of the peak rate after a share of the time: linear warm-up, then a cosine to one hundredth."""
    if share < warmup:
        return max(share, 1e-3) / warmup
    return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min((share - warmup) / (1 - warmup), 1.0)))


def train_sight(
    model: NanoModel,
    stream: PictureStream,
    settings: SightSettings,
    path: Callable[[str], Path],
    report: Callable[[str], None],
    world: World,
) -> None:
    """Trains the three parts in place until the time is over; `path` says where a stage's checkpoint goes."""
    config = model.config
    torch.backends.cudnn.benchmark = True
    rings = SightRings(config, world.device)

    def of_pictures(rng: np.random.Generator, generator: torch.Generator) -> tuple[Tensor, dict[str, float]]:
        images, rows = rings.pictures.draw(settings.pictures, rng)
        return loss_of_pictures(model.vision, images, rows, rng, generator, world)

    def of_views(rng: np.random.Generator, generator: torch.Generator) -> tuple[Tensor, dict[str, float]]:
        images, rows = rings.views.draw(settings.views, rng)
        return loss_of_views(model.recogniser, images, rows, config, rng, generator, world)

    def of_crops(rng: np.random.Generator, generator: torch.Generator) -> tuple[Tensor, dict[str, float]]:
        share = 3 * settings.crops // 4
        drawn = (rings.printed.draw(share, rng), rings.blank.draw(settings.crops - share, rng))
        images, rows = torch.cat([d[0] for d in drawn]), np.concatenate([d[1] for d in drawn])
        return speller_loss(model.speller, images, rows, config, rng, generator, world)

    learners = [
        _Learner("vision", model.vision, settings.picture_rate, of_pictures, world.device),
        _Learner("views", model.recogniser, settings.view_rate, of_views, world.device),
        _Learner("labels", model.speller, settings.crop_rate, of_crops, world.device),
    ]
    began = time.monotonic()
    ends = began + settings.minutes * 60
    feeder = _Feeder(stream, rings, ends)
    rng = np.random.default_rng([settings.seed, 0])
    generator = torch.Generator(world.device).manual_seed(settings.seed)
    reported = saved = began
    with feeder:
        feeder.await_pictures(settings.begin_with)
        starts = time.monotonic()
        report(f"{len(rings.pictures)} pictures after {starts - began:.0f} s")
        while (now := time.monotonic()) < ends:
            feeder.check()
            factor = schedule((now - starts) / max(ends - starts, 1e-9), settings.warmup_share)
            for learner in learners:
                learner.learn(factor, rng, generator)
            if now - reported > settings.report_every_s:
                report(
                    f"{now - began:.0f} s, {rings.pictures.added} pictures; "
                    + "; ".join(x.line() for x in learners)
                )
                reported = now
            if now - saved > settings.save_every_s:
                _save(learners, path)
                saved = now
    _save(learners, path)
    report("; ".join(x.line() for x in learners))
    for learner in learners:
        learner.module.eval()


def _save(learners: list[_Learner], path: Callable[[str], Path]) -> None:
    for learner in learners:
        save_checkpoint(path(learner.name), learner.module, learner.optimizer, learner.steps)


class _Feeder(threading.Thread):
    """Moves blocks from the stream into the rings while the others learn."""

    def __init__(self, stream: PictureStream, rings: SightRings, ends: float) -> None:
        super().__init__(daemon=True)
        self._stream, self._rings, self._ends_at = stream, rings, ends
        self._ended = threading.Event()
        self._error: Exception | None = None

    def run(self) -> None:
        device = self._rings.pictures.images.device
        own = torch.cuda.Stream(device) if device.type == "cuda" else None
        try:
            while not self._ended.is_set() and time.monotonic() < self._ends_at:
                with self._stream.block() as block, torch.cuda.stream(own):
                    self._rings.add(block)
        except Exception as error:  # noqa: BLE001  (told by `check`, in the thread that trains)
            self._error = error

    def check(self) -> None:
        """Raises what ended the thread, if anything did."""
        if self._error is not None:
            raise self._error

    def await_pictures(self, count: int) -> None:
        """Until so many are there, and of everything some."""
        rings = self._rings
        while len(rings.pictures) < count or min(len(rings.printed), len(rings.blank)) < BLOCK:
            self.check()
            if not self.is_alive():
                return
            time.sleep(0.05)

    def __enter__(self) -> _Feeder:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self.join(60.0)
