"""Grounding on the bench's scenes, by the same rule as `mmrobot eval-model`: exactly the true boxes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from mmrobot.config import GroundingConfig
from mmrobot.evals.bench.samples import Scene
from mmrobot.evals.boxes import exactly
from mmrobot.evals.statistics import Rate
from mmrobot.evals.summary import percentiles
from mmrobot.planning.referents import present
from mmrobot.types import ScoredBox
from mmrobot.vlm.families.nano import NanoVlm
from mmrobot.vlm.families.nano_parts import NanoParts
from mmrobot.vlm.interface import VisionLanguageModel
from mmrobot.vlm.models.nano import NanoProcessor

Row = dict[str, Any]


def grounding_quality(parts: NanoParts, scenes: Sequence[Scene], config: GroundingConfig) -> dict[str, Any]:
    """The figures of one backend of mmrobot-nano."""
    return figures(ground_rows(NanoVlm(parts, NanoProcessor.of(parts.config), "bench"), scenes, config))


def ground_rows(
    vlm: VisionLanguageModel,
    scenes: Iterable[Scene],
    config: GroundingConfig,
    before: Callable[[Scene], None] = lambda scene: None,
) -> list[Row]:
    """One row a phrase: whether it was answered exactly, how long it took (the first of a scene looks)."""
    rows: list[Row] = []
    for scene in scenes:
        before(scene)
        for phrase in scene.phrases:
            begin, cpu = time.perf_counter(), time.process_time()
            boxes: Sequence[ScoredBox] = present(vlm.ground(scene.rgb, phrase.text), config)
            took_ms, cpu_ms = 1000 * (time.perf_counter() - begin), 1000 * (time.process_time() - cpu)
            want = {0: "none", 1: "one"}.get(len(phrase.boxes), "several")
            ok = exactly(boxes, phrase.boxes)
            rows.append({"ok": ok, "want": want, "kind": phrase.kind, "ms": took_ms, "cpu_ms": cpu_ms})
    return rows


def figures(rows: Sequence[Row]) -> dict[str, Any]:
    """`ground` over phrases of something, `absent_rejected` over the rest, `all` over both."""

    def rate(chosen: Sequence[Row]) -> dict[str, object]:
        return Rate(sum(r["ok"] for r in chosen), len(chosen)).as_dict()

    return {
        "all": rate(rows),
        "ground": rate([r for r in rows if r["want"] != "none"]),
        "absent_rejected": rate([r for r in rows if r["want"] == "none"]),
        "milliseconds": percentiles([r["ms"] for r in rows]),
        "answers": "".join("1" if r["ok"] else "0" for r in rows),
    }
