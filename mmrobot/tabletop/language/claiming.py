"""Claims about a scene that are true or false as wanted, so that their words do not give it away.

Each maker first finds a true and a false claim of the same build and only then takes the one asked for.
"""

from __future__ import annotations

from dataclasses import dataclass

from mmrobot.tabletop.language.claims import Amount, Claim, Compared, Is, Stands, compares, passes
from mmrobot.tabletop.language.grammar import Word
from mmrobot.tabletop.language.lexicon import COLOR_WORDS, pick_word
from mmrobot.tabletop.language.meaning import (
    CLEAR_MARGIN_M,
    DIRECTIONS,
    Expr,
    Extreme,
    Kind,
    Middle,
    Nearest,
    Related,
    UnclearError,
    stands,
)
from mmrobot.tabletop.language.phrases import bare, with_article, words_of
from mmrobot.tabletop.language.referring import (
    clearly,
    make_absent,
    means_only,
    other_label,
)
from mmrobot.tabletop.language.talker import NoClaimError, Slots, Talker, relation_to
from mmrobot.tabletop.language.things import Thing
from mmrobot.tabletop.objects import CONTAINERS, GRASPABLE, LABELLED, SHAPES, TRAINED_COLORS

_TRIES = 8
_SIZES = {"large": ("large", "large", "big", "big", "huge"), "small": ("small", "small", "little", "tiny")}
_ORDERS = ("left", "right", "near", "far")


@dataclass
class Claimed:
    """A claim with its rule of wording and what to put into it."""

    rule: str
    slots: Slots
    claim: Claim


