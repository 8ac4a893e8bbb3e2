"""Small pieces of HTML that the report is made of: numbers, bars, tags, tables."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Column = tuple[str, bool]
"""Heading, and whether it holds numbers."""


def percent(rate: float) -> str:
    """0.958 as 95.8 %."""
    return f"{100 * rate:.1f} %"


def points(difference: float) -> str:
    """0.958 as 95.8 points, with a true minus."""
    return f"{signed(difference)} points"


def signed(difference: float) -> str:
    """0.958 as 95.8, with a true minus, and no minus before nothing."""
    return f"{round(100 * difference, 1) + 0.0:.1f}".replace("-", "\N{MINUS SIGN}")


def interval(c: Mapping[str, Any]) -> str:
    """The 95 % interval of a rate, and its n."""
    low, high = c["wilson95"]
    return f"{100 * low:.1f} to {100 * high:.1f} %, n = {c['n']}"


def short(digest: str) -> str:
    """The first digits of a hash."""
    return digest[:12]


def section(heading: str, body: str, note: str = "") -> str:
    """A card of the page."""
    title = f"<h2>{heading}</h2>" if heading else ""
    said = f"<p class=note>{note}</p>" if note else ""
    return f"<section>{title}{said}{body}</section>"


def chips(facts: Iterable[tuple[str, str]]) -> str:
    """Name and value, as a row of small cards."""
    items = "".join(f"<li><b>{html.escape(v)}</b><span>{html.escape(k)}</span></li>" for k, v in facts)
    return f'<ul class="facts">{items}</ul>'


def table(columns: Sequence[Column], rows: Iterable[Sequence[str]], kind: str = "") -> str:
    """Cells are HTML already."""
    head = "".join(f"<th{' class=n' if number else ''}>{name}</th>" for name, number in columns)
    body = "".join(
        "<tr>"
        + "".join(
            f"<td{' class=n' if number else ''}>{cell}</td>"
            for cell, (_, number) in zip(row, columns, strict=True)
        )
        + "</tr>"
        for row in rows
    )
    attribute = f' class="{kind}"' if kind else ""
    return f"<table{attribute}><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def bar(c: Mapping[str, Any]) -> str:
    """The rate as a dot on its interval, from 0 to 100 %."""
    low, high = (100 * v for v in c["wilson95"])
    at = 100 * c["success"]
    return (
        f'<div class="bar" title="{low:.1f} to {high:.1f} %">'
        f'<i style="left:{low:.2f}%;width:{high - low:.2f}%"></i>'
        f'<b style="left:{at:.2f}%"></b></div>'
    )


def rate(c: Mapping[str, Any]) -> str:
    """The rate, bold, with its interval below; a dash of nothing."""
    if not c["n"]:
        return "-"
    low, high = c["wilson95"]
    return f"<b>{percent(c['success'])}</b><br><small>{100 * low:.0f} to {100 * high:.0f}, n {c['n']}</small>"


def change(gap: Mapping[str, Any]) -> str:
    """What is lost against the whole robot; coloured where the interval leaves no doubt."""
    low, high = gap["interval95"]
    kind = "bad" if low > 0 else "good" if high < 0 else "soft"
    lost = points(-gap["difference"])
    return f"<b class={kind}>{lost}</b><br><small>{signed(-high)} to {signed(-low)}</small>"


def tags(counts: Mapping[str, int]) -> str:
    """Names with how often, the most frequent first."""
    ordered = sorted(counts.items(), key=lambda item: -item[1])
    return " ".join(f'<em class="tag">{html.escape(name or "?")} {n}</em>' for name, n in ordered if n)
