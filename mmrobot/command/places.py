"""Words that send a mobile base to a place by its name: "drive to the kitchen"."""

from __future__ import annotations

import re
from collections.abc import Iterable

_GOES = re.compile(
    r"^(?:please |now |robot |can you |could you )*"
    r"(?:go|drive|navigate|move|head|roll|come|return|travel)(?: over| back| on)? (?:to|into|towards) "
    r"(?:the |my |our )?(?P<place>.+?)(?: please| now)*$"
)


def named_place(words: str, places: Iterable[str]) -> str | None:
    """The configured place that words ask to drive to; None where they ask for something else.

    >>> named_place("Drive to the kitchen, please!", ["kitchen"]), named_place("go home", ["kitchen"])
    ('kitchen', None)
    """
    said = " ".join(re.findall(r"[^\W_]+", words.lower()))
    found = _GOES.match(said)
    if found is None:
        return None
    asked = found["place"]
    return next((name for name in places if _plain(name) == asked), None)


def _plain(name: str) -> str:
    return " ".join(re.findall(r"[^\W_]+", name.lower()))
