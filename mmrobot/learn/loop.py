"""The one training loop: schedule, step, progress, checks, checkpoints. What is learned is the caller's."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from mmrobot.learn.checkpoint import load_checkpoint, save_checkpoint
from mmrobot.learn.curves import TRAIN, VALIDATION, Curves
from mmrobot.learn.distributed import World

REPORT_EVERY = 50


@dataclass(frozen=True)
class LoopSettings:
    """`steps` of `batch` samples in each process; `learning_rate` is the peak of a warm-up and a cosine.

    `minutes`: ends it earlier, with the schedule of the rate over time; for one process.
    """

    steps: int
    batch: int
    learning_rate: float
    warmup: int
    weight_decay: float = 1e-2
    clip_norm: float = 1.0
    checkpoint_every: int = 250
    validate_every: int = 500
    seed: int = 0
    minutes: float | None = None


Loss = Callable[[], tuple[Tensor, dict[str, float]]]
Validate = Callable[[], dict[str, float]]


def train(
    name: str,
    module: nn.Module,
    begin: Callable[[int], Loss],
    settings: LoopSettings,
    checkpoint: Path,
    report: Callable[[str], None] = print,
    *,
    world: World = World(),  # noqa: B008  (frozen)
    validate: Validate | None = None,
) -> None:
    """Trains `module` in place, on from the checkpoint when there is one.

    `begin(step)` is called once with the step that is resumed from; what it answers gives the loss of a
    fresh batch and its parts by name. `validate` gives figures of things never trained on. Curves lie
    beside the checkpoint, as CSV and PNG. Raises RuntimeError where gradients are no numbers.
    """
    module.to(world.device)
    optimizer = torch.optim.AdamW(
        module.parameters(), settings.learning_rate, weight_decay=settings.weight_decay
    )
    step = load_checkpoint(checkpoint, module, optimizer)
    world.share(module, step)
    curves = Curves(checkpoint.with_suffix(".csv"), step) if world.leads and step < settings.steps else None
    module.train()
    loss_of_batch = begin(step)
    clock = _Clock(step, settings, world.size)
    running: dict[str, float] = {}
    at = clock.progress(step)
    while at < settings.steps:
        for group in optimizer.param_groups:
            group["lr"] = settings.learning_rate * schedule(at, settings.steps, settings.warmup)
        loss, parts = loss_of_batch()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        world.average_gradients(module.parameters())
        nn.utils.clip_grad_norm_(module.parameters(), settings.clip_norm, error_if_nonfinite=True)
        optimizer.step()
        step += 1
        # A kind of row may be missing from a batch; its figure is then not a number.
        known = {k: v for k, v in parts.items() if math.isfinite(v)}
        running |= {k: 0.98 * running.get(k, v) + 0.02 * v for k, v in known.items()}
        if curves and step % REPORT_EVERY == 0:
            report(f"{name} {step}/{settings.steps} {_line(running)} {clock.line(step)}")
            curves.add(step, TRAIN, running)
        at = clock.progress(step)
        last = at >= settings.steps
        saves = last or step % settings.checkpoint_every == 0
        validates = last or step % settings.validate_every == 0
        if saves or validates:
            world.average_buffers(module)
        if curves and saves:
            save_checkpoint(checkpoint, module, optimizer, step)
        if curves and validates and validate is not None:
            module.eval()
            figures = validate()
            module.train()
            report(f"{name} {step}/{settings.steps} validation: {_line(figures)}")
            curves.add(step, VALIDATION, figures)
            curves.draw()
    module.eval()
    world.wait()


class _Clock:
    """Speed since the last line, and time to the end at the mean speed so far, validation included."""

    def __init__(self, step: int, settings: LoopSettings, processes: int) -> None:
        self._settings, self._samples = settings, settings.batch * processes
        self._first = self._last = (step, time.monotonic())

    def progress(self, step: int) -> int:
        """The step, or the one that would be due by now where time is what ends it."""
        if self._settings.minutes is None:
            return step
        share = (time.monotonic() - self._first[1]) / (60 * self._settings.minutes)
        return max(step, math.floor(share * self._settings.steps))

    def line(self, step: int) -> str:
        now = time.monotonic()
        rate = (step - self._last[0]) * self._samples / max(now - self._last[1], 1e-9)
        each = (now - self._first[1]) / max(step - self._first[0], 1)
        self._last = (step, now)
        return f"{rate:.0f}/s, {_duration(each * (self._settings.steps - step))} left"


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02d} min" if minutes >= 60 else f"{minutes} min"


def _line(figures: dict[str, float]) -> str:
    return " ".join(f"{k} {v:.3f}" for k, v in figures.items())


def schedule(step: int, steps: int, warmup: int) -> float:
    """Linear warm-up, then a cosine to one hundredth."""
    if step < warmup:
        return (step + 1) / warmup
    return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, steps - warmup)))
