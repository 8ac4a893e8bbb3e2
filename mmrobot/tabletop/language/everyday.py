"""Commands that join in one breath what the families say one by one; for training alone.

What is left out told at the end, conditions about the very thing to be moved, two sets under one verb, towers
told by their things, out of one vessel and into another, many parts; and wishes that this robot cannot grant,
which mean no plan rather than another one.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from mmrobot.tabletop.language.acts import Maker
from mmrobot.tabletop.language.drafts import Draft, DraftStep
from mmrobot.tabletop.language.everyday_wording import EVERYDAY
from mmrobot.tabletop.language.grammar import Word
from mmrobot.tabletop.language.lexicon import COLOR_WORDS, noun, pick_word
from mmrobot.tabletop.language.meaning import Expr, Kind, Without, referents
from mmrobot.tabletop.language.phrases import Phrase, bare, speak, with_article, words_of
from mmrobot.tabletop.language.referring import means_only, shortest
from mmrobot.tabletop.language.single import STACK_BASES, UnsuitedError
from mmrobot.tabletop.language.things import Thing
from mmrobot.tabletop.objects import CONTAINERS, GRASPABLE

_RULES = {"left_of": "left", "right_of": "right", "behind": "back", "in_front_of": "front"}
_FREE_RELATIONS = 0.35
"""Of relations beside, those worded freely."""
_TRIES = 6


class EverydayMaker(Maker):
    """Makes drafts of every family, and of these."""

    def relation_words(self, family: str, relation: str, r: Thing) -> list[Word]:
        if relation in _RULES and self.frame == "train" and self.rng.random() < _FREE_RELATIONS:
            return EVERYDAY.say(_RULES[relation], self.rng, {})
        return super().relation_words(family, relation, r)

    def everyday(self) -> Draft:
        """One of these. Raises UnsuitedError where the scene has nothing for it."""
        makers: dict[Callable[[], Draft], float] = {
            self.all_but: 3, self.if_seen: 3, self.if_empty: 1, self.two_sets: 3, self.tower_of: 2.5,
            self.out_and_put: 2, self.put_and_lift: 1, self.many: 3, self.cannot: 3,
            self.by_relation: 2,
        }  # fmt: skip
        for make in self.rng.choices(list(makers), list(makers.values()), k=_TRIES):
            self.last_target = None
            try:
                return make()
            except UnsuitedError:
                continue
        raise UnsuitedError

    def by_relation(self) -> Draft:
        """ "Take the ball that is closest to the bowl": a relation of the phrase, not of the move."""
        self.kinds = {"nearest": 3, "relation": 4, "in": 1}
        if self.rng.random() < 0.6:
            return self.pick(self.target(), statement=False)
        family = self.rng.choice(("put_in", "put_in", "put_beside", "stack"))
        return self.put(family, *self.pair(family), statement=False)

    def all_but(self) -> Draft:
        """ "Put everything in the tray except the ball"."""
        r, relation = self.vessel(None)
        expr, ids = self.set_of(r, True)
        assert isinstance(expr, Without)
        base = speak(expr.base, self.rng, self.style, plural=True)
        out = speak(expr.excluded, self.rng, self.style)
        out.determiner = "the" if self.rng.random() < 0.8 else ""
        pr = self.phrase(r, simple=True)
        but = [*EVERYDAY.say("but", self.rng, {}), *out.spoken]
        slots = {"B": base.spoken, "BUT": but, "R": pr.spoken}
        slots["REL"] = self.relation_words("put_in", relation, r)
        words = EVERYDAY.say("all_but", self.rng, slots)
        each = DraftStep("each", [*base.spoken, *but], target_ids=ids)
        return Draft(words, [each, self._place(relation, pr)], "negation", words[0] is not base.spoken[0])

    def if_seen(self) -> Draft:
        """ "If you see a red cube, put it in the bowl"."""
        t = self.target()
        expr = Kind(frozenset((t.shape,)), t.color) if self.rng.random() < 0.8 else Kind(None, t.color)
        if not means_only(expr, t, self.things):
            raise UnsuitedError
        said = bare(expr, self.rng, self.style)
        claim = EVERYDAY.say("seen", self.rng, {"A": with_article(said)})
        ids = referents(expr, self.things)
        steps = [DraftStep("pick", said, target_ids=ids)]
        if self.rng.random() < 0.3:
            inner = EVERYDAY.say("it_lift", self.rng, {})
        else:
            family = self.rng.choice(("put_in", "put_in", "put_beside", "stack"))
            _, relation, r = self.pair(family, t.id)
            pr = self.phrase(r, simple=True)
            slots = {"R": pr.spoken, "REL": self.relation_words(family, relation, r)}
            inner = EVERYDAY.say("it_put", self.rng, slots)
            steps.append(self._place(relation, pr))
        words = EVERYDAY.say("if_seen", self.rng, {"C": claim, "1": inner})
        step = DraftStep("if", claim, then=steps, otherwise=[], holds=True)
        return Draft(words, [step], "conditional", False)

    def if_empty(self) -> Draft:
        """ "If the bowl is empty, put the ball in it"."""
        v = self.one_of([o for o in self.things if o.shape in CONTAINERS and not (o.inside or o.on)])
        pv = self.phrase(v, simple=True)
        t = self.target_besides(v)
        p = self.phrase(t, simple=True)
        claim = EVERYDAY.say("is_empty", self.rng, {"V": pv.spoken})
        inner = EVERYDAY.say("in_it", self.rng, {"T": p.spoken})
        words = EVERYDAY.say("if_seen", self.rng, {"C": claim, "1": inner})
        steps = [DraftStep("pick", p.words, target_ids=referents(p.expr, self.things)), self._place("in", pv)]
        holds = v.id not in self.burdened
        return Draft(
            words, [DraftStep("if", claim, then=steps, otherwise=[], holds=holds)], "conditional", False
        )

    def two_sets(self) -> Draft:
        """ "Put the cubes in the bowl and the balls on the plate"."""
        r, relation = self.vessel(None)
        expr, ids = self.set_of(r, False)
        others = [
            t
            for t in self.things
            if t.shape in CONTAINERS and t is not r and not (t.inside or t.on) and t.id not in ids
        ]
        r2, relation2 = self.vessel(self.one_of(others))
        expr2, ids2 = self.set_of(r2, False)
        if ids & ids2 or r.id in ids2 or Kind() in (expr, expr2):
            raise UnsuitedError
        p, p2 = self._several(expr), self._several(expr2)
        pr, pr2 = self.phrase(r, simple=True), self.phrase(r2, simple=True)
        slots = {"T": p.spoken, "R": pr.spoken, "REL": self.relation_words("put_in", relation, r)}
        slots |= {"T2": p2.spoken, "R2": pr2.spoken, "REL2": self.relation_words("put_in", relation2, r2)}
        steps = [
            DraftStep("each", p.words, target_ids=ids), self._place(relation, pr),
            DraftStep("each", p2.words, target_ids=ids2), self._place(relation2, pr2),
        ]  # fmt: skip
        words = EVERYDAY.say("two_sets", self.rng, slots)
        return Draft(words, steps, "all", words[0] is not p.spoken[0])

    def _several(self, expr: Expr) -> Phrase:
        if self.rng.random() < 0.4:
            return speak(expr, self.rng, self.style, plural=True)
        many = bare(expr, self.rng, self.style, plural=True)
        return Phrase(expr, many, None, "the")

    def tower_of(self) -> Draft:
        """ "Build a tower of the red, the green and the blue cube", the lowest first."""
        flat = [t for t in self.things if t.shape in STACK_BASES and t.id not in self.burdened]
        count = 3 if self.rng.random() < 0.75 else 2
        if len(flat) < count:
            raise UnsuitedError
        chosen = self.rng.sample(flat, count)
        shapes = {t.shape for t in chosen}
        kinds = [Kind(frozenset(shapes), t.color) for t in chosen]
        clear = all(means_only(k, t, self.things) for k, t in zip(kinds, chosen, strict=True))
        if len(shapes) == 1 and clear and self.rng.random() < 0.6:
            phrases = self._sharing_a_noun(kinds)
        else:
            phrases = [speak(shortest(t, self.things), self.rng, self.style) for t in chosen]
        said: list[Word] = []
        for i, p in enumerate(phrases):
            if i:
                said[-1].mark = "," if i + 1 < count else ""
                said += [Word("and")] if i + 1 == count else []
            said += p.spoken
        words = EVERYDAY.say("tower_of", self.rng, {"X": said})
        steps: list[DraftStep] = []
        for low, high in pairwise(phrases):
            steps += [
                DraftStep("pick", high.words, target_ids=referents(high.expr, self.things)),
                self._place("on", low),
            ]
        return Draft(words, steps, "tower", words[0].text not in ("i", "a"))

    def _sharing_a_noun(self, kinds: list[Kind]) -> list[Phrase]:
        shared = words_of(noun(kinds[0].shapes, self.rng, plural=True, bare=True))
        phrases = []
        for i, kind in enumerate(kinds):
            color = words_of(pick_word(COLOR_WORDS[kind.color or ""], self.rng, self.style.plain)[0])
            said = [*([Word("the")] if i == 0 or self.rng.random() < 0.15 else []), *color]
            said += shared if i + 1 == len(kinds) else []
            phrases.append(Phrase(kind, [*color, *shared], None, "", said))
        return phrases

    def out_and_put(self) -> Draft:
        """ "Take the ball out of the cup and put it on the plate"."""
        hosted = [
            t for t in self.things if (t.inside or t.on) and t.shape in GRASPABLE and self.is_free(t)
        ]
        t = self.one_of(hosted)
        host = self.by_id[t.inside or t.on or ""]
        family = self.rng.choice(("put_in", "put_in", "put_beside", "stack"))
        _, relation, r = self.pair(family, t.id)
        if r is host:
            raise UnsuitedError
        p, ph, pr = (self.phrase(o, simple=True) for o in (t, host, r))
        slots = {"T": p.spoken, "H": ph.spoken, "R": pr.spoken}
        slots["REL"] = self.relation_words(family, relation, r)
        words = EVERYDAY.say("out_and_put", self.rng, slots)
        pick = DraftStep("pick", p.words, target_ids=referents(p.expr, self.things))
        return Draft(words, [pick, self._place(relation, pr)], family)

    def put_and_lift(self) -> Draft:
        """ "Put the cup in front of the bowl, then pick it up"."""
        family = self.rng.choice(("put_in", "put_beside", "put_beside", "stack"))
        first = self.put(family, *self.pair(family), simple=True, statement=False)
        words = EVERYDAY.say("put_and_lift", self.rng, {"1": first.words})
        again = DraftStep("pick", first.steps[0].target, target_ids=first.steps[0].target_ids)
        return Draft(words, [*first.steps, again], "sequence", words[0] is first.words[0])

    def many(self) -> Draft:
        """Three to five plain moves, joined in any way."""
        count = self.rng.choice((3, 3, 4, 4, 5))
        parts: list[Draft] = []
        for i in range(count):
            parts.append(self.part(i + 1 == count, parts))
        if any(p.kind == "conditional" for p in parts):
            raise UnsuitedError
        words: list[Word] = list(parts[0].words)
        for p in parts[1:]:
            joined = EVERYDAY.say("join", self.rng, {})
            words[-1].mark = self.rng.choice(",,,.;") if not joined or self.rng.random() < 0.6 else ""
            words += [*joined, *p.words]
        return Draft(words, [s for p in parts for s in p.steps], "sequence", parts[0].imperative)

    def cannot(self) -> Draft:
        """A wish that this robot cannot grant."""
        if len(self.things) < 3:
            raise UnsuitedError
        chosen = self.rng.sample(self.things, 3)
        t, r, t2 = (speak(shortest(o, self.things), self.rng, self.style) for o in chosen)
        shape, vessel = (frozenset((self.rng.choice(names),)) for names in (GRASPABLE, CONTAINERS))
        slots = {
            "T": t.spoken, "R": r.spoken, "T2": t2.spoken,
            "P": [Word("the"), *words_of(noun(shape, self.rng, plural=True, bare=True))],
            "Z": words_of(noun(shape, self.rng, plural=False, bare=True)),
            "Y": words_of(noun(vessel, self.rng, plural=False, bare=True)),
            "REL": super().relation_words("put_in", "in", self.things[0]),
        }  # fmt: skip
        return Draft(EVERYDAY.say("cannot", self.rng, slots), [], "none")

    def _place(self, relation: str, p: Phrase) -> DraftStep:
        return DraftStep("place", None, relation, p.words, reference_ids=referents(p.expr, self.things))

