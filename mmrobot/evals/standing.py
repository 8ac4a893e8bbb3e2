"""What success rests on: the whole robot beside itself without sight, without words, with true parts, and in
harder worlds, always on the same episodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mmrobot.evals.conditions import Condition
from mmrobot.evals.results import EpisodeResult
from mmrobot.evals.statistics import Rate
from mmrobot.evals.summary import paired

BLIND, DEAF = ("blind",), ("text",)


def grounding_gap(runs: Mapping[str, Sequence[EpisodeResult]]) -> dict[str, Any] | None:
    """Strict success of the whole robot less that of the better of blind and deaf, paired on the episodes
    that need sight and words: those that expect something to be done. None without those controls."""
    gaps = {name: paired(_to_do(runs[""]), _to_do(runs[name])) for name in (*BLIND, *DEAF) if runs.get(name)}
    if not gaps or not all(g.n for g in gaps.values()):
        return None
    better = min(gaps, key=lambda name: gaps[name].difference)
    return {"better": better, **gaps[better].as_dict()}


def _to_do(results: Sequence[EpisodeResult]) -> list[EpisodeResult]:
    return [r for r in results if r.expected == "success"]


def conditions_figures(
    runs: Mapping[str, Sequence[EpisodeResult]],
    conditions: Sequence[Condition],
    must_stop: Sequence[str] = (),
) -> list[dict[str, Any]]:
    """A row for each condition that was run: strict success of `n` episodes, that of the whole robot on the
    same (`full`), the paired difference (whole robot less condition), how often it asked or refused
    (`stopped`); for `must_stop` that is what is asked for."""
    rows = []
    for condition in conditions:
        results = runs.get(condition.name)
        if not results:
            continue
        names, n = {r.name for r in results}, len(results)
        whole = [r for r in runs[""] if r.name in names]
        rows.append(
            {
                "name": condition.name,
                "axis": condition.axis,
                "says": condition.says,
                "strict": Rate(sum(r.strict for r in results), n).as_dict(),
                "full": Rate(sum(r.strict for r in whole), len(whole)).as_dict(),
                "gap": paired(whole, results).as_dict(),
                "false_success": Rate(sum(r.claimed and not r.passed for r in results), n).as_dict(),
                "stopped": Rate(sum(r.outcome in ("clarify", "refuse") for r in results), n).as_dict(),
                "must_stop": condition.name in must_stop,
            }
        )
    return rows
