"""Commands beyond pick and place: pushes, swaps, pyramids, conditions, what may not be touched."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mmrobot.tabletop.language.deed_wording import DEEDS
from mmrobot.tabletop.language.drafts import Draft, DraftStep
from mmrobot.tabletop.language.grammar import Word
from mmrobot.tabletop.language.lexicon import COLOR_WORDS, noun, pick_word
from mmrobot.tabletop.language.meaning import Kind, referents
from mmrobot.tabletop.language.phrases import Phrase, Style, words_of
from mmrobot.tabletop.language.sets import SetMaker
from mmrobot.tabletop.language.single import UnsuitedError
from mmrobot.tabletop.language.statements import claimed
from mmrobot.tabletop.language.talk_wording import TALK
from mmrobot.tabletop.language.talker import NoClaimError
from mmrobot.tabletop.language.things import Thing
from mmrobot.tabletop.language.wording import WORDING
from mmrobot.tabletop.objects import GRASPABLE

PUSHES = ("left_of", "right_of", "behind", "in_front_of", "near")
CLAIMS: dict[str, float] = {"exists": 8, "empty": 4, "relation": 4, "count": 3, "attribute": 3, "label": 1}
_DENIED = 0.2


class DeedMaker(SetMaker):
    """Makes drafts of these."""

    def push(self, t: Thing | None = None, relation: str | None = None, r: Thing | None = None) -> Draft:
        t = t or self.target_besides()
        relation = relation or self.rng.choice(PUSHES)
        p = self.target_phrase(t, simple=True)
        slots, step = {"T": p.spoken}, DraftStep("push", p.words, relation)
        step.target_ids = referents(p.expr, self.things)
        if relation == "near":
            r = r or self.one_of([o for o in self.things if o is not t and not (o.inside or o.on)])
            pr = self.after(p, r, simple=True)
            slots["R"], step.reference = pr.spoken, pr.words
            step.reference_ids = referents(pr.expr, self.things)
        words = DEEDS.say(f"push_{relation}", self.rng, slots, self.frame)
        return Draft(words, [step], "push", words[0] is not p.spoken[0] and words[0].text != "i")

    def swap(self) -> Draft:
        """Two things change places."""
        free = [t for t in self.things if self._stands_free(t)]
        if len(free) < 2:
            raise UnsuitedError
        t, r = self.rng.sample(free, 2)
        p = self.target_phrase(t, simple=True)
        pr = self.after(p, r, simple=True)
        words = DEEDS.say("swap", self.rng, {"T": p.spoken, "R": pr.spoken}, self.frame)
        step = DraftStep("swap", p.words, reference=pr.words, target_ids=frozenset((t.id,)))
        step.reference_ids = frozenset((r.id,))
        return Draft(words, [step], "swap", words[0] not in (p.spoken[0],) and words[0].text != "i")

    def pyramid(self) -> Draft:
        """Three cubes side by side, two on them, one on top, in the order told."""
        cubes = [t for t in self.things if t.shape == "cube" and t.id not in self.burdened]
        if len(cubes) < 6:
            raise UnsuitedError
        chosen = self.rng.sample(cubes, 6)
        if len({t.color for t in cubes}) == len(cubes) and self.rng.random() < 0.6:
            phrases = self._by_color(chosen)
        else:
            phrases = [self.phrase(t, simple=True) for t in chosen]
        slots = dict(zip("ABCDEG", (p.spoken for p in phrases), strict=True))
        words = DEEDS.say("pyramid", self.rng, slots, self.frame)
        said = {id(w) for w in words}
        if not all(id(w) in said for p in phrases for w in p.words):
            raise UnsuitedError
        step = DraftStep("pyramid", parts=[p.words for p in phrases], part_ids=tuple(t.id for t in chosen))
        return Draft(words, [step], "pyramid", words[0].text not in ("i", "pyramid"))

    def _by_color(self, cubes: Sequence[Thing]) -> list[Phrase]:
        """ "The red, green and blue cubes": one noun for all."""
        plural = words_of(noun(frozenset(("cube",)), self.rng, plural=True, bare=True))
        phrases = []
        for i, t in enumerate(cubes):
            color = words_of(pick_word(COLOR_WORDS[t.color], self.rng, self.style.plain)[0])
            said = [*([Word("the")] if i in (0, 3, 5) else []), *color]
            said += plural if i == 2 else [Word(("ones", "one")[i == 5])] if i in (4, 5) else []
            phrases.append(Phrase(Kind(frozenset(("cube",)), t.color), [*color, *plural], None, "", said))
        return phrases

    def table(self, t: Thing | None = None) -> Draft:
        """Out of or off something, and onto the table; or what the hand holds already."""
        hosted = [o for o in self.things if (o.inside or o.on) and o.shape in GRASPABLE and self.is_free(o)]
        if t is None and (not hosted or self.rng.random() < 0.25):
            words = DEEDS.say("table_it", self.rng, {}, self.frame)
            return Draft(words, [self._on_table(words)], "table", words[0].text == "put")
        t = t or self.one_of(hosted)
        p = self.target_phrase(t, simple=True)
        host = self.by_id[t.inside or t.on or ""]
        slots = {"T": p.spoken, "H": self.after(p, host, simple=True).spoken}
        words = DEEDS.say("table", self.rng, slots, self.frame)
        steps = [DraftStep("pick", p.words, target_ids=frozenset((t.id,))), self._on_table(words)]
        return Draft(words, steps, "table", words[0] is not p.spoken[0] and words[0].text != "i")

    @staticmethod
    def _on_table(words: list[Word]) -> DraftStep:
        return DraftStep("place", None, "on", [next(w for w in reversed(words) if w.text == "table")])

    # -- conditions and bans -------------------------------------------------------------------

    def conditional(self, holds: bool | None = None) -> Draft:
        """One thing or the other, as a claim about the scene holds or not."""
        holds = self.rng.random() < 0.5 if holds is None else holds
        denied = self.rng.random() < _DENIED
        kind = self.rng.choices(list(CLAIMS), list(CLAIMS.values()))[0]
        style = Style(self.style.split, self.style.plain)
        try:
            made = claimed(kind, holds != denied, self.rng, self.things, style, self.avoid)
        except NoClaimError as error:
            raise UnsuitedError from error
        claim = TALK.say(made.rule + "_no" if denied else made.rule, self.rng, made.slots, "train")
        first = self.branch()
        x = self.rng.random()
        if x < 0.3:
            rule = "if" if x < 0.22 else "unless"
            words = DEEDS.say(rule, self.rng, {"C": claim, "1": first.words}, self.frame)
            branches = (first.steps, []) if rule == "if" else ([], first.steps)
        else:
            second = self.otherwise(first)
            slots = {"C": claim, "1": first.words, "2": second.words}
            words = DEEDS.say("if_else", self.rng, slots, self.frame)
            branches = (first.steps, second.steps)
        step = DraftStep("if", claim, then=branches[0], otherwise=branches[1], holds=holds)
        return Draft(words, [step], "conditional", False)

    def branch(self) -> Draft:
        if self.mixed and self.rng.random() < 0.12:
            return self.push()
        if self.rng.random() < 0.2:
            return self.pick(self.target(), simple=True, statement=False)
        family = self.rng.choice(("put_in", "put_in", "put_beside", "stack"))
        return self.put(family, *self.pair(family), simple=True, statement=False)

    def otherwise(self, first: Draft) -> Draft:
        """The same thing elsewhere, or another command."""
        if first.steps[-1].skill == "place" and self.rng.random() < 0.5:
            (taken,) = first.steps[-1].reference_ids
            family = self.rng.choice(("put_in", "put_in", "put_beside"))
            return self.again(first, family, [], [taken])
        self.last_target = None
        return self.branch()

    def careful(self, t: Thing | None = None, r: Thing | None = None, f: Thing | None = None) -> Draft:
        """A command that must be done without touching something."""
        if t is None:
            inner = self.branch()
        else:
            assert r is not None
            inner = self.put("put_in", *self.pair("put_in", t.id, r.id), simple=True, statement=False)
        busy = {i for s in inner.steps for i in (*s.target_ids, *s.reference_ids)}
        f = f or self.one_of([o for o in self.things if o.id not in busy and self.is_free(o)])
        pf = self.phrase(f, simple=True)
        words = DEEDS.say("avoid", self.rng, {"1": inner.words, "F": pf.spoken}, self.frame)
        ban = DraftStep("avoid", pf.words, target_ids=frozenset((f.id,)))
        return Draft(words, [*inner.steps, ban], "avoid", words[0] is inner.words[0])

    def _stands_free(self, t: Thing) -> bool:
        return t.shape in GRASPABLE and self.is_free(t) and not (t.inside or t.on)

    def is_free(self, t: Thing) -> bool:
        return t.id not in self.burdened

    def deed(self, before: list[Draft], last: bool) -> Draft | None:
        """Where sentences are mixed: now and then a push or a set, at most one in a sentence; or a condition
        in the end, since all that follows belongs to it."""
        plain = ("put_in", "put_beside", "stack", "pick", "home")
        if not self.mixed or self.rng.random() > 0.3 or any(d.kind not in plain for d in before):
            return None
        spoken_of = self.last_target
        makers = (self.push, self.push, self.all, self.some, self.swap, self.sort, self.table)
        try:
            if last and before and self.rng.random() < 0.4:
                return self.conditional()
            return self.rng.choice(makers)()
        except UnsuitedError:
            # What was said of it is not said after all.
            self.last_target = spoken_of
            return None

    # -- several of them in one sentence -------------------------------------------------------

    def composed(self, first: str) -> Draft:
        """Two of these families in one sentence: level L5, never trained. A condition comes last, since
        all that
        follows it belongs to it."""
        makers: dict[str, Callable[[], Draft]] = {
            "push": self.push, "all": self.all, "negation": lambda: self.all(negated=True), "sort": self.sort,
            "sequence": self.two_moves, "conditional": self.conditional,
        }  # fmt: skip
        second = self.rng.choice([name for name in makers if name != first])
        if first == "conditional":
            first, second = second, first
        parts = [makers[first](), makers[second]()]
        named = [_named(part.steps) for part in parts]
        if named[0] & named[1]:
            raise UnsuitedError
        words = WORDING.say("two", self.rng, {"1": parts[0].words, "2": parts[1].words})
        return Draft(words, [s for part in parts for s in part.steps], "composed", False)

    def two_moves(self) -> Draft:
        """Two plain moves."""
        first = self.branch()
        if first.steps[-1].skill == "pick":
            raise UnsuitedError
        second = self.otherwise(first)
        words = WORDING.say("two", self.rng, {"1": first.words, "2": second.words})
        return Draft(words, [*first.steps, *second.steps], "sequence")


def _named(steps: Sequence[DraftStep]) -> set[str]:
    """The things that are moved or referred to."""
    inner = [s for step in steps for s in (*step.then, *step.otherwise)]
    return {i for s in (*steps, *inner) for i in (*s.target_ids, *s.reference_ids)}
