"""From single answers to a model's figures and the table of its card; each rate with n and its interval."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from mmrobot.evals.calibration import calibration
from mmrobot.evals.statistics import Rate
from mmrobot.evals.summary import percentiles

MISSES = 40
NOT_OFFERED = "not offered"
_OPERATIONS = ("ground", "plan", "verify", "answer")


def summarize_level(rows: Sequence[Mapping[str, Any]], operations: Collection[str]) -> dict[str, Any]:
    """The figures of one level.

    `ground`: phrases that mean something, answered with all of their things and no other (IoU over 0.5);
    `ground_one`, `ground_several` and `by_kind` of them; `point_in_mask` of the best box; `absent_rejected`.
    `plan`, `verify`, `answer`: exact matches. `labels`: whatever is about a print. `describe`: objects
    found, found and rightly named, boxes of nothing. `calibration`: pointing over all pairs of a phrase and a
    visible object, over boxes that were answered only, and verify. `blind`: the same over a grey picture. An
    operation that the model has not is "not offered".
    """
    sighted = [r for r in rows if not r.get("blind")]
    blind = [r for r in rows if r.get("blind")]
    return {
        **_rates(sighted, operations),
        "describe": _described(sighted) if "describe" in operations else NOT_OFFERED,
        "calibration": _calibrated(sighted),
        "blind": _rates(blind, operations),
        "milliseconds": {
            op: percentiles([r["ms"] for r in sighted if r["op"] == op])
            for op in dict.fromkeys(r["op"] for r in sighted)
        },
        "misses": _misses(sighted),
    }


def _rates(rows: Sequence[Mapping[str, Any]], operations: Collection[str]) -> dict[str, Any]:
    by_op = {op: [r for r in rows if r["op"] == op] for op in _OPERATIONS}
    out: dict[str, Any] = {}
    if "ground" in operations:
        phrases = by_op["ground"]
        there = [r for r in phrases if r.get("want") != "none"]
        one = [r for r in there if r.get("want") == "one"]
        out["ground"] = _rate(there)
        out["ground_one"] = _rate(one)
        out["ground_several"] = _rate([r for r in there if r.get("want") == "several"])
        out["point_in_mask"] = _rate(one, "hit")
        out["absent_rejected"] = _rate([r for r in phrases if r.get("want") == "none"])
        out["ground_by_kind"] = _by_kind(phrases)
    for op in ("plan", "verify", "answer"):
        if op in operations:
            out[op] = _rate(by_op[op])
            out[f"{op}_by_kind"] = _by_kind(by_op[op])
    for op in _OPERATIONS:
        if op not in operations:
            out[op] = NOT_OFFERED
    out["labels"] = _rate([r for r in rows if "label" in r["kind"]])
    return out


def _rate(rows: Sequence[Mapping[str, Any]], field: str = "ok") -> dict[str, object]:
    return Rate(sum(bool(r.get(field)) for r in rows), len(rows)).as_dict()


def _by_kind(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {kind: _rate([r for r in rows if r["kind"] == kind]) for kind in sorted({r["kind"] for r in rows})}


def _described(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    mine = [r for r in rows if r["op"] == "describe"]
    objects, found, boxes = (sum(r[k] for r in mine) for k in ("objects", "found", "boxes"))
    return {
        "found": Rate(found, objects).as_dict(),
        "named": Rate(sum(r["named"] for r in mine), objects).as_dict(),
        "of_nothing": Rate(boxes - found, boxes).as_dict(),
        "whole_scene": _rate(mine),
    }


def _calibrated(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    pairs = [(p, hit > 0.5) for r in rows for p, hit in r.get("pairs", ())]
    return {
        "pointing_pairs": calibration(pairs),
        "answered_boxes": calibration([(p, hit) for p, hit in pairs if p >= 0.5]),
        "verify": calibration([(r["p"], r["holds"]) for r in rows if r["op"] == "verify" and "p" in r]),
    }


def _misses(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    kept = ("kind", "said", "want", "got", "meant", "iou", "p", "holds")
    return {
        op: [{k: r[k] for k in kept if k in r} for r in rows if r["op"] == op and not r["ok"]][:MISSES]
        for op in _OPERATIONS
    }


CARD_ROWS: tuple[tuple[str, str], ...] = (
    ("ground", "Phrase to exactly its things (IoU over 0.5)"),
    ("ground_one", "of them: phrases of one thing"),
    ("ground_several", "of them: phrases of several things"),
    ("point_in_mask", "Best box's middle in the thing"),
    ("absent_rejected", "Absent things rejected"),
    ("plan", "Sentence to the exact plan"),
    ("verify", "Statement judged rightly"),
    ("answer", "Question answered rightly"),
    ("labels", "Whatever is about a label"),
    ("describe.found", "Objects found"),
    ("describe.named", "Objects found and named rightly"),
    ("describe.of_nothing", "Boxes of nothing"),
    ("calibration.pointing_pairs", "Calibration error, pointing"),
    ("calibration.answered_boxes", "Calibration error, boxes answered"),
    ("calibration.verify", "Calibration error, verify"),
    ("blind.ground", "Blind (grey picture): phrases"),
    ("blind.verify", "Blind: statements"),
    ("blind.answer", "Blind: questions"),
)


def card_table(levels: Mapping[str, Mapping[str, Any]]) -> str:
    """Markdown: a row a figure, a column a level."""
    lines = [f"| | {' | '.join(levels)} |", "|---" * (len(levels) + 1) + "|"]
    for path, label in CARD_ROWS:
        cells = [_cell(figures, path) for figures in levels.values()]
        lines.append(f"| {label} | {' | '.join(cells)} |")
    return "\n".join(lines)


def kinds_table(levels: Mapping[str, Mapping[str, Any]], operation: str) -> str:
    """Markdown: a row a kind of what was asked, a column a level."""
    kinds = sorted({k for f in levels.values() for k in f.get(f"{operation}_by_kind", {})})
    lines = [f"| {operation} | {' | '.join(levels)} |", "|---" * (len(levels) + 1) + "|"]
    for kind in kinds:
        cells = [_text(f.get(f"{operation}_by_kind", {}).get(kind)) for f in levels.values()]
        lines.append(f"| {kind} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(figures: Mapping[str, Any], path: str) -> str:
    value: Any = figures
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else value
    return _text(value)


def _text(value: Any) -> str:
    if value == NOT_OFFERED:
        return NOT_OFFERED
    if not isinstance(value, Mapping) or not value.get("n"):
        return "-"
    if "ece" in value:
        return f"{value['ece']:.3f} (n {value['n']})"
    low, high = value["wilson95"]
    return f"{100 * value['success']:.1f} % ({100 * low:.1f} to {100 * high:.1f}, n {value['n']})"
