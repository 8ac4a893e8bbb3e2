"""Phrases that are bound to things and spots already: what was pointed at, moved before, or planned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from mmrobot.types import GroundedObject

Spot = tuple[float, float]
"""x, y in metres of base_link, on the table."""
_ARTICLES = frozenset(("the", "a", "an"))


class Look(Protocol):
    """What is needed of a picture (mmrobot/looking.py)."""

    def find(self, phrase: str) -> list[GroundedObject]:
        """All that a phrase names."""

    def again(self, known: GroundedObject) -> GroundedObject:
        """A known thing in this picture; raises TargetNotFoundError, AmbiguousError."""


@dataclass(frozen=True)
class Pins:
    """`things` and `spots` by phrase; articles and case make no difference."""

    things: Mapping[str, GroundedObject] = field(default_factory=dict)
    spots: Mapping[str, Spot] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "things", {_key(k): v for k, v in self.things.items()})
        object.__setattr__(self, "spots", {_key(k): v for k, v in self.spots.items()})

    def find(self, look: Look, phrase: str) -> Sequence[GroundedObject]:
        """The thing that a phrase is bound to, as it is in this picture; else what the phrase names there.

        Raises TargetNotFoundError or AmbiguousError where a bound thing has gone.
        """
        known = self.things.get(_key(phrase))
        return look.find(phrase) if known is None else [replace(look.again(known), label=phrase)]

    def also(self, other: Pins) -> Pins:
        """Both; of a phrase that is bound twice, the other's."""
        return Pins({**self.things, **other.things}, {**self.spots, **other.spots})

    def spot(self, phrase: str) -> Spot | None:
        """The spot on the table that a phrase is bound to."""
        return self.spots.get(_key(phrase))


def _key(phrase: str) -> str:
    return " ".join(w for w in phrase.lower().split() if w not in _ARTICLES)
