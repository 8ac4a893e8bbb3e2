"""Phrases for talk about a scene: one thing told apart without giving an answer away, and descriptions."""

from __future__ import annotations

import random
from collections.abc import Sequence

from mmrobot.tabletop.language.grammar import Word
from mmrobot.tabletop.language.meaning import (
    DIRECTIONS,
    Both,
    Expr,
    Extreme,
    Kind,
    Middle,
    Nearest,
    Related,
    Without,
)
from mmrobot.tabletop.language.phrases import Style, bare, speak, with_article
from mmrobot.tabletop.language.referring import MIXED_KINDS, Pairs, candidate, means_only
from mmrobot.tabletop.language.things import Thing
from mmrobot.tabletop.objects import SHAPES, TRAINED_COLORS

Slots = dict[str, list[Word]]
_TRIES = 8
_NUMBERS = "zero one two three four five six seven eight nine ten".split()


class NoClaimError(Exception):
    """The scene has nothing for this kind. Never leaves this package."""


class Talker:
    """Speaks of the things of one scene."""

    def __init__(self, rng: random.Random, things: Sequence[Thing], style: Style, avoid: Pairs) -> None:
        self.rng, self.things, self.style, self.avoid = rng, things, style, avoid
        self.by_id = {t.id: t for t in things}

    def subject(self, thing: Thing, without: Sequence[str] = ()) -> Expr:
        """A clear expression for exactly this thing that does not give away the attributes `without`."""
        names, weights = list(MIXED_KINDS), list(MIXED_KINDS.values())
        for kind in ("shape", *self.rng.choices(names, weights, k=_TRIES)):
            if kind == "shape" and self.rng.random() < 0.5:
                continue
            expr = candidate(kind, thing, self.things, self.rng)
            if expr is None:
                continue
            if without:
                expr = stripped(expr, without)
                if expr is None:
                    continue
            if means_only(expr, thing, self.things):
                return expr
        raise NoClaimError

    def phrase(self, expr: Expr) -> list[Word]:
        """With a determiner that says it is one known thing."""
        p = speak(expr, self.rng, self.style)
        if p.determiner in ("a", "") and p.said is None:
            p.determiner = "the"
        return p.spoken

    def number(self, n: int) -> list[Word]:
        return [Word(str(n) if self.rng.random() < 0.35 else _NUMBERS[n])]

    def one(self) -> Thing:
        if not self.things:
            raise NoClaimError
        return self.rng.choice(self.things)

    def any_kind(self) -> Kind:
        while True:
            shape, color = self.rng.choice(SHAPES), self.rng.choice(TRAINED_COLORS)
            if (color, shape) not in self.avoid:
                return Kind(frozenset((shape,)), color if self.rng.random() < 0.8 else None)

    def description(self, t: Thing) -> Expr:
        """What a thing, and perhaps others, can be described as."""
        shape, x = frozenset((t.shape,)), self.rng.random()
        if t.label and x < 0.3:
            return Kind(shape, None, None, t.label)
        x = self.rng.random()
        if x < 0.5:
            return Kind(shape, t.color)
        if x < 0.65:
            return Kind(shape)
        if x < 0.75:
            return Kind(None, t.color)
        host = self.by_id.get(t.inside or t.on or "")
        if host is not None:
            base = Kind(shape, t.color) if x < 0.9 else Kind(shape)
            return Related(base, relation_to(host, self.rng), self.subject(host))
        if x < 0.85 and len(self.things) > 1:
            other = self.rng.choice([o for o in self.things if o is not t])
            return Related(Kind(shape), self.rng.choice(tuple(DIRECTIONS)), self.subject(other))
        return Kind(shape, t.color)

    def bare_slots(self, expr: Expr) -> Slots:
        """A description as "a red cube", "red cube" and "red cubes"."""
        one, many = (bare(expr, self.rng, self.style, plural=p) for p in (False, True))
        return {"A": with_article(one), "X": one, "P": many}


def relation_to(host: Thing, rng: random.Random) -> str:
    """What people say of a thing at home in this one: in a bowl, on a plate, either for a tray."""
    if host.shape == "tray":
        return rng.choice(("in", "on"))
    return "in" if host.shape in ("bowl", "cup") else "on"


def stripped(expr: Expr, without: Sequence[str]) -> Expr | None:
    """The expression without an attribute of its head, or None where nothing is left to say."""
    match expr:
        case Kind():
            values = {
                n: None if n in without else getattr(expr, n) for n in ("shapes", "color", "size", "label")
            }
            return Kind(**values) if any(values.values()) else None  # type: ignore[arg-type]
        case Extreme(base, order, rank):
            if "size" in without and order in ("large", "small"):
                return None
            return Extreme(_loose(base, without), order, rank)
        case Middle(base):
            return Middle(_loose(base, without))
        case Related(base, relation, reference):
            return Related(_loose(base, without), relation, reference)
        case Nearest(base, reference):
            return Nearest(_loose(base, without), reference)
        case Without() | Both():
            return None


def _loose(base: Expr, without: Sequence[str]) -> Expr:
    return stripped(base, without) or Kind()
