"""Commands over sets: all, all but some, so many, each to its own; and which things a set means."""

from __future__ import annotations

from collections.abc import Sequence

from mmrobot.tabletop.language.compound import CompoundMaker
from mmrobot.tabletop.language.deed_wording import DEEDS
from mmrobot.tabletop.language.drafts import Draft, DraftStep
from mmrobot.tabletop.language.grammar import Word
from mmrobot.tabletop.language.meaning import Expr, Kind, Without, referents
from mmrobot.tabletop.language.phrases import Phrase, all_but, bare, one_by_one, speak
from mmrobot.tabletop.language.referring import clearly, shortest
from mmrobot.tabletop.language.single import UnsuitedError
from mmrobot.tabletop.language.things import Thing
from mmrobot.tabletop.objects import GRASPABLE

MAX_MEMBERS = 6
_COUNTED = ("two", "two", "three", "four", "five")
_VESSELS = ("bowl", "plate", "tray")


class SetMaker(CompoundMaker):
    """Makes drafts of one command over many things."""

    def all(self, r: Thing | None = None, *, negated: bool = False) -> Draft:
        """ "Put all red blocks in the tray"; negated: "everything except the ball"."""
        r, relation = self.vessel(r)
        p, ids = self.set_phrase(r, negated)
        rule = "sort" if p.words[0].text in ("each", "every") else "all"
        return self._gathered(rule, p, ids, r, relation, "negation" if negated else "all")

    def some(self, r: Thing | None = None) -> Draft:
        """ "Put exactly two cubes in the bowl"."""
        r, relation = self.vessel(r)
        expr, ids = self.set_of(r, False)
        if len(ids) < 2 or expr == Kind():
            raise UnsuitedError
        n = self.rng.randint(2, min(len(ids), len(_COUNTED)))
        number = [Word(str(n) if self.rng.random() < 0.3 else _COUNTED[n - 1])]
        x, many = (bare(expr, self.rng, self.style, plural=p) for p in (False, True))
        spoken = DEEDS.say("number", self.rng, {"N": number, "P": many, "X": x}, self.frame)
        p = Phrase(expr, many, None, "", spoken)
        return self._gathered("some", p, ids, r, relation, "some", n)

    def _gathered(
        self,
        rule: str,
        p: Phrase,
        ids: frozenset[str],
        r: Thing,
        relation: str,
        kind: str,
        n: int | None = None,
    ) -> Draft:
        pr = self.phrase(r, simple=True, role="reference")
        slots = {"T": p.spoken, "R": pr.spoken, "REL": self.relation_words("put_in", relation, r)}
        slots["O"] = slots["R"]
        words = DEEDS.say(rule, self.rng, slots, self.frame)
        steps = [
            DraftStep("each", p.words, target_ids=ids, count=n),
            DraftStep("place", None, relation, pr.words, reference_ids=referents(pr.expr, self.things)),
        ]
        return Draft(words, steps, kind, words[0] not in (p.spoken[0], pr.spoken[0]) and words[0].text != "i")

    def sort(self) -> Draft:
        """ "Put each cube in the bowl of its own colour"."""
        return self.matched("own_color")

    def different(self) -> Draft:
        """ "Put each block in a different bowl"."""
        return self.matched("different")

    def matched(self, match: str) -> Draft:
        shape = self.one_of([t for t in self.things if t.shape in _VESSELS]).shape
        vessels = [t for t in self.things if t.shape == shape]
        expr, ids = self.set_of(vessels[0], False)
        ids = ids - {v.id for v in vessels}
        if expr == Kind() or not ids:
            raise UnsuitedError
        relation = "in" if shape == "bowl" else self.rng.choice(("in", "on")) if shape == "tray" else "on"
        rel = self.relation_words("put_in", relation, vessels[0])
        one, many = (bare(Kind(frozenset((shape,))), self.rng, self.style, plural=m) for m in (False, True))
        if self.rng.random() < 0.35:
            said, rule = many, "sort_by" if match == "own_color" else "spread_by"
            p = speak(expr, self.rng, self.style, plural=True)
            slots = {"M": [Word("the"), *many], "MP": many, "X": one}
        else:
            said, rule = one, "sort" if match == "own_color" else "spread"
            p = one_by_one(expr, self.rng, self.style)
            slots = {
                "O": DEEDS.say("own" if match == "own_color" else "other", self.rng, {"R": one}, self.frame)
            }
        words = DEEDS.say(rule, self.rng, {"T": p.spoken, "REL": rel, **slots}, self.frame)
        said = said if any(w is said[0] for w in words) else one
        steps = [
            DraftStep("each", p.words, target_ids=ids),
            DraftStep(
                "place", None, relation, said, frozenset(), frozenset(v.id for v in vessels), match=match
            ),
        ]
        kind = "sort" if match == "own_color" else "different"
        return Draft(words, steps, kind, words[0] is not p.spoken[0])

    # -- which things --------------------------------------------------------------------------

    def vessel(self, r: Thing | None) -> tuple[Thing, str]:
        """Where a set goes, and how people say so."""
        if r is None:
            r = self.one_of([t for t in self.things if t.shape in _VESSELS and not (t.inside or t.on)])
        on = {"plate": 0.85, "tray": 0.5}.get(r.shape, 0.0)
        return r, "on" if self.rng.random() < on else "in"

    def set_phrase(self, r: Thing, negated: bool) -> tuple[Phrase, frozenset[str]]:
        """Words for a set, and its members but where they go."""
        expr, ids = self.set_of(r, negated)
        if isinstance(expr, Without):
            return all_but(expr.base, expr.excluded, self.rng, self.style), ids
        if expr != Kind() and self.rng.random() < 0.25:
            return one_by_one(expr, self.rng, self.style), ids
        return speak(expr, self.rng, self.style, plural=True), ids

    def set_of(self, r: Thing, negated: bool) -> tuple[Expr, frozenset[str]]:
        """A set that the hand can move to `r`: of a shape, a colour, both, everything; negated: but for
        some."""
        members = [t for t in self.things if t.shape in GRASPABLE and t is not r]
        for _ in range(12):
            t = self.one_of(members)
            shape = frozenset((t.shape,))
            x = self.rng.random()
            base: Expr = Kind(shape) if x < 0.4 else Kind(None, t.color) if x < 0.65 else Kind(shape, t.color)
            if negated:
                base = Kind() if x < 0.5 else Kind(shape) if x < 0.8 else Kind(None, t.color)
            elif x > 0.93:
                base = Kind()
            expr = base if not negated else self.all_but_some(base, r)
            if expr is not None:
                ids = clearly(expr, self.things)
                if ids and self._movable(ids - {r.id}):
                    return expr, ids - {r.id}
        raise UnsuitedError

    def all_but_some(self, base: Expr, r: Thing) -> Expr | None:
        """The base without one of it, or one kind of it."""
        inside: Sequence[Thing] = [
            t for t in self.things if t.id in referents(base, self.things) and t is not r
        ]
        if len(inside) < 2:
            return None
        out = self.rng.choice(inside)
        kinds = [
            Kind(frozenset((out.shape,))),
            Kind(frozenset((out.shape,)), out.color),
            Kind(None, out.color),
        ]
        excluded = self.rng.choice((*kinds, shortest(out, self.things)))
        left = referents(Without(base, excluded), self.things) - {r.id}
        return Without(base, excluded) if left and len(left) < len(inside) else None

    def _movable(self, ids: frozenset[str]) -> bool:
        things = [self.by_id[i] for i in ids]
        free = all(t.shape in GRASPABLE and t.id not in self.burdened for t in things)
        return 0 < len(ids) <= MAX_MEMBERS and free