class ClaimMaker(Talker):
    """Makes claims over one scene."""

    def exists(self, holds: bool) -> Claimed:
        """Something of a description is there."""
        if not self.things:
            expr: Expr = self.any_kind()
            if holds:
                raise NoClaimError
        else:
            for _ in range(_TRIES):
                present = self.description(self.one())
                absent = make_absent(present, self.things, self.rng, self.avoid)
                if absent is not None and clearly(present, self.things):
                    expr = present if holds else absent
                    break
            else:
                raise NoClaimError
        return Claimed("exists", self.bare_slots(expr), Amount(expr, "at_least", 1))

    def empty(self, holds: bool) -> Claimed:
        """A vessel holds nothing."""
        used = {h for t in self.things for h in (t.inside, t.on) if h}
        vessels = [t for t in self.things if t.shape in CONTAINERS and not (t.inside or t.on)]
        full, free = [v for v in vessels if v.id in used], [v for v in vessels if v.id not in used]
        if not full or not free:
            raise NoClaimError
        # Like beside like, or the kind of vessel would tell.
        alike = [(f, e) for f in full for e in free if f.shape == e.shape]
        if not alike and self.rng.random() < 0.6:
            raise NoClaimError
        pair = self.rng.choice(alike) if alike else (self.rng.choice(full), self.rng.choice(free))
        v = pair[1 if holds else 0]
        expr, inside = self.subject(v), relation_to(v, self.rng)
        words = words_of(self.rng.choice(("in", "in", "inside")) if inside == "in" else "on")
        slots = {"V": self.phrase(expr), "IN": words}
        return Claimed("empty", slots, Amount(Related(Kind(), inside, expr), "exactly", 0))

    def relation(self, holds: bool) -> Claimed:
        """A thing is in a relation to another."""
        t, relation, r = self.held(holds) if self.rng.random() < 0.35 else self.directed(holds)
        expr, ref = self.subject(t), self.subject(r)
        slots = {"T": self.phrase(expr), "R": self.phrase(ref), "REL": self.style.say(relation, self.rng)}
        return Claimed("relation", slots, Stands(expr, relation, ref))

    def directed(self, holds: bool) -> tuple[Thing, str, Thing]:
        for _ in range(_TRIES):
            if len(self.things) < 2:
                break
            t, r = self.rng.sample(self.things, 2)
            found: dict[bool, list[str]] = {True: [], False: []}
            for relation in DIRECTIONS:
                try:
                    found[stands(relation, t, r, CLEAR_MARGIN_M)].append(relation)
                except UnclearError:
                    continue
            if found[True] and found[False]:
                return t, self.rng.choice(found[holds]), r
        raise NoClaimError

    def held(self, holds: bool) -> tuple[Thing, str, Thing]:
        hosted = [t for t in self.things if (t.inside or t.on) in self.by_id]
        if not hosted:
            raise NoClaimError
        t = self.rng.choice(hosted)
        host = self.by_id[t.inside or t.on or ""]
        relation = relation_to(host, self.rng)
        vessels = [v for v in self.things if v.shape in CONTAINERS and v is not t and v is not host]
        free = [o for o in self.things if o is not t and o is not host and host.id not in (o.inside, o.on)]
        others = [o for o in free if o.shape in GRASPABLE]
        x = self.rng.random()
        if x < 0.2:
            # What lies under what, turned round when false.
            return (host, "under", t) if holds else (t, "under", host)
        if x < 0.6 and vessels:
            other = self.rng.choice(vessels)
            relation = relation_to(other, self.rng) if not holds else relation
            return (t, relation, host) if holds else (t, relation, other)
        if not others:
            raise NoClaimError
        return (t, relation, host) if holds else (self.rng.choice(others), relation, host)

    def count(self, holds: bool) -> Claimed:
        """How many there are of a description. Descriptions of one build share the numbers they get."""
        pool = self.pool()
        test = self.rng.choice(("exactly",) * 5 + ("at_least", "at_most", "more_than", "fewer_than"))
        lowest = 1 if test in ("exactly", "more_than") else 2
        for _ in range(_TRIES):
            number = max(lowest, min(9, self.rng.choice(pool)[1] + self.rng.choice((-1, 0, 0, 1))))
            fitting = {b: [p for p in pool if passes(p[1], test, number) == b] for b in (True, False)}
            if fitting[True] and fitting[False]:
                break
        else:
            raise NoClaimError
        # The closest miss, and what is as close to the number on the true side.
        choice = fitting[holds]
        nearest = min(abs(c - number) for _, c in choice)
        expr = self.rng.choice(
            [e for e, c in choice if abs(c - number) == nearest or self.rng.random() < 0.2]
        )
        rule = "exactly_one" if test == "exactly" and number == 1 else test
        slots = {**self.bare_slots(expr), "N": self.number(number)}
        if number == 1 and test != "exactly":
            slots["P"] = slots["X"]
        return Claimed(rule, slots, Amount(expr, test, number))

    def pool(self) -> list[tuple[Expr, int]]:
        """Descriptions of one build with how many they mean, some none."""
        if not self.things:
            raise NoClaimError
        x, out = self.rng.random(), dict[Expr, int]()
        if x < 0.4:
            exprs: list[Expr] = [Kind(frozenset((s,))) for s in SHAPES]
        elif x < 0.65:
            exprs = [Kind(None, c) for c in {*TRAINED_COLORS, *(t.color for t in self.things)}]
            exprs.sort(key=str)
        elif x < 0.85:
            present = [Kind(frozenset((t.shape,)), t.color) for t in self.things]
            absent = (make_absent(e, self.things, self.rng, self.avoid) for e in present)
            exprs = [*dict.fromkeys(present), *(e for e in absent if e is not None)]
        elif x < 0.92:
            other = self.one()
            reference = self.subject(other)
            exprs = [Related(Kind(), r, reference) for r in DIRECTIONS]
        else:
            hosts = [t for t in self.things if t.shape in CONTAINERS]
            exprs = [Related(Kind(), relation_to(t, self.rng), self.subject(t)) for t in hosts]
        for e in exprs:
            ids = clearly(e, self.things)
            if ids is not None:
                out[e] = len(ids)
        if len(out) < 2:
            raise NoClaimError
        return list(out.items())

    def attribute(self, holds: bool) -> Claimed:
        """A thing has a colour, is of a shape or a size."""
        t, x = self.one(), self.rng.random()
        if x < 0.55:
            expr = self.subject(t, ("color",))
            color = t.color if holds else self.other_color(t)
            words = words_of(pick_word(COLOR_WORDS[color], self.rng, self.style.plain)[0])
            one = with_article([*words, Word(self.rng.choice(("one", "thing", "object")))])
            return Claimed(
                "color", {"T": self.phrase(expr), "C": words, "CA": one}, Is(expr, Kind(None, color))
            )
        if x < 0.85:
            expr = self.subject(t, ("shapes",))
            shape = t.shape if holds else self.other_shape(t)
            what = Kind(frozenset((shape,)))
            return Claimed("shape", {"T": self.phrase(expr), **self.bare_slots(what)}, Is(expr, what))
        if not any(o.shape == t.shape and o.size != t.size for o in self.things):
            raise NoClaimError
        expr = self.subject(t, ("size",))
        size = t.size if holds else {"large": "small", "small": "large"}[t.size]
        slots = {"T": self.phrase(expr), "S": [Word(self.rng.choice(_SIZES[size]))]}
        return Claimed("size", slots, Is(expr, Kind(frozenset((t.shape,)), None, size)))

    def other_color(self, t: Thing) -> str:
        near = [o.color for o in self.things if o.color != t.color]
        colors = near if near and self.rng.random() < 0.6 else [c for c in TRAINED_COLORS if c != t.color]
        fitting = [c for c in colors if (c, t.shape) not in self.avoid]
        if not fitting:
            raise NoClaimError
        return self.rng.choice(fitting)

    def other_shape(self, t: Thing) -> str:
        near = [o.shape for o in self.things if o.shape != t.shape]
        shapes = near if near and self.rng.random() < 0.6 else [s for s in SHAPES if s != t.shape]
        fitting = [s for s in shapes if (t.color, s) not in self.avoid]
        if not fitting:
            raise NoClaimError
        return self.rng.choice(fitting)

    def label(self, holds: bool) -> Claimed:
        """A thing carries a print; false ones name another."""
        labelled = [t for t in self.things if t.label]
        if not labelled:
            raise NoClaimError
        t = self.rng.choice(labelled)
        bare_ones = [o for o in self.things if o.shape in LABELLED and not o.label]
        label = t.label or ""
        if not holds:
            if bare_ones and self.rng.random() < 0.15:
                t = self.rng.choice(bare_ones)
            else:
                label = other_label(label, self.things, self.rng)
        expr = self.subject(t, ("label",))
        slots = {"T": self.phrase(expr), "L": [Word(label)]}
        return Claimed("label_is", slots, Is(expr, Kind(None, None, None, label)))

    def comparison(self, holds: bool) -> Claimed:
        """Two things compared, or one that comes first in an order."""
        x = self.rng.random()
        if x < 0.4:
            return self.sizes(holds)
        if x < 0.6:
            return self.sameness(holds)
        return self.superlative(holds)

    def sizes(self, holds: bool) -> Claimed:
        pairs = [
            (a, b)
            for a in self.things
            for b in self.things
            if a.shape == b.shape and a.size == "large" != b.size
        ]
        if not pairs:
            raise NoClaimError
        big, little = self.rng.choice(pairs)
        comparison = self.rng.choice(("larger", "smaller"))
        t, r = (big, little) if (comparison == "larger") == holds else (little, big)
        compares(t, comparison, r, CLEAR_MARGIN_M)
        expr, ref = self.subject(t, ("size",)), self.subject(r, ("size",))
        slots = {"T": self.phrase(expr), "R": self.phrase(ref)}
        return Claimed(comparison, slots, Compared(expr, comparison, ref))

    def sameness(self, holds: bool) -> Claimed:
        name, rule = self.rng.choice((("color", "same_color"), ("shape", "same_shape")))
        pairs = [(a, b) for a in self.things for b in self.things if a is not b]
        found = {
            b: [p for p in pairs if (getattr(p[0], name) == getattr(p[1], name)) == b] for b in (True, False)
        }
        if not found[True] or not found[False]:
            raise NoClaimError
        t, r = self.rng.choice(found[holds])
        without = ("color",) if name == "color" else ("shapes",)
        expr, ref = self.subject(t, without), self.subject(r, without)
        return Claimed(rule, {"T": self.phrase(expr), "R": self.phrase(ref)}, Compared(expr, rule, ref))

    def superlative(self, holds: bool) -> Claimed:
        what, first = self.extreme()
        base = what.base
        assert isinstance(base, Kind)
        others = [o for o in self.things if base.fits(o) and o.id != first.id]
        subjects = [
            t for t in (first, *others) if t is first or t.shape != first.shape or t.color != first.color
        ]
        if len(subjects) < 2:
            raise NoClaimError
        t = first if holds else self.rng.choice(subjects[1:])
        without = ("size",) if what.order in ("large", "small") else ()
        expr = self.subject(t, without)
        if isinstance(expr, (Extreme, Middle, Nearest, Related)):
            expr = Kind(frozenset((t.shape,)), t.color)
            if not means_only(expr, t, self.things):
                raise NoClaimError
        slots = {
            "T": self.phrase(expr), "E": self.phrase(what),
            "P": [Word("the"), *bare(base, self.rng, self.style, plural=True)],
        }  # fmt: skip
        return Claimed("superlative", slots, Is(expr, what))

    def extreme(self) -> tuple[Extreme, Thing]:
        """A superlative that is clear and has something to compare."""
        for _ in range(_TRIES):
            t, x = self.one(), self.rng.random()
            base = Kind() if x < 0.5 else Kind(frozenset((t.shape,))) if x < 0.85 else Kind(None, t.color)
            if sum(base.fits(o) for o in self.things) < 2:
                continue
            orders = (*_ORDERS, "large", "small") if base.shapes else _ORDERS
            what = Extreme(base, self.rng.choice(orders))
            ids = clearly(what, self.things)
            if ids:
                return what, self.by_id[next(iter(ids))]
        raise NoClaimError
