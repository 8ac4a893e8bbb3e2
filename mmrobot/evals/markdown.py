"""The report's main table as Markdown, for a README: families by levels, and all of them with intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mmrobot.evals.results import EpisodeResult
from mmrobot.evals.statistics import Rate

SAYS = {
    "pick": '"pick up the red cube"',
    "put_in": '"put the red cube in the blue bowl"',
    "put_beside": '"put the ball to the left of the green cube"',
    "stack": '"stack the red cube on the blue one", towers, pyramids',
    "push": '"push the cylinder away", "push the ball to the tray"',
    "refer": '"the second cup from the left"',
    "all": '"put all red blocks in the tray"',
    "negation": '"everything except the ball"',
    "sort": '"each cube in the bowl of its own colour"',
    "sequence": '"first ..., then ...", swaps, put back',
    "conditional": '"if there is a ball ..., otherwise ...", "without touching the cup"',
    "label": '"the tray marked A7"',
    "question": '"how many cubes are there?"',
    "clarify": "two things fit: asks, obeys the answer",
    "refuse": "what is named is not there",
    "twin": "scenes of those two, clear words",
    "dialogue": '"no, the green one", "put it back"',
    "interrupt": "stop, go on, a new command meanwhile",
    "disturbed": "moved, taken, added, knocked out of the hand",
}


def main_table(results: Sequence[EpisodeResult]) -> str:
    """Passed of played by family and level, then of L0 to L4 together; below, all families: the rate with its
    interval and n, and the rate of those that needed no sentence read back."""
    levels = sorted({r.level for r in results})
    plain = [level for level in levels if level != "L5"]
    lines = [_row("Family", "For example", *levels, _span(plain)), "|" + "---|" * (len(levels) + 3)]
    for family in dict.fromkeys(r.family for r in results):
        mine = [r for r in results if r.family == family]
        counts = [_of([r for r in mine if r.level == level]) for level in levels]
        together = _rated([r for r in mine if r.level in plain])
        lines.append(_row(family, SAYS.get(family, ""), *counts, together))
    groups = [[r for r in results if r.level == level] for level in levels]
    groups.append([r for r in results if r.level in plain])
    lines.append(_row("**all**", "", *(f"**{_rated(g)}**" for g in groups)))
    unaided = [_rate([r.unaided for r in g]) for g in groups]
    lines.append(_row("without a sentence read back", "", *unaided))
    return "\n".join(lines) + "\n"


def _row(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"


def _span(levels: Sequence[str]) -> str:
    return f"{levels[0]} to {levels[-1]}" if len(levels) > 1 else "".join(levels)


def _of(results: Sequence[EpisodeResult]) -> str:
    return f"{sum(r.passed for r in results)} of {len(results)}" if results else "-"


def _rated(results: Sequence[EpisodeResult]) -> str:
    if not results:
        return "-"
    found: Mapping[str, Any] = Rate(sum(r.passed for r in results), len(results)).as_dict()
    low, high = found["wilson95"]
    return f"{found['success']:.0%} ({low:.0%} to {high:.0%}, n {found['n']})".replace("%", " %")


def _rate(hits: Sequence[bool]) -> str:
    return f"{sum(hits) / len(hits):.0%}".replace("%", " %") if hits else "-"
