"""Answers of mmrobot-nano in words: what was asked for, said of the objects that it points at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

NOTHING = "nothing"
_NUMBERS = ("", "", "two", "three", "four", "five", "six", "seven", "eight", "nine")


@dataclass(frozen=True)
class Seen:
    """An object as the model sees it; `x` in [0, 1] across the picture orders what is listed."""

    color: str
    shape: str
    size: str
    label: str = ""
    x: float = 0.0

    @property
    def name(self) -> str:
        """Colour and shape, and the print where there is one."""
        return f"{self.color} {self.shape}" + (f" marked {self.label}" if self.label else "")


def answer_text(kind: str, holds: float, things: Sequence[Seen]) -> str:
    """`kind` is one of QUESTION_KINDS, `holds` the probability of yes, `things` those pointed at."""
    if kind == "yes_no":
        return "yes" if holds >= 0.5 else "no"
    if kind == "count":
        return str(len(things))
    ordered = sorted(things, key=lambda t: t.x)
    if kind == "name":
        said = _named(ordered)
    else:
        said = list(dict.fromkeys(v for v in (str(getattr(t, kind)) for t in ordered) if v))
    return _listed(said) if said else NOTHING


def _named(things: Sequence[Seen]) -> list[str]:
    """Those alike are counted: "two red cubes"."""
    amounts = Counter((t.color, t.shape) for t in things)
    return [
        f"the {color} {shape}"
        if n == 1
        else f"{_NUMBERS[n] if n < len(_NUMBERS) else n} {color} {shape}s"
        for (color, shape), n in amounts.items()
    ]


def _listed(parts: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(parts[:-1]), parts[-1]]))
