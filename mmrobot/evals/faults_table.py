"""From what was measured to a verdict, and to a table. Pure.

A row passes when the fault came as it must and the healthy twin went well: a twin that failed proves nothing,
so its row fails too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from mmrobot.evals.faults import DONE, Fault

TOUCHED_M = 0.03
NOT_YET, PASSED, FAILED = "not yet", "pass", "fail"


@dataclass(frozen=True)
class Measured:
    """One run. Times are wall seconds from the fault on, but `still_s`, which is simulated; None: never, or
    not measured."""

    moving: bool
    code: str
    told: str = ""
    still_s: float | None = None
    returns_s: float | None = None
    answer_s: float | None = None
    answer_code: str = ""
    plan_s: float | None = None
    plan_code: str = ""
    goal_holds: bool = False
    others_moved_m: float = 0.0
    died: tuple[str, ...] = ()
    broken: tuple[str, ...] = ()
    """What a run of its own kind found wrong, in words."""
    figures: Mapping[str, float | str] = field(default_factory=dict)


@dataclass(frozen=True)
class Row:
    """A fault with all its runs and their twins; `why` says what was not as it must be."""

    fault: Fault
    runs: tuple[Measured, ...]
    twins: tuple[Measured, ...]

    @property
    def why(self) -> tuple[str, ...]:
        """Empty for a pass."""
        found = [w for run in self.runs for w in problems(self.fault, run)]
        found += [f"healthy twin: {w}" for twin in self.twins for w in twin_problems(self.fault, twin)]
        if not self.runs or len(self.twins) < len(self.runs):
            found.append("not measured")
        return tuple(dict.fromkeys(found))

    @property
    def verdict(self) -> str:
        """pass, fail, or not yet where it is known why."""
        if not self.why:
            return PASSED
        return NOT_YET if self.fault.not_yet and not any("twin" in w for w in self.why) else FAILED

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "fault": self.fault.name,
            "does": self.fault.does,
            "expected": self.fault.expected,
            "n": len(self.runs),
            "verdict": self.verdict,
            "why": list(self.why),
            "not_yet": self.fault.not_yet if self.verdict == NOT_YET else "",
            "runs": [asdict(m) for m in self.runs],
            "twins": [asdict(m) for m in self.twins],
        }


def problems(fault: Fault, run: Measured) -> list[str]:
    """What is not as it must be when the fault is there."""
    limits, found = fault.limits, list(run.broken)
    if not run.moving:
        found.append("the arm did not move when the fault came")
    if run.code not in limits.ends:
        found.append(f"ended with {run.code or 'nothing'}, not {' or '.join(limits.ends)}")
    must_tell = limits.told_anyway or run.code != DONE
    if limits.words and must_tell and not re.search(limits.words, run.told, re.IGNORECASE):
        found.append(f"nothing told of it (no /{limits.words}/)")
    if limits.still_s is not None and (run.still_s is None or run.still_s > limits.still_s):
        found.append(f"moved for {_s(run.still_s)}, allowed {limits.still_s:g} s")
    if run.returns_s is None or (run.code != DONE and run.returns_s > limits.returns_s):
        found.append(f"the result came after {_s(run.returns_s)}, allowed {limits.returns_s:g} s")
    for what, after_s in (("a question", run.answer_s), ("an instruction", run.plan_s)):
        if limits.answers and (after_s is None or after_s > limits.returns_s):
            found.append(f"{what} was answered after {_s(after_s)}, allowed {limits.returns_s:g} s")
    return found + _harm(run)


def twin_problems(fault: Fault, twin: Measured) -> list[str]:
    """What is not as it must be when nothing is wrong."""
    found = list(twin.broken)
    if not twin.moving:
        found.append("the arm did not move")
    if twin.code != DONE:
        found.append(f"ended with {twin.code or 'nothing'}")
    if not twin.goal_holds:
        found.append("the task was not done")
    if fault.limits.words and (hit := re.search(fault.limits.words, twin.told, re.IGNORECASE)):
        found.append(f"told of a fault that was not there ('{hit.group()[:40]}')")
    if fault.limits.answers and (twin.answer_code, twin.plan_code) != (DONE, DONE):
        found.append(f"answered {twin.answer_code or 'nothing'} and {twin.plan_code or 'nothing'}")
    return found + _harm(twin)


def _harm(run: Measured) -> list[str]:
    found = []
    if run.code == DONE and not run.goal_holds:
        found.append("said done, and it was not")
    if run.others_moved_m > TOUCHED_M:
        found.append(f"something else was moved by {run.others_moved_m * 100:.0f} cm")
    if run.died:
        found.append(f"{' and '.join(run.died)} died")
    return found


def table(rows: Sequence[Row]) -> str:
    """As Markdown."""
    lines = ["| Fault | What is done | Expected | Measured | n | Verdict |", "|" + "---|" * 6]
    for row in rows:
        verdict = row.verdict if row.verdict == PASSED else f"**{row.verdict}**: {'; '.join(row.why)}"
        if row.verdict == NOT_YET:
            verdict += f" ({row.fault.not_yet})"
        cells = (row.fault.name, row.fault.does, row.fault.expected, measured(row), len(row.runs), verdict)
        lines.append("| " + " | ".join(str(c).replace("|", "/").replace("\n", " ") for c in cells) + " |")
    return "\n".join(lines) + "\n"


def measured(row: Row) -> str:
    """The figures of a row in words: the worst of its runs, and how the twins ended."""
    if not row.runs:
        return "-"
    parts = [", ".join(sorted({r.code or "no result" for r in row.runs}))]
    for name, values in (
        ("still after", [r.still_s for r in row.runs] if row.fault.limits.still_s is not None else []),
        ("result after", [r.returns_s for r in row.runs]),
        ("question", [r.answer_s for r in row.runs] if row.fault.limits.answers else []),
        ("instruction", [r.plan_s for r in row.runs] if row.fault.limits.answers else []),
    ):
        if values:
            parts.append(f"{name} {_s(None if None in values else max(v for v in values if v is not None))}")
    for key in row.runs[-1].figures:
        parts.append(f"{key} {', '.join(str(r.figures.get(key, '-')) for r in row.runs)}")
    good = sum(not twin_problems(row.fault, t) for t in row.twins)
    parts.append(f"twins well {good} of {len(row.twins)}")
    return "; ".join(parts)


def _s(seconds: float | None) -> str:
    return "no end" if seconds is None else f"{seconds:.2f} s"
