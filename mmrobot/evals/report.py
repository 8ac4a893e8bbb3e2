"""The report of a suite: one HTML file that needs nothing else."""

from __future__ import annotations

import base64
import html
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmrobot.evals.report_style import PAGE, STYLE
from mmrobot.evals.results import EpisodeResult

MAX_PICTURES = 24
_PARTS = {
    "language": "the words were not understood, or made another plan",
    "ground": "the wrong thing, none or several were found",
    "gate": "planned, but refused by a rule or out of reach",
    "grasp": "the hand did not get hold of it",
    "place": "it did not end where it should",
    "model": "the model gave no usable answer",
    "error": "a fault of the machinery",
}


def write_report(
    folder: Path, summary: Mapping[str, Any], runs: Mapping[str, Sequence[EpisodeResult]], pictures: Path
) -> Path:
    """Writes `report.html` into the folder; `runs` maps ablations ("" for none) to their results."""
    sections = [_head(summary)]
    for name, results in runs.items():
        figures = summary if len(runs) == 1 else summary["ablations"][name]
        sections += [_cells(name, figures), _failures(figures), _timings(figures)]
        sections.append(_worst([r for r in results if not r.passed], pictures))
        sections.append(_episodes(results))
    path = folder / "report.html"
    path.write_text(
        PAGE.format(title=_title(summary), style=STYLE, body="\n".join(sections)), encoding="utf-8"
    )
    return path


def _title(summary: Mapping[str, Any]) -> str:
    return html.escape(f"mmrobot evaluation: {summary['model']}")


def _head(summary: Mapping[str, Any]) -> str:
    overall = summary["overall"]
    low, high = overall["wilson95"]
    ablated = ", ".join(summary["ablate"]) or "none: the whole robot"
    facts = [
        ("model", summary["model"]),
        ("ablation", ablated),
        ("episodes", overall["n"]),
        ("seeds from", summary["seed"]),
        ("wall time", f"{summary['wall_s']:.0f} s"),
    ]
    chips = "".join(f"<li><b>{html.escape(str(v))}</b><span>{k}</span></li>" for k, v in facts)
    return f"""<header>
<p class="brand">mmrobot <span>evaluation</span></p>
<div class="headline"><div class="big">{_percent(overall["success"])}</div>
<div><h1>of tasks carried out, judged by physics</h1>
<p>95 % interval {_percent(low)} to {_percent(high)}, n = {overall["n"]}.
Strict (nothing else moved over 2 cm): {_percent(overall["strict"]["success"])}.
Claimed done but was not: {_percent(overall["false_success"]["success"])}.</p></div></div>
<ul class="facts">{chips}</ul></header>"""


def _cells(name: str, figures: Mapping[str, Any]) -> str:
    rows = []
    for family, levels in figures["families"].items():
        for level, c in levels.items():
            rows.append(
                f"<tr><td>{html.escape(family)}</td><td>{level}</td><td class=n>{c['n']}</td>"
                f"<td class=n><b>{_percent(c['success'])}</b></td><td>{_bar(c)}</td>"
                f"<td class=n>{_percent(c['strict']['success'])}</td>"
                f"<td class=n>{_percent(c['false_success']['success'])}</td>"
                f"<td class=n>{c['retries']}</td><td>{_counts(c['outcomes'])}</td></tr>"
            )
    heading = f"Success: {html.escape(name)}" if name else "Success by family and level"
    return f"""<section><h2>{heading}</h2><table>
<thead><tr><th>family</th><th>level</th><th class=n>n</th><th class=n>success</th>
<th>95 % Wilson interval</th>
<th class=n>strict</th><th class=n>false success</th><th class=n>retries</th><th>outcomes</th></tr></thead>
<tbody>{"".join(rows)}</tbody></table></section>"""


def _bar(c: Mapping[str, Any]) -> str:
    """The rate as a dot on its interval, from 0 to 100 %."""
    low, high = (100 * v for v in c["wilson95"])
    at = 100 * c["success"]
    return (
        f'<div class="bar" title="{low:.1f} to {high:.1f} %">'
        f'<i style="left:{low:.2f}%;width:{high - low:.2f}%"></i>'
        f'<b style="left:{at:.2f}%"></b></div><small>{low:.1f} to {high:.1f} %</small>'
    )


