"""Which things of a set are still to be moved, in which order, and where each goes."""

from __future__ import annotations

import math
from collections.abc import Sequence

from mmrobot.errors import AmbiguousError, NotUnderstoodError, TargetNotFoundError
from mmrobot.planning.filling import contents_of
from mmrobot.planning.table import Table, distance_m
from mmrobot.planning.vessel import is_hollow
from mmrobot.types import DraftStep, GroundedObject

_COLORS = frozenset("red green blue yellow orange purple white black cyan pink brown grey gray".split())
# Undersides are seen this exactly.
_HEIGHT_M = 0.015


def moves_of(each: DraftStep, place: DraftStep, table: Table) -> list[tuple[int, int]]:
    """(thing, reference) of each move that makes `place` true of all that `each` means, in a good order.

    What is so already is left; what nothing stands on goes first, and the nearest. Raises
    TargetNotFoundError where there are none, or fewer than asked for; NotUnderstoodError where more are
    there already; AmbiguousError where a thing's own reference is open.
    """
    phrase, relation = each.target or "", place.relation or ""
    references = table.all(place.reference or "") if place.match else [table.one(place.reference or "")]
    members = [i for i in table.all(phrase) if i not in references]
    if not members:
        raise table.missing(phrase)
    pairs = _pairs(members, references, place.match, table, place.reference or "")
    todo = [(i, j) for i, j in pairs if not rests(relation, table.now[i], table.now[j])]
    if each.count is not None:
        todo = _so_many(each.count, pairs, todo, phrase)
    return sorted(todo, key=lambda pair: _order(pair[0], table))


def _so_many(
    count: int, pairs: Sequence[tuple[int, int]], todo: list[tuple[int, int]], phrase: str
) -> list[tuple[int, int]]:
    if len(pairs) < count:
        raise TargetNotFoundError(
            f"there are only {len(pairs)} of '{phrase}', {count} were asked for", "ask for fewer"
        )
    there = len(pairs) - len(todo)
    if there > count:
        raise NotUnderstoodError(
            f"{there} of '{phrase}' are there already, {count} were asked for", "say which to take away"
        )
    return todo[: count - there]


def _pairs(
    members: Sequence[int], references: Sequence[int], match: str | None, table: Table, phrase: str
) -> list[tuple[int, int]]:
    if match == "own_color":
        return [(i, _of_own_color(i, references, table, phrase)) for i in members]
    if match == "different":
        return _one_each(members, references, table, phrase)
    return [(i, references[0]) for i in members]


def _of_own_color(i: int, references: Sequence[int], table: Table, phrase: str) -> int:
    color = color_of(table.now[i], table)
    fitting = [j for j in references if color and color_of(table.now[j], table) == color]
    if not fitting:
        raise TargetNotFoundError(
            f"I see no '{phrase}' of the colour of '{table.now[i].label}'", "leave that one out, or add one"
        )
    if len(fitting) > 1:
        names = tuple(table.now[j].label for j in fitting)
        raise AmbiguousError(
            f"which {color} '{phrase}' is for '{table.now[i].label}'?", "name the place", candidates=names
        )
    return fitting[0]


def color_of(thing: GroundedObject, table: Table) -> str:
    """The colour in the model's own name of a thing, "" where it names none."""
    name = table.name_of(thing) or thing.label
    words = (w.replace("gray", "grey") for w in name.lower().replace("_", " ").split())
    return next((w for w in words if w in _COLORS), "")


def _one_each(
    members: Sequence[int], references: Sequence[int], table: Table, phrase: str
) -> list[tuple[int, int]]:
    """Each in a reference of its own: what lies alone in one stays, the rest go to the nearest free ones."""
    if len(members) > len(references):
        raise TargetNotFoundError(
            f"there are {len(members)} things for only {len(references)} of '{phrase}'",
            "ask for fewer things",
        )
    inside = {
        j: [i for i in range(len(table.now)) if i != j and rests("in", table.now[i], table.now[j])]
        for j in references
    }
    pairs = [(i, j) for i in members for j in references if inside[j][:1] == [i]]
    placed, used = {i for i, _ in pairs}, {j for _, j in pairs}
    free = sorted((j for j in references if j not in used), key=lambda j: len(inside[j]))
    for i in (i for i in members if i not in placed):
        empty = [j for j in free if len(inside[j]) == len(inside[free[0]])]
        j = min(empty, key=lambda k: distance_m(table.now[i].position_m, table.now[k].position_m))
        free.remove(j)
        pairs.append((i, j))
    return pairs


def rests(relation: str, thing: GroundedObject, reference: GroundedObject) -> bool:
    """Whether a thing already lies in or on a reference; never for other relations."""
    if relation not in ("in", "on") or not contents_of(reference, [thing]):
        return False
    floor = reference.bottom_z_m if is_hollow(reference) else reference.top_z_m - _HEIGHT_M
    inside_size = max(thing.size_m[:2]) < max(reference.size_m[:2]) or not is_hollow(reference)
    return (
        inside_size and thing.position_m[2] > reference.bottom_z_m and thing.bottom_z_m >= floor - _HEIGHT_M
    )


def _order(i: int, table: Table) -> tuple[int, float]:
    """What carries others comes after them; else the nearest to the robot first."""
    thing = table.now[i]
    above = [o for o in contents_of(thing, table.others(i)) if o.position_m[2] > thing.position_m[2]]
    return len(above), math.hypot(*thing.position_m[:2])
