"""The stages after learning: probabilities are calibrated, and the model is written as it ships."""

from __future__ import annotations

import json
from dataclasses import asdict

import numpy as np
import torch
from numpy.typing import NDArray

from mmrobot.learn.calibration import Calibration, calibrate
from mmrobot.learn.checkpoint import checkpoint_step
from mmrobot.learn.pooling import fit_pooling
from mmrobot.learn.stages import Training
from mmrobot.learn.whole import WholeModel, whole_outcomes
from mmrobot.vlm.models.nano import NanoProcessor
from mmrobot.vlm.sums import write_sums

LEARNED = ("vision", "layout", "labels", "views", "looks", "words")
"""Stages whose checkpoints make the model."""


def calibrate_heads(t: Training) -> None:
    """Fit the temperatures on the validation pictures; the result is kept in calibration.json."""
    if not t.world.leads:
        return
    t.load(*LEARNED)
    _, kept = t.split()
    whole = WholeModel(t.model, kept, t.world)
    pooling = fit_pooling(whole, kept)
    t.report(f"pooling: {pooling}")
    t.config.view_weights, t.config.real_weights = pooling.view_weights, pooling.real_weights
    out = whole_outcomes(whole)
    t.report(f"validation: {' '.join(f'{k} {v:.3f}' for k, v in out.figures.items())}")
    done = {
        "point": calibrate(_logits(out.point), out.meant, out.point_picture % 2 == 0),
        "statement": calibrate(_logits(out.holds), out.true, out.holds_picture % 2 == 0),
    }
    for name, found in done.items():
        t.report(f"{name}: {found}")
    content = {name: asdict(found) for name, found in done.items()} | {
        "pooling": asdict(pooling),
        "validation": out.figures,
        "steps": _steps(t),
    }
    path = t.options.data / "calibration.json"
    part = path.with_suffix(".part")
    part.write_text(json.dumps(content, indent=2) + "\n")
    part.replace(path)


def _logits(p: NDArray[np.float64]) -> NDArray[np.float64]:
    safe = np.clip(p, 1e-6, 1 - 1e-6)
    return np.asarray(np.log(safe / (1 - safe)))


def _steps(t: Training) -> dict[str, int]:
    return {stage: checkpoint_step(t.path(stage)) for stage in LEARNED}


def export(t: Training) -> None:
    """Write the model; calibrates first where that was not done since the last training."""
    if not t.world.leads:
        return
    path = t.options.data / "calibration.json"
    if not path.is_file() or json.loads(path.read_text())["steps"] != _steps(t):
        calibrate_heads(t)
    found = json.loads(path.read_text())
    t.load(*LEARNED)
    t.config.view_weights = tuple(found["pooling"]["view_weights"])
    t.config.real_weights = tuple(found["pooling"]["real_weights"])
    t.config.point_temperature = Calibration(**found["point"]).temperature
    t.config.statement_temperature = Calibration(**found["statement"]).temperature
    model, out = t.model, t.options.out
    model.eval().cpu().to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    model.save_pretrained(out)
    NanoProcessor.of(t.config).save_pretrained(out)
    write_sums(out)
    t.report(f"wrote {out}: {(out / 'model.safetensors').stat().st_size / 1e6:.1f} MB")
