"""The layout learns where things stand, what lies in what, and which candidates are things at all.

Over the encoder's own tokens of rendered pictures, against the scenes that were rendered.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from mmrobot.learn.distributed import World
from mmrobot.learn.loop import LoopSettings, Loss, Validate, train
from mmrobot.learn.tokens import TokenCache
from mmrobot.tabletop.language.meaning import volume_m3
from mmrobot.vlm.models.nano.layout import NanoLayout

DEFAULTS = LoopSettings(steps=3000, batch=64, learning_rate=2e-3, warmup=100, validate_every=1000)
PICTURES = 6000
"""So many are enough, and looking at more takes minutes."""


class LayoutTargets:
    """Of N pictures: `real` (N, K), `places` (N, K, 3), `rests` (N, K, K), and what of it is known."""

    def __init__(self, cache: TokenCache) -> None:
        n, k = cache.scores.shape
        self.tokens, self.present = cache.tokens, cache.present
        self.real = cache.ids >= 0
        self.places = np.zeros((n, k, 3), np.float32)
        self.rests = np.zeros((n, k, k), np.bool_)
        for i in range(n):
            shown = cache.shown(i)
            slot = {t.id: j for j, t in enumerate(shown) if t is not None}
            for j, t in enumerate(shown):
                if t is None:
                    continue
                self.places[i, j] = (*t.position_m[:2], math.log(volume_m3(t)))
                host = slot.get(t.inside or t.on or "")
                if host is not None:
                    self.rests[i, j, host] = True

    def batch(self, index: NDArray[np.integer], device: torch.device) -> dict[str, Tensor]:
        """Some of the pictures, as tensors."""
        names = ("tokens", "present", "real", "places", "rests")
        return {n: torch.from_numpy(getattr(self, n)[index]).to(device) for n in names}


def layout_loss(layout: NanoLayout, batch: dict[str, Tensor]) -> tuple[Tensor, dict[str, float]]:
    """Cross-entropies of what is real and what rests on what, smooth L1 of places over their spread."""
    found = layout(batch["tokens"].float())
    present, shown = batch["present"], batch["real"] & batch["present"]
    real = F.binary_cross_entropy_with_logits(found.real[present], batch["real"][present].float())
    off = (found.places - batch["places"])[shown] / layout.scale
    others = ~torch.eye(shown.shape[1], dtype=torch.bool, device=off.device)
    pairs = shown[:, :, None] & shown[:, None] & others
    rests = F.binary_cross_entropy_with_logits(found.rests[pairs], batch["rests"][pairs].float())
    place = F.smooth_l1_loss(off, torch.zeros_like(off), beta=0.05)
    return real + 4 * place + 2 * rests, {
        "real": float(real.detach()),
        "place": float(place.detach()),
        "rests": float(rests.detach()),
    }


def layout_figures(layout: NanoLayout, targets: LayoutTargets, world: World) -> dict[str, float]:
    """Shares of candidates and of pairs told right, and median errors of places (mm) and of log volumes."""
    batch = targets.batch(np.arange(len(targets.tokens)), world.device)
    layout.eval()
    with torch.inference_mode():
        found = layout(batch["tokens"].float())
    present, shown = batch["present"], batch["real"] & batch["present"]
    off = (found.places - batch["places"])[shown]
    # Shake of the camera moves all alike, and no comparison.
    weight = shown[..., None].float()
    error = (found.places - batch["places"]) * weight
    mean = error.sum(1, keepdim=True) / weight.sum(1, keepdim=True).clamp(min=1)
    relative = (error - mean)[shown]
    others = ~torch.eye(shown.shape[1], dtype=torch.bool, device=shown.device)
    rests = (found.rests > 0) & shown[:, :, None] & shown[:, None] & others
    hits = (rests & batch["rests"]).sum()
    return {
        "real": float(((found.real > 0) == batch["real"])[present].float().mean()),
        "place_mm": float(off[:, :2].norm(dim=1).median() * 1000),
        "relative_mm": float(relative[:, :2].norm(dim=1).median() * 1000),
        "log_volume": float(off[:, 2].abs().median()),
        "rests_recall": float(hits / batch["rests"].sum().clamp(min=1)),
        "rests_precision": float(hits / rests.sum().clamp(min=1)),
    }


def train_layout(
    layout: NanoLayout,
    targets: LayoutTargets,
    settings: LoopSettings,
    checkpoint: Path,
    report: Callable[[str], None] = print,
    *,
    world: World = World(),  # noqa: B008  (frozen)
    validate: Validate | None = None,
) -> None:
    """Trains in place to `settings.steps`."""

    def begin(step: int) -> Loss:
        rng = np.random.default_rng([settings.seed, step, world.rank])

        def loss_of_batch() -> tuple[Tensor, dict[str, float]]:
            index = rng.integers(len(targets.tokens), size=settings.batch)
            return layout_loss(layout, targets.batch(index, world.device))

        return loss_of_batch

    train("layout", layout, begin, settings, checkpoint, report, world=world, validate=validate)