def _failures(figures: Mapping[str, Any]) -> str:
    parts = figures["overall"]["failed_part"]
    total = sum(parts.values())
    if not total:
        return "<section><h2>What failed</h2><p class=good>Nothing: every episode passed.</p></section>"
    rows = "".join(
        f"<tr><td>{html.escape(part or '?')}</td><td class=n>{count}</td>"
        f'<td><div class="meter"><i style="width:{100 * count / total:.1f}%"></i></div></td>'
        f"<td>{_PARTS.get(part, '')}</td></tr>"
        for part, count in sorted(parts.items(), key=lambda item: -item[1])
    )
    return f"""<section><h2>What failed</h2><table><thead><tr><th>part</th><th class=n>episodes</th>
<th>share of failures</th><th>meaning</th></tr></thead><tbody>{rows}</tbody></table></section>"""


def _timings(figures: Mapping[str, Any]) -> str:
    c = figures["overall"]
    rows = [("episode, simulated s", c["simulated_s"]), ("episode, wall s", c["wall_s"])]
    rows += [(f"{stage}, ms", values) for stage, values in c["timings_ms"].items()]
    cells = "".join(
        f"<tr><td>{html.escape(name)}</td>"
        + "".join(f"<td class=n>{v.get(p, '')}</td>" for p in ("p50", "p95", "p99"))
        + "</tr>"
        for name, v in rows
        if v
    )
    return f"""<section><h2>Time</h2><table class="narrow"><thead><tr><th>stage</th><th class=n>p50</th>
<th class=n>p95</th><th class=n>p99</th></tr></thead><tbody>{cells}</tbody></table></section>"""


def _worst(failed: Sequence[EpisodeResult], pictures: Path) -> str:
    """Failures with pictures: silent ones (claimed done) first."""
    ordered = sorted(failed, key=lambda r: (not r.claimed, r.outcome != "wrong", r.name))[:MAX_PICTURES]
    if not ordered:
        return ""
    cards = "".join(_card(r, pictures) for r in ordered)
    shown = f"{len(ordered)} of {len(failed)}" if len(failed) > len(ordered) else str(len(failed))
    return f"<section><h2>Worst cases ({shown})</h2><div class=cards>{cards}</div></section>"


def _card(r: EpisodeResult, pictures: Path) -> str:
    plan = "".join(f"<li>{html.escape(step)}</li>" for step in r.plan) or "<li>no plan</li>"
    false = '<em class="tag bad">claimed done</em>' if r.claimed else ""
    return f"""<article>{_picture(r, pictures)}<div><h3>“{html.escape(r.instruction)}”</h3>
<p><em class="tag">{html.escape(r.outcome)}</em><em class="tag">{html.escape(r.part)}</em>{false}
<code>{html.escape(r.name)}</code></p><p>{html.escape(r.reason)}</p><ol>{plan}</ol></div></article>"""


def _picture(r: EpisodeResult, pictures: Path) -> str:
    file = pictures / r.picture if r.picture else None
    if file is None or not file.is_file():
        return "<div class=nopic>no picture</div>"
    data = base64.b64encode(file.read_bytes()).decode()
    return f'<img alt="what the robot saw, with its plan" src="data:image/jpeg;base64,{data}">'


def _episodes(results: Sequence[EpisodeResult]) -> str:
    rows = "".join(
        f"<tr class={'pass' if r.passed else 'fail'}><td><code>{html.escape(r.name)}</code></td>"
        f"<td>{html.escape(r.instruction)}</td><td>{'passed' if r.passed else 'failed'}</td>"
        f"<td>{html.escape(r.outcome)}</td><td>{html.escape(r.reason)}</td>"
        f"<td class=n>{r.simulated_s:.1f}</td></tr>"
        for r in results
    )
    return f"""<section><details><summary>All {len(results)} episodes</summary><table><thead><tr><th>name</th>
<th>instruction</th><th>verdict</th><th>outcome</th><th>reason</th><th class=n>simulated s</th></tr></thead>
<tbody>{rows}</tbody></table></details></section>"""


def _counts(counts: Mapping[str, int]) -> str:
    ordered = sorted(counts.items(), key=lambda item: -item[1])
    return " ".join(f'<em class="tag">{html.escape(name)} {n}</em>' for name, n in ordered)


def _percent(rate: float) -> str:
    return f"{100 * rate:.1f} %"
