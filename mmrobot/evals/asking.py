"""What was expected against what came of it, and how well the robot knows when to ask and when to refuse."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmrobot.evals.results import READ_BACKS, EpisodeResult
from mmrobot.evals.statistics import Rate

EXPECTED = ("success", "clarify", "refuse", "answer")
GOT = ("success", "wrong", "clarify", "refuse", "answer", "timeout", "collision", "error")


def got(result: EpisodeResult) -> str:
    """The outcome, and a collision where the robot failed having run into something."""
    return "collision" if result.outcome in ("wrong", "timeout") and result.collided else result.outcome


def confusion(results: Sequence[EpisodeResult]) -> dict[str, dict[str, int]]:
    """Episodes by expected outcome and by what came of them; rows without episodes are left out."""
    table = {e: dict.fromkeys(GOT, 0) for e in EXPECTED}
    for r in results:
        table[r.expected or "success"][got(r)] += 1
    return {e: row for e, row in table.items() if sum(row.values())}


def asking(results: Sequence[EpisodeResult]) -> dict[str, Any]:
    """Precision and recall of asking back and of refusing; `unneeded`: questions where all was clear;
    `over_refused`: refusals of what could be done. `which` is asking back without sentences read back,
    `unneeded_which` likewise; `read_back`: sentences read back where all was clear; `read_backs` counts what
    was said to them, in all episodes."""
    clear = [r for r in results if not r.ask_needed and r.expected in ("success", "answer")]
    refused = [r for r in results if r.outcome == "refuse"]
    asked = [r for r in results if r.asked]
    which = [r for r in results if r.asked_which]
    return {
        "clarify": {
            "precision": Rate(sum(r.ask_needed for r in asked), len(asked)).as_dict(),
            "recall": _among([r.asked for r in results if r.ask_needed]),
        },
        "which": {
            "precision": Rate(sum(r.ask_needed for r in which), len(which)).as_dict(),
            "recall": _among([r.asked_which for r in results if r.ask_needed]),
        },
        "refuse": {
            "precision": Rate(sum(r.expected == "refuse" for r in refused), len(refused)).as_dict(),
            "recall": _among([r.outcome == "refuse" for r in results if r.expected == "refuse"]),
        },
        "unneeded": _among([r.asked for r in clear]),
        "unneeded_which": _among([r.asked_which for r in clear]),
        "read_back": _among([bool(r.read_back) for r in clear]),
        "read_backs": {said: sum(r.read_back == said for r in results) for said in READ_BACKS if said},
        "over_refused": _among([r.outcome == "refuse" for r in clear]),
    }


def _among(hits: Sequence[bool]) -> dict[str, object]:
    return Rate(sum(hits), len(hits)).as_dict()
