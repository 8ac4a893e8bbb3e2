"""Does keeping fewer objects pay? Guided choices beside random ones and a picture of half the size."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mmrobot.config import GroundingConfig
from mmrobot.evals.bench.backends import load_backend
from mmrobot.evals.bench.quality import figures, ground_rows
from mmrobot.evals.bench.samples import Scene, Task
from mmrobot.evals.statistics import mcnemar
from mmrobot.evals.summary import percentiles
from mmrobot.vlm.families.nano import NanoVlm
from mmrobot.vlm.families.nano_parts import NanoParts
from mmrobot.vlm.models.nano import NanoConfig, NanoProcessor
from mmrobot.vlm.pruning import AtRandom, PrunedNano, WithDepth

KEPT = (12, 8)
PHRASE = "the second cube from the left"
Tell = Callable[[str], None]


def measure_pruning(
    folder: Path,
    scenes: Sequence[Scene],
    tasks: Sequence[Task],
    threads: int = 1,
    rounds: int = 5,
    tell: Tell = lambda words: None,
) -> dict[str, Any]:
    """By way of choosing: grounding on `scenes`; time to see the `tasks` and to ground in them, in turns; and
    how many answers were lost and won against all objects (McNemar's p). Depth is known of the tasks only:
    there the choice with depth is compared by what it drops. On torch, which takes any number of objects."""
    whole = load_backend("torch", folder, threads)
    with tempfile.TemporaryDirectory() as scratch:
        half = load_backend("torch", half_size(folder, Path(scratch)), threads)
        ways: dict[str, NanoParts] = {"all": whole}
        for keep in KEPT:
            if keep < whole.config.num_objects:
                ways[f"objectness {keep}"] = PrunedNano(whole, keep)
                ways[f"random {keep}"] = PrunedNano(whole, keep, AtRandom(np.random.default_rng(keep)))
        ways["half-size picture"] = half
        times = _times(ways, tasks, rounds, tell)
        rows: dict[str, dict[str, Any]] = {}
        answers: dict[str, str] = {}
        for name, parts in ways.items():
            tell(f"grounding with {name}")
            vlm = NanoVlm(parts, NanoProcessor.of(parts.config), name)
            quality = figures(ground_rows(vlm, scenes, GroundingConfig()))
            answers[name] = quality["answers"]
            rows[name] = {"grounding": quality["all"], **times[name]}
    for name, row in rows.items():
        pairs = list(zip(answers["all"], answers[name], strict=True))
        lost, won = (sum(p == pair for p in pairs) for pair in (("1", "0"), ("0", "1")))
        row |= {"lost": lost, "won": won, "p": round(mcnemar(lost, won), 4)}
    return {"ways": rows, "dropped_by_depth": _depth_drops(whole, tasks)}


def half_size(folder: Path, into: Path) -> Path:
    """The same weights behind a picture of half the width and height: a control."""
    for name in ("config.json", "processor_config.json"):
        values = json.loads((folder / name).read_text())
        for key in ("image_height", "image_width"):
            if key in values:
                values[key] = half_side(values[key])
        if name == "config.json" and "image_height" not in values:
            sizes = NanoConfig()
            values |= {key: half_side(getattr(sizes, key)) for key in ("image_height", "image_width")}
        (into / name).write_text(json.dumps(values))
    (into / "model.safetensors").symlink_to((folder / "model.safetensors").resolve())
    return into


def half_side(pixels: int) -> int:
    """Half, rounded up to what the encoder's stride of 16 divides."""
    return -(-pixels // 32) * 16


def _times(
    ways: dict[str, NanoParts], tasks: Sequence[Task], rounds: int, tell: Tell
) -> dict[str, dict[str, float]]:
    """p50 milliseconds of seeing a picture and of grounding one more phrase in it, ways in turns."""
    see: dict[str, list[float]] = {name: [] for name in ways}
    ground: dict[str, list[float]] = {name: [] for name in ways}
    for index in range(rounds):
        tell(f"round {index + 1} of {rounds}")
        for name, parts in ways.items():
            processor = NanoProcessor.of(parts.config)
            for task in tasks:
                pixels, _ = processor.picture(task.frame.rgb)
                begin = time.perf_counter()
                parts.see(pixels)
                see[name].append(1000 * (time.perf_counter() - begin))
                vlm = NanoVlm(parts, processor, name)
                vlm.describe(task.frame.rgb)
                begin = time.perf_counter()
                vlm.ground(task.frame.rgb, PHRASE)
                ground[name].append(1000 * (time.perf_counter() - begin))
    return {
        name: {"see_ms": percentiles(see[name])["p50"], "ground_ms": percentiles(ground[name])["p50"]}
        for name in ways
    }


def _depth_drops(parts: NanoParts, tasks: Sequence[Task]) -> dict[str, Any]:
    """Of the candidates over the threshold and under it: how many does depth call table?"""
    over = under = over_flat = under_flat = 0
    for task in tasks:
        seen = parts.see(NanoProcessor.of(parts.config).picture(task.frame.rgb)[0])
        flat = WithDepth(task.frame.depth_m)(seen) < 0
        present = seen.scores > parts.config.object_threshold
        over, over_flat = over + int(present.sum()), over_flat + int((present & flat).sum())
        under, under_flat = under + int((~present).sum()), under_flat + int((~present & flat).sum())
    return {
        "objects_seen": over,
        "of_them_called_table": over_flat,
        "candidates_not_believed": under,
        "of_those_called_table": under_flat,
    }
