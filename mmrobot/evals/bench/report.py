"""The bench's figures as tables for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.table import Table

from mmrobot.evals.bench.stages import MODEL_STAGES

_SPREAD = ("p50", "p95", "p99")


def tables(figures: Mapping[str, Any]) -> Iterator[Table]:
    """Of `measure_speed`: ratios and the whole way, then stages."""
    yield _whole(figures)
    yield _stages(figures["stages"])
    if figures["absent"]:
        table = _table("absent here", "backend", "why")
        for name, reason in figures["absent"].items():
            table.add_row(name, reason)
        yield table
    yield _targets(figures["targets"])


def _whole(figures: Mapping[str, Any]) -> Table:
    table = _table(
        "instruction and picture to checked plan (ms)", "backend", "faster than torch", "of it the model",
        "new picture p50/p95/p99", "CPU p50", "known picture p50", "boxes/s", "peak MB", "grounding",
    )  # fmt: skip
    for name, whole in figures["whole"].items():
        ratio = figures["ratios"].get(name, {})
        quality = figures["quality"][name]["all"]
        low, high = quality["wilson95"]
        table.add_row(
            name,
            _times(ratio.get("plan_cold")),
            _times(ratio.get("model")),
            _spread(whole["plan_cold_ms"]),
            f"{whole['plan_cold_cpu_ms']['p50']:.1f}",
            f"{whole['plan_cached_ms']['p50']:.1f}",
            f"{whole['boxes_per_s']:.0f}",
            f"{figures['peak_memory_mb'][name]:.0f}",
            f"{quality['success']:.1%} ({low:.1%} to {high:.1%}, n {quality['n']})",
        )
    return table


def _stages(stages: Mapping[str, Any]) -> Table:
    table = _table("stages of the model, p50/p95/p99 (ms)", "backend", *MODEL_STAGES)
    for name, each in stages.items():
        table.add_row(name, *(_spread(each[stage]) for stage in MODEL_STAGES))
    return table


def _targets(targets: Mapping[str, Any]) -> Table:
    table = _table(f"targets, with {targets['backend']}", "what", "reached", "target", "")
    for name, value in targets.items():
        if isinstance(value, Mapping):
            table.add_row(
                name, f"{value['value']:g}", f"{value['target']:g}", "met" if value["met"] else "not met"
            )
    return table


def rows_table(title: str, rows: Mapping[str, Mapping[str, Any]]) -> Table:
    """A row each of plain values: for the smaller sections."""
    columns = list(dict.fromkeys(key for row in rows.values() for key in row))
    table = _table(title, "", *columns)
    for name, row in rows.items():
        table.add_row(name, *(_value(row.get(column)) for column in columns))
    return table


def _value(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, Mapping) and "wilson95" in value:
        return f"{value['success']:.1%} (n {value['n']})"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for i, column in enumerate(columns):
        table.add_column(column, justify="right" if i else "left")
    return table


def _times(ratio: Mapping[str, float] | None) -> str:
    return "-" if not ratio else f"{ratio['median']:.2f}x ({ratio['least']:.2f} to {ratio['most']:.2f})"


def _spread(values: Mapping[str, float]) -> str:
    return (
        " / ".join(f"{values[p]:.1f}" if values[p] >= 1 else f"{values[p]:.2f}" for p in _SPREAD)
        if values
        else "-"
    )
