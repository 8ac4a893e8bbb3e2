"""What a second look costs and gives: one look always, all views always, or as the model's doubt says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from mmrobot.config import GroundingConfig
from mmrobot.evals.bench.backends import load_backend
from mmrobot.evals.bench.quality import figures, ground_rows
from mmrobot.evals.bench.samples import Scene
from mmrobot.evals.statistics import mcnemar
from mmrobot.vlm.families.nano import NanoVlm
from mmrobot.vlm.interface import VisionLanguageModel
from mmrobot.vlm.models.nano import NanoProcessor
from mmrobot.vlm.selective import Doubt, SelectiveVlm

Tell = Callable[[str], None]
ALWAYS = Doubt(low=-1.0, high=2.0)


def measure_selective(
    folder: Path,
    scenes: Sequence[Scene],
    backend: str = "onnx",
    threads: int = 1,
    tell: Tell = lambda words: None,
) -> dict[str, Any]:
    """By way of thinking: grounding, mean milliseconds a phrase, share of long ways, and against one look the
    answers lost and won. Other programs count less in processor time than in wall time."""
    parts = load_backend(backend, folder, threads)
    processor = NanoProcessor.of(parts.config)

    def nano() -> NanoVlm:
        return NanoVlm(parts, processor, "bench")

    ways: dict[str, VisionLanguageModel] = {
        "one look": nano(),
        "as doubt says": SelectiveVlm(nano()),
        "as doubt says, nothing is believed": SelectiveVlm(nano(), Doubt(look_again_for_nothing=False)),
        "all views always": SelectiveVlm(nano(), ALWAYS),
    }
    rows: dict[str, dict[str, Any]] = {}
    answers: dict[str, str] = {}
    for name, vlm in ways.items():
        tell(f"grounding, {name}")
        each = ground_rows(vlm, scenes, GroundingConfig())
        quality = figures(each)
        answers[name] = quality["answers"]
        long_share = vlm.long / max(vlm.long + vlm.short, 1) if isinstance(vlm, SelectiveVlm) else 0.0
        rows[name] = {
            "all": quality["all"],
            "ground": quality["ground"],
            "absent_rejected": quality["absent_rejected"],
            "mean_ms": _mean(each, "ms"),
            "mean_cpu_ms": _mean(each, "cpu_ms"),
            "long_share": round(long_share, 4),
        }
    for name, row in rows.items():
        pairs = list(zip(answers["one look"], answers[name], strict=True))
        lost, won = (sum(p == pair for p in pairs) for pair in (("1", "0"), ("0", "1")))
        row |= {"lost": lost, "won": won, "p": round(mcnemar(lost, won), 4)}
    return {"backend": backend, "ways": rows}


def _mean(rows: Sequence[dict[str, Any]], key: str) -> float:
    return round(sum(r[key] for r in rows) / max(len(rows), 1), 2)
