""" "Put this there", said while pointing: each such word gets the name of what is pointed at.

point_out("put this cube in that", ["the red cube", "the blue bowl"]) -> "put the red cube in the blue bowl"
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from mmrobot.errors import InvalidInstructionError

_THINGS = frozenset("this that these those".split())
_PLACES = frozenset("here there".split())
# What a thing's own words end at: "this [cube] in that [bowl] on the left".
_ENDS = frozenset(
    """in on at to into onto of from with near next beside behind under above by up down away over and then or
    here there this that back please now left right forward off is are was has lies stands out too also
    between first again instead but""".split()
)
# "The cube that is red": the word joins, and points at nothing.
_JOINS = frozenset("is are was were has lies lie stands stand you i we they looks look".split())
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*|[^\w\s]")
_FALLBACK = "it"


@dataclass(frozen=True)
class Pointed:
    """What somebody points at: `name` as in "put it in `name`"; `into` how things go there, "in" or "on"."""

    name: str
    into: str = "on"


def point_out(text: str, pointed: Sequence[Pointed]) -> str:
    """The words with names for "this", "that", "here" and "there", in their order.

    Raises InvalidInstructionError where more is pointed at than such words are said, or less.

    >>> point_out("put this there", [Pointed("the red cube"), Pointed("the blue bowl", "in")])
    'put the red cube in the blue bowl'
    """
    if not pointed:
        return text
    said = _WORD.findall(text)
    places = _spoken(said)
    if len(places) > len(pointed):
        places = [i for i in places if not _joins(said, i)]
    if not places and len(pointed) == 1:
        places = [i for i, w in enumerate(said) if w.lower() == _FALLBACK][:1]
    if len(places) != len(pointed):
        raise InvalidInstructionError(
            f"{len(pointed)} things are pointed at, and '{text[:60]}' says this, that, "
            f"here or there {len(places)} times",
            "say one such word for each thing that you point at",
        )
    made: list[str] = []
    i = 0
    for place, what in zip(places, pointed, strict=True):
        made += said[i:place]
        i = place + 1
        if said[place].lower() in _PLACES:
            # "over there", "in there", "right here": the place says itself how.
            while made and made[-1].lower() in (
                "over",
                "in",
                "on",
                "into",
                "onto",
                "right",
                "down",
                "to",
                "up",
            ):
                made.pop()
            made += [what.into, what.name]
            continue
        while i < len(said) and said[i].lower() not in _ENDS and said[i][0].isalnum():
            i += 1
        made.append(what.name)
    made += said[i:]
    return re.sub(r"\s+([.,!?;:])", r"\1", " ".join(made))


def _spoken(said: Sequence[str]) -> list[int]:
    return [i for i, w in enumerate(said) if w.lower() in _THINGS | _PLACES]


def _joins(said: Sequence[str], i: int) -> bool:
    following = said[i + 1].lower() if i + 1 < len(said) else ""
    return (said[i].lower() == "that" and following in _JOINS) or (
        said[i].lower() == "there" and following in ("is", "are")
    )
