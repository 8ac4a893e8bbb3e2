"""The tables of the report, each a section; an empty string where there is nothing to tell."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from mmrobot.evals.asking import GOT, asking, confusion
from mmrobot.evals.report_parts import bar, change, percent, rate, section, table, tags
from mmrobot.evals.results import EpisodeResult

_PARTS = {
    "language": "the words were not understood, or made another plan",
    "ground": "the wrong thing, none or several were found",
    "plan": "the right thing, but no room, path or permission for it",
    "grasp": "the hand did not get hold of it, and noticed",
    "place": "it did not end where it should, and the robot noticed",
    "verify": "it ended wrong after a right plan, and was called done",
    "model": "the model gave no usable answer",
    "error": "a fault of the machinery",
}


def cells(name: str, figures: Mapping[str, Any]) -> str:
    """Strict success by family and level, and all figures of each cell below."""
    families = figures["families"]
    levels = list(dict.fromkeys(level for row in families.values() for level in row))
    grid = table(
        [("family", False), *((level, False) for level in levels)],
        (
            [f"<b>{html.escape(family)}</b>", *(_cell(row.get(level)) for level in levels)]
            for family, row in families.items()
        ),
        "grid",
    )
    every = table(
        [("family", False), ("level", False), ("n", True), ("carried out", True), ("strict", True),
         ("without a sentence read back", True), ("read back: yes, no", True),
         ("goals met", True), ("said done, was not", True), ("over 5 N", True), ("retries", True),
         ("outcomes", False)],
        (
            [html.escape(family), level, str(c["n"]), percent(c["success"]), percent(c["strict"]["success"]),
             percent(c["unaided"]["success"]), _read_back(c["read_back"]),
             percent(c["credit"]), str(c["false_success"]["passed"]), str(c["collided"]["passed"]),
             str(c["retries"]), tags(c["outcomes"])]
            for family, row in families.items()
            for level, c in row.items()
        ),
    )  # fmt: skip
    heading = f"Success: {html.escape(name)}" if name else "Strict success by family and level"
    gone = _vanished(figures)
    more = gone + f"<details><summary>All figures of each cell</summary>{every}</details>"
    return section(
        heading,
        grid + more,
        "Strict: carried out, and nothing outside of the task moved by more than 2 cm. The dot is the rate, "
        "the band its 95 % interval.",
    )


def _read_back(counts: Mapping[str, int]) -> str:
    """How often the person said yes and no; "-" where nothing was read back."""
    return f"{counts.get('yes', 0)}, {counts.get('no', 0)}" if counts else "-"


def _vanished(figures: Mapping[str, Any]) -> str:
    """Families of which every episode was left out: they must not vanish in silence."""
    out = figures.get("not_doable", {}).get("episodes", {})
    families = sorted({name.rsplit("_L", 1)[0] for name in out} - set(figures["families"]))
    if not families:
        return ""
    return f"<p class=doubt>No episode of {', '.join(map(html.escape, families))} could be done.</p>"


def _cell(c: Mapping[str, Any] | None) -> str:
    if c is None:
        return "<small>none</small>"
    return f"{rate(c['strict'])}{bar(c['strict'])}"


def controls(summary: Mapping[str, Any]) -> str:
    """The robot without something, or with something perfect, on the same episodes."""
    rows = summary.get("controls")
    if not rows:
        return ""
    body = table(
        [("the robot ...", False), ("strict", False), ("", False), ("against the whole", False),
         ("asked, refused", True), ("said done, was not", True)],
        (
            [f"{html.escape(r['says'])}<br><code>{r['name']}</code>", rate(r["strict"]), bar(r["strict"]),
             change(r["gap"]), percent(r["stopped"]["success"]), str(r["false_success"]["passed"])]
            for r in rows
        ),
        "wide",
    )  # fmt: skip
    return section(
        "What success rests on",
        body,
        "Each row plays the same episodes as the whole robot. What is still right without sight or words was "
        "guessed; what true parts add is what those parts lose. Changes are paired; coloured where the 95 % "
        "interval leaves out zero.",
    )


def stress(summary: Mapping[str, Any]) -> str:
    """One small table, grouped by axis."""
    rows = summary.get("stress")
    if not rows:
        return ""
    lines, last = [], ""
    for r in rows:
        axis = "" if r["axis"] == last else f"<b>{html.escape(r['axis'])}</b>"
        last = r["axis"]
        if r["must_stop"]:
            middle = [rate(r["stopped"]), bar(r["stopped"]), "asked or stopped"]
        else:
            middle = [rate(r["strict"]), bar(r["strict"]), change(r["gap"])]
        lines.append([axis, html.escape(r["says"]), *middle, str(r["false_success"]["passed"])])
    body = table(
        [("what", False), ("how much", False), ("strict", False), ("", False), ("change", False),
         ("said done, was not", True)],
        lines,
        "tight",
    )  # fmt: skip
    plain = rows[0]["full"]
    return section(
        "In a harder world",
        body,
        f"pick and put_in at L0, the same episodes as in the plain world, where {percent(plain['success'])} "
        f"of {plain['n']} succeed. Without colour it must ask or stop: there that is counted.",
    )


def pairs(summary: Mapping[str, Any]) -> str:
    """Counterfactual pairs."""
    found = summary.get("counterfactuals")
    if not found:
        return ""
    says = {
        "words": "the same scene, one colour word changed: another thing must be taken",
        "picture": "the same words, the thing painted another colour: nothing must be taken",
    }
    body = table(
        [("pair", False), ("the plan changed", False), ("both plans right", False)],
        ([says[kind], rate(c["changed"]), rate(c["right"])] for kind, c in found.items()),
    )
    return section("Pairs that differ in one thing", body, "Planned over a picture, not carried out.")


def pointing(summary: Mapping[str, Any]) -> str:
    """The threshold of pointing: used and conformal."""
    found = summary.get("pointing")
    if not found:
        return ""
    rows = [("used by the robot", found["used"])]
    rows += [(f"conformal, promises {percent(c['promised'])}", c) for c in found["conformal"]]
    body = table(
        [("threshold", False), ("at", True), ("the thing meant is above it", False),
         ("asks or refuses though clear", False), ("takes a wrong thing", False)],
        (
            [name, f"{c['threshold']:.3f}", rate(c["coverage"]), rate(c["false_ask"]), rate(c["false_act"])]
            for name, c in rows
        ),
    )  # fmt: skip
    return section(
        "How sure is sure enough",
        body,
        f"Over {found['phrases']} phrases of unseen scenes. Conformal thresholds are fitted on "
        f"{found['calibration_phrases']} phrases of seeds below 1,000,000, so that the thing meant lies "
        "above them as often as promised.",
    )


def outcomes(results: Sequence[EpisodeResult]) -> str:
    """Expected outcome against what came of it."""
    rows = confusion(results)
    if not rows:
        return ""
    seen = [g for g in GOT if any(row[g] for row in rows.values())]

    def cell(expected: str, got: str, count: int) -> str:
        if not count:
            return "<small>0</small>"
        return f"<b class={'good' if expected == got else 'bad'}>{count}</b>"

    body = table(
        [("expected", False), *((g, True) for g in seen)],
        ([f"<b>{e}</b>", *(cell(e, g, row[g]) for g in seen)] for e, row in rows.items()),
        "narrow",
    )
    return section(
        "Expected and got",
        body,
        "Outcomes, as far as they go: the right outcome about the wrong thing is no pass. Collision: failed, "
        "having run into something over 5 N.",
    )


def asked_and_refused(results: Sequence[EpisodeResult]) -> str:
    """Precision and recall of questions and refusals."""
    a = asking(results)
    if not any(a[k]["recall"]["n"] or a[k]["precision"]["n"] for k in ("clarify", "refuse")):
        return ""
    body = table(
        [("", False), ("right, of those made", False), ("made, of those needed", False)],
        (
            [f"<b>{says}</b>", rate(a[kind]["precision"]), rate(a[kind]["recall"])]
            for kind, says in (
                ("clarify", "questions"),
                ("which", "questions, without sentences read back"),
                ("refuse", "refusals"),
            )
        ),
        "narrow",
    )
    said = a["read_backs"]
    return section(
        "When it asks and when it refuses",
        body,
        f"Asked though all was clear: {percent(a['unneeded']['success'])} of {a['unneeded']['n']}; "
        f"{percent(a['unneeded_which']['success'])} asked which thing, {percent(a['read_back']['success'])} "
        f"read the words back. Read back in all: {sum(said.values())}; the person, who knows what was meant, "
        f"said yes {said['yes']} times and no {said['no']} times, and {said['unanswered']} times nobody was "
        f"there to answer. Refused what could be done: {percent(a['over_refused']['success'])}.",
    )


def failures(results: Sequence[EpisodeResult]) -> str:
    """By the part that failed, as the judge finds by comparing with the truth afterwards."""
    failed = [r for r in results if not r.passed]
    if not failed:
        return section("What failed", "<p class=good>Nothing: every episode passed.</p>")
    parts = Counter(r.part for r in failed)
    claimed = Counter(r.part for r in failed if r.claimed)
    rows = (
        [html.escape(part or "?"), str(n),
         f'<div class="meter"><i style="width:{100 * n / len(failed):.1f}%"></i></div>',
         str(claimed[part]), _PARTS.get(part, "")]
        for part, n in parts.most_common()
    )  # fmt: skip
    body = table(
        [("part", False), ("episodes", True), ("share", False), ("said done", True), ("meaning", False)], rows
    )
    return section(
        "What failed", body, "Decided after the episode, by comparing plan and end with the truth."
    )


def timings(figures: Mapping[str, Any]) -> str:
    """Percentiles."""
    c = figures["overall"]
    rows = [("episode, simulated s", c["simulated_s"]), ("episode, wall s", c["wall_s"])]
    named = {"total": "instruction to checked plan"}
    rows += [(f"{named.get(stage, stage)}, ms", values) for stage, values in c["timings_ms"].items()]
    body = table(
        [("stage", False), ("p50", True), ("p95", True), ("p99", True)],
        ([html.escape(name), *(str(v.get(p, "")) for p in ("p50", "p95", "p99"))] for name, v in rows if v),
        "narrow",
    )
    return section("Time", body)


def not_doable(summary: Mapping[str, Any]) -> str:
    """Episodes that the oracle fails."""
    judged, episodes = summary["not_doable"]["judged"], summary["not_doable"]["episodes"]
    if not judged:
        return ""
    said = (
        f"{judged} episodes were also played with true sight, the right plan and our arm. What even this "
        "fails is not counted above, whether the robot passed it or not. Questions, choices and refusals "
        "have no such script and are counted as they are."
    )
    if not episodes:
        return section("Not doable: none", "", said)
    rows = ([f"<code>{html.escape(n)}</code>", html.escape(why)] for n, why in episodes.items())
    return section(f"Not doable: {len(episodes)}", table([("episode", False), ("why", False)], rows), said)
