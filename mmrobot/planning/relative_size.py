""" "The small cube" where nothing is as small as the model has learned small to be: it is so beside its like.

Words of size compare with the other things that the same words would name (Kennedy 2007,
doi:10.1007/s10988-006-9008-0), and people say them of the only cube that there is. So a thing that is pointed
out and not found is looked for by its other words. Sets ("all large cubes") and questions keep the strict
sense.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from mmrobot.planning.nouns import named
from mmrobot.types import GroundedObject

_LARGE = frozenset("large big huge giant bulky massive oversized bigger larger".split())
_SMALL = frozenset("small little tiny mini miniature petite minute wee smaller".split())
_DEGREES = frozenset("very quite really rather sized".split())
_CLEARLY = 1.2
"""Times the volume of the next: less does not tell two things apart by eye."""


def without_size(phrase: str) -> str | None:
    """A phrase without the one word of size in it; None where there is none, or more than one."""
    said = phrase.replace("-", " ").split()
    sizes = [i for i, w in enumerate(said) if w.lower() in _LARGE | _SMALL]
    if len(sizes) != 1 or len(said) == 1:
        return None
    at = sizes[0]
    beside = {i for i in (at - 1, at + 1) if 0 <= i < len(said) and said[i].lower() in _DEGREES}
    return " ".join(w for i, w in enumerate(said) if i != at and i not in beside)


def clearly(phrase: str, candidates: Sequence[GroundedObject]) -> list[GroundedObject]:
    """Of those that answer to the phrase but for its size, the one that is meant: the only one, or that which
    is clearly the smallest (or largest) where the size is the named thing's own; else none."""
    if len(candidates) < 2:
        return list(candidates)
    own = {w.lower() for w in named(phrase.replace("-", " "))}
    if not own & (_LARGE | _SMALL):
        return []
    order = sorted(candidates, key=lambda c: prod(c.size_m), reverse=bool(own & _LARGE))
    first, second = (prod(c.size_m) for c in order[:2])
    return order[:1] if max(first, second) >= _CLEARLY * min(first, second) else []
