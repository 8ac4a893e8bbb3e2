"""Undo: the moves of the last plan, taken back in the opposite order."""

from __future__ import annotations

from collections.abc import Sequence

from mmrobot.errors import NotUnderstoodError
from mmrobot.planning.pins import Pins
from mmrobot.planning.planner import Moved, distance_m
from mmrobot.planning.referents import distinct_names
from mmrobot.types import DraftStep, PlanDraft

_SAME_PLACE_M = 0.03


def net(moves: Sequence[Moved]) -> list[Moved]:
    """Each thing once: as it stands after all of one plan's moves, and as it stood before the first."""
    made: dict[tuple[float, ...], Moved] = {}
    for now, before in moves:
        # One plan rests on one picture: a thing keeps its box in it.
        first = made.pop(now.box_xyxy, None)
        made[now.box_xyxy] = (now, before if first is None else first[1])
    return [m for m in made.values() if distance_m(m[0].position_m, m[1].position_m) > _SAME_PLACE_M]


def undoing(moves: Sequence[Moved], holds: bool) -> tuple[PlanDraft, Pins]:
    """The draft that takes `moves` (net ones, still seen where they ended) back, the last first, and what its
    phrases are bound to. What the hand `holds` goes back before all.

    Raises NotUnderstoodError where there is nothing to undo.
    """
    first = (DraftStep("put_back", target="it"),) if holds else ()
    if not moves and not holds:
        raise NotUnderstoodError("nothing was moved that could be undone", "say what is to be done")
    names = distinct_names([now for now, _ in moves])
    pins = Pins(dict(zip(names, (now for now, _ in moves), strict=True)))
    if len(moves) == 2 and _exchanged(*moves):
        return PlanDraft((*first, DraftStep("swap", target=names[0], reference=names[1]))), pins
    back = tuple(DraftStep("put_back", target=name) for name in reversed(names))
    return PlanDraft((*first, *back)), pins


def _exchanged(a: Moved, b: Moved) -> bool:
    """Whether two things stand where the other one stood."""
    return all(
        distance_m(now.position_m, before.position_m) < _SAME_PLACE_M
        for now, before in ((a[0], b[1]), (b[0], a[1]))
    )
