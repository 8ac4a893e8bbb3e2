"""The report of a suite: one HTML file that needs nothing else, what matters most first."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmrobot.evals.report_cases import worst_cases
from mmrobot.evals.report_parts import chips, interval, percent, points, section, short, signed
from mmrobot.evals.report_style import PAGE, STYLE
from mmrobot.evals.report_tables import (
    asked_and_refused,
    cells,
    controls,
    failures,
    not_doable,
    outcomes,
    pairs,
    pointing,
    stress,
    timings,
)
from mmrobot.evals.results import EpisodeResult
from mmrobot.evals.suite_plan import SuiteOptions, SuitePlan
from mmrobot.vlm.interface import VisionLanguageModel


def write_report(
    options: SuiteOptions,
    plan: SuitePlan,
    summary: Mapping[str, Any],
    runs: Mapping[str, Sequence[EpisodeResult]],
    vlm: VisionLanguageModel | None,
) -> Path:
    """Writes `report.html` into the folder of `options`; `runs` maps conditions ("" for none) to the results
    that count. `vlm` plays the few episodes that are filmed."""
    assert options.out is not None
    body = [_head(options, summary)]
    # A suite's controls have their table; ablations that were asked for are reports of their own.
    shown = {"": runs[""]} if options.suite else runs
    for name, results in shown.items():
        figures = summary["ablations"][name] if "ablations" in summary else summary
        body.append(cells(name, figures))
        if options.suite:
            body += [controls(summary), stress(summary), pairs(summary), pointing(summary)]
        body += [outcomes(results), asked_and_refused(results), failures(results)]
        body.append(worst_cases(options, plan, name, results, vlm))
        body.append(timings(figures))
        if name == next(iter(shown)):
            body.append(not_doable(summary))
        body.append(_episodes(results))
    path = options.out / "report.html"
    title = html.escape(f"mmrobot evaluation: {summary['model']}")
    text = PAGE.format(title=title, style=STYLE, body="\n".join(part for part in body if part))
    path.write_text(text, encoding="utf-8")
    return path


def _head(options: SuiteOptions, summary: Mapping[str, Any]) -> str:
    overall, strict = summary["overall"], summary["overall"]["strict"]
    gap = summary.get("grounding_gap")
    big = [
        (
            percent(strict["success"]),
            "carried out, and nothing else moved",
            f"strict success, {interval(strict)}",
        )
    ]
    if gap is not None:
        low, high = gap["interval95"]
        without = {"blind": "when it cannot see", "text": "when it hears gibberish"}[gap["better"]]
        whole = (gap["both"] + gap["only_first"]) / gap["n"]
        big.append(
            (
                points(gap["difference"]),
                f"lost {without}",
                f"grounding gap, {signed(low)} to {signed(high)}: the whole robot's {percent(whole)} less "
                f"the better of blind and deaf, on the same {gap['n']} episodes",
            )
        )
    numbers = "".join(
        f'<div class="headline"><div class="big">{number}</div><div><h1>{what}</h1><p>{more}</p></div></div>'
        for number, what, more in big
    )
    said = (
        f"Carried out: {percent(overall['success'])}, {percent(overall['unaided']['success'])} without a "
        f"sentence read back and answered. Share of goals met: {percent(overall['credit'])}. "
        f"Called done but was not: {percent(overall['false_success']['success'])} "
        f"({overall['false_success']['passed']} of {overall['n']}). "
        f"Ran into something over 5 N: {percent(overall['collided']['success'])}."
    )
    return f"""<header><p class="brand">mmrobot <span>evaluation</span></p>
<div class="headlines">{numbers}</div><p>{said}</p>
{chips(_facts(options, summary))}{_doubts(summary)}</header>"""


def _facts(options: SuiteOptions, summary: Mapping[str, Any]) -> list[tuple[str, str]]:
    facts = [
        ("model", str(summary["model"])),
        ("what it answers, by hash", str(summary.get("answers") or "-")),
        ("suite", options.suite or "as given"),
        ("condition", ", ".join(summary["ablate"]) or "the whole robot"),
        ("episodes", str(summary["overall"]["n"])),
        ("seeds from", str(summary["seed"])),
        ("manifest", short(summary["manifest"])),
        ("code", ", ".join(summary["code"]) or "-"),
    ]
    if summary["episodes_per_hour"]:
        facts.append(("episodes an hour", str(summary["episodes_per_hour"])))
    repeats = summary.get("repeats")
    if repeats:
        same = repeats["n"] - len(repeats["differ"])
        facts.append(("played twice, alike", f"{same} of {repeats['n']}"))
    return facts


def _doubts(summary: Mapping[str, Any]) -> str:
    """What a reader must know before believing the figures."""
    doubts = []
    if len(summary["code"]) > 1:
        doubts.append("The code was changed while this was played: figures mix its versions.")
    differ = (summary.get("repeats") or {}).get("differ")
    if differ:
        doubts.append(f"Played twice, these went differently: {', '.join(differ)}.")
    if summary["left_out"]:
        doubts.append(f"{len(summary['left_out'])} episodes could not be made: {_some(summary['left_out'])}.")
    if summary["overall"]["outcomes"].get("error"):
        doubts.append(f"{summary['overall']['outcomes']['error']} episodes ended in faults of the machinery.")
    return "".join(f'<p class="doubt">{html.escape(d)}</p>' for d in doubts)


def _some(names: Mapping[str, str]) -> str:
    first = ", ".join(list(names)[:4])
    return f"{first}, ..." if len(names) > 4 else first


def _episodes(results: Sequence[EpisodeResult]) -> str:
    rows = "".join(
        f"<tr class={'pass' if r.passed else 'fail'}><td><code>{html.escape(r.name)}</code></td>"
        f"<td>{html.escape(r.instruction)}</td><td>{'passed' if r.passed else 'failed'}</td>"
        f"<td>{html.escape(r.outcome)}</td><td>{html.escape(r.reason)}</td>"
        f"<td class=n>{r.simulated_s:.1f}</td></tr>"
        for r in results
    )
    return section(
        "",
        f"""<details><summary>All {len(results)} episodes</summary><table><thead><tr><th>name</th>
<th>instruction</th><th>verdict</th><th>outcome</th><th>reason</th><th class=n>simulated s</th></tr></thead>
<tbody>{rows}</tbody></table></details>""",
    )
