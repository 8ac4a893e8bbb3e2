"""Which of the things seen now is one that was known before, by place alone."""

from __future__ import annotations

import math
from collections.abc import Sequence

from mmrobot.planning.table import distance_m, like_size, no_larger
from mmrobot.types import GroundedObject

_SAME_SPOT_M = 0.03


def stands_anew(thing: GroundedObject, others: Sequence[GroundedObject]) -> bool:
    """Whether none of the `others`, as they were known, stands where a thing is seen."""
    return bool(others) and all(distance_m(thing.position_m, o.position_m) > _SAME_SPOT_M for o in others)


def seen_in_place(
    known: GroundedObject, others: Sequence[GroundedObject], things: Sequence[GroundedObject], reach_m: float
) -> GroundedObject | None:
    """What stands where `known` was put, if it is none of the `others` known beside it.

    Whoever was known nearest to a thing seen is that thing, nearest pairs first: a ball that rolled a
    little is still the ball, and not what was to come to lie near it. What was just put there may be half
    hidden by a rim, so for it no more is asked than not to be larger.
    """
    wanted = [*others, known]
    pairs = sorted(
        (math.dist(w.position_m, t.position_m), i, j)
        for i, w in enumerate(wanted)
        for j, t in enumerate(things)
        if (no_larger(t, w) if w is known else like_size(t, w))
    )
    taken: set[int] = set()
    found: set[int] = set()
    for apart_m, i, j in pairs:
        if apart_m > reach_m or i in taken or j in found:
            continue
        if wanted[i] is known:
            return things[j]
        taken.add(i)
        found.add(j)
    return None
