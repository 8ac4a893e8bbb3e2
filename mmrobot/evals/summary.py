"""From episodes' results to the figures of a report: every rate with n and its Wilson interval."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from mmrobot.evals.results import EpisodeResult
from mmrobot.evals.statistics import Paired, Rate


def summarize(results: Sequence[EpisodeResult]) -> dict[str, Any]:
    """`overall`, `families` (family -> level -> figures) and `episodes`, as CONTRACT.md has them."""
    families: dict[str, dict[str, Any]] = {}
    for family in dict.fromkeys(r.family for r in results):
        mine = [r for r in results if r.family == family]
        families[family] = {
            level: cell([r for r in mine if r.level == level])
            for level in dict.fromkeys(r.level for r in mine)
        }
    return {
        "overall": cell(results),
        "families": families,
        "episodes": [r.as_dict() for r in results],
    }


def cell(results: Sequence[EpisodeResult]) -> dict[str, Any]:
    """The figures of some episodes. `success` counts those that passed; `strict` also asks that nothing else
    moved; `false_success` those that the robot calls done and physics does not; `credit` is the mean share of
    goals met, `collided` those in which the robot ran into something; `unaided` are those that passed without
    a sentence read back, `read_back` counts the others by what was said to it."""
    n = len(results)
    failed = [r for r in results if not r.passed]
    return {
        **Rate(sum(r.passed for r in results), n).as_dict(),
        "strict": Rate(sum(r.strict for r in results), n).as_dict(),
        "unaided": Rate(sum(r.unaided for r in results), n).as_dict(),
        "read_back": dict(Counter(r.read_back for r in results if r.read_back)),
        "false_success": Rate(sum(r.claimed and not r.passed for r in results), n).as_dict(),
        "credit": round(sum(r.credit for r in results) / n, 4) if n else 0.0,
        "collided": Rate(sum(r.collided for r in results), n).as_dict(),
        "outcomes": dict(Counter(r.outcome for r in results)),
        "failed_part": dict(Counter(r.part for r in failed)),
        "retries": sum(r.retries for r in results),
        "simulated_s": percentiles([r.simulated_s for r in results]),
        "cpu_s": percentiles([r.cpu_s for r in results]),
        "wall_s": percentiles([r.wall_s for r in results]),
        "timings_ms": {
            stage: percentiles([r.timings_ms[stage] for r in results if stage in r.timings_ms])
            for stage in dict.fromkeys(s for r in results for s in r.timings_ms)
        },
    }


def paired(first: Sequence[EpisodeResult], second: Sequence[EpisodeResult]) -> Paired:
    """Strict success of two runs over the episodes that both played."""
    other = {r.name: r.strict for r in second}
    return Paired.of((r.strict, other[r.name]) for r in first if r.name in other)


def percentiles(values: Sequence[float]) -> dict[str, float]:
    """p50, p95 and p99; {} of nothing."""
    if not values:
        return {}
    p50, p95, p99 = np.percentile(values, (50, 95, 99))
    return {"p50": round(float(p50), 2), "p95": round(float(p95), 2), "p99": round(float(p99), 2)}
