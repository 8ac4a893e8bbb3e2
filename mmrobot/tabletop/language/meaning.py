"""What a referring expression means: a small tree, and the things that it picks out of a scene.

Independent of any text. Left is +y, right -y, behind +x, front -x (base, as CONTRACT.md says).
With `margin_m` above 0 the evaluator also refuses (UnclearError) what a person could see either way.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from mmrobot.tabletop.language.things import Thing
from mmrobot.tabletop.objects import dimensions

CLEAR_MARGIN_M = 0.02
# Largest and smallest must differ by this factor of outer volume to be called so.
CLEAR_VOLUME_RATIO = 1.5
# "Left of" is clear within this slope from the reference; mostly behind it and a little left is neither.
CLEAR_SLOPE = 0.5

DIRECTIONS = {
    "left_of": (0.0, 1.0),
    "right_of": (0.0, -1.0),
    "behind": (1.0, 0.0),
    "in_front_of": (-1.0, 0.0),
}
ORDERS = ("left", "right", "near", "far", "large", "small")


class UnclearError(Exception):
    """The scene is too close to call for this expression. Never leaves this package."""


@dataclass(frozen=True)
class Kind:
    """Things of given shapes, colour, size, label; None does not restrict. `Kind()` is everything."""

    shapes: frozenset[str] | None = None
    color: str | None = None
    size: str | None = None
    label: str | None = None

    def fits(self, t: Thing) -> bool:
        return (
            (self.shapes is None or t.shape in self.shapes)
            and (self.color is None or t.color == self.color)
            and (self.size is None or t.size == self.size)
            and (self.label is None or t.label == self.label)
        )


@dataclass(frozen=True)
class Without:
    """Those of `base` that are not `excluded`."""

    base: Expr
    excluded: Expr


@dataclass(frozen=True)
class Extreme:
    """The one of `base` that comes at `rank` (0 first) in an order of ORDERS: the second has rank 1."""

    base: Expr
    order: str
    rank: int = 0


@dataclass(frozen=True)
class Middle:
    """The one of an odd number of `base` with as many to its left as to its right."""

    base: Expr


@dataclass(frozen=True)
class Related:
    """Those of `base` in a relation to the one `reference`: DIRECTIONS, in, on, under."""

    base: Expr
    relation: str
    reference: Expr


@dataclass(frozen=True)
class Nearest:
    """The one of `base` nearest to the one `reference` ("next to"), over the table."""

    base: Expr
    reference: Expr


@dataclass(frozen=True)
class Both:
    """All of several expressions together."""

    parts: tuple[Expr, ...]


Expr = Kind | Without | Extreme | Middle | Related | Nearest | Both


def referents(expr: Expr, things: Sequence[Thing], margin_m: float = 0.0) -> frozenset[str]:
    """Ids of all things that an expression means, possibly none. Raises UnclearError only if margin_m > 0."""
    return frozenset(t.id for t in _meant(expr, things, margin_m))


def is_clear(expr: Expr, things: Sequence[Thing]) -> bool:
    """Whether no comparison in the expression is borderline in this scene."""
    try:
        _meant(expr, things, CLEAR_MARGIN_M)
    except UnclearError:
        return False
    return True


def _meant(expr: Expr, things: Sequence[Thing], margin_m: float) -> list[Thing]:
    match expr:
        case Kind():
            return _kind(expr, things, margin_m)
        case Without(base, excluded):
            out = {t.id for t in _meant(excluded, things, margin_m)}
            return [t for t in _meant(base, things, margin_m) if t.id not in out]
        case Extreme(base, order, rank):
            return _extreme(_meant(base, things, margin_m), order, rank, margin_m)
        case Middle(base):
            return _middle(_meant(base, things, margin_m), margin_m)
        case Related(base, relation, reference):
            refs = _reference(reference, things, margin_m)
            found = [t for t in _meant(base, things, margin_m) if t not in refs]
            return [t for t in found if any(stands(relation, t, r, margin_m) for r in refs)]
        case Nearest(base, reference):
            refs = _reference(reference, things, margin_m)
            found = [t for t in _meant(base, things, margin_m) if t not in refs]
            if not refs or not found:
                return []
            keys = [(min(math.dist(t.position_m[:2], r.position_m[:2]) for r in refs), t) for t in found]
            return _ranked(keys, 0, margin_m)
        case Both(parts):
            seen = {t.id: t for p in parts for t in _meant(p, things, margin_m)}
            return list(seen.values())


def _kind(expr: Kind, things: Sequence[Thing], margin_m: float) -> list[Thing]:
    if margin_m > 0 and expr.size is not None:
        # A size says something only among things of one shape.
        like = {t.shape for t in things if Kind(expr.shapes, expr.color).fits(t)}
        if len(like) > 1:
            raise UnclearError
    return [t for t in things if expr.fits(t)]


def _reference(expr: Expr, things: Sequence[Thing], margin_m: float) -> list[Thing]:
    refs = _meant(expr, things, margin_m)
    if margin_m > 0 and len(refs) > 1:
        raise UnclearError
    return refs


def _extreme(found: list[Thing], order: str, rank: int, margin_m: float) -> list[Thing]:
    if order in ("large", "small"):
        sign = -1.0 if order == "large" else 1.0
        # Logarithms make the clear ratio a clear difference.
        scale = margin_m / math.log(CLEAR_VOLUME_RATIO) if margin_m > 0 else 1.0
        return _ranked([(sign * scale * math.log(volume_m3(t)), t) for t in found], rank, margin_m)
    if order in ("left", "right"):
        sign = -1.0 if order == "left" else 1.0
        return _ranked([(sign * t.position_m[1], t) for t in found], rank, margin_m)
    sign = 1.0 if order == "near" else -1.0
    best = _ranked([(sign * math.hypot(*t.position_m[:2]), t) for t in found], rank, margin_m)
    # Near is meant as distance or as depth of the table: clear only when both agree.
    if margin_m > 0 and _ranked([(sign * t.position_m[0], t) for t in found], rank, margin_m) != best:
        raise UnclearError
    return best


def volume_m3(t: Thing) -> float:
    """Of the outer box."""
    return math.prod(dimensions(t.shape, t.size).size_m) * t.bulk


def _ranked(keys: list[tuple[float, Thing]], rank: int, margin_m: float) -> list[Thing]:
    if rank >= len(keys):
        return []
    ordered = sorted(keys, key=lambda k: k[0])
    value = ordered[rank][0]
    for neighbour in (rank - 1, rank + 1):
        if 0 <= neighbour < len(ordered) and abs(ordered[neighbour][0] - value) < margin_m - 1e-12:
            raise UnclearError
    return [ordered[rank][1]]


def _middle(found: list[Thing], margin_m: float) -> list[Thing]:
    if len(found) % 2 == 0 or len(found) < 3:
        if margin_m > 0 and len(found) > 1:
            raise UnclearError
        return []
    return _ranked([(-t.position_m[1], t) for t in found], len(found) // 2, margin_m)


def stands(relation: str, t: Thing, ref: Thing, margin_m: float = 0.0) -> bool:
    """Whether `t` is in the relation to `ref`. Raises UnclearError only if margin_m > 0."""
    if relation == "in":
        return t.inside == ref.id or (ref.shape == "tray" and t.on == ref.id)
    if relation == "on":
        return t.on == ref.id or (ref.shape == "tray" and t.inside == ref.id)
    if relation == "under":
        return t.id in (ref.on, ref.inside)
    ux, uy = DIRECTIONS[relation]
    dx, dy = t.position_m[0] - ref.position_m[0], t.position_m[1] - ref.position_m[1]
    along, across = dx * ux + dy * uy, abs(dx * uy + dy * ux)
    if margin_m > 0 and (abs(along) < margin_m or 0 < along < CLEAR_SLOPE * across):
        raise UnclearError
    return along > 0
