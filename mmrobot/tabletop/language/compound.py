"""Commands of several moves: towers, sequences, two things in one sentence."""

from __future__ import annotations

from mmrobot.tabletop.language.drafts import Draft, DraftStep
from mmrobot.tabletop.language.grammar import Word
from mmrobot.tabletop.language.meaning import Kind, referents
from mmrobot.tabletop.language.phrases import Phrase, one_phrase, words_of
from mmrobot.tabletop.language.single import STACK_BASES, SingleMaker, UnsuitedError
from mmrobot.tabletop.language.things import Thing
from mmrobot.tabletop.language.wording import WORDING
from mmrobot.tabletop.objects import GRASPABLE


class CompoundMaker(SingleMaker):
    """Makes drafts of several moves."""

    def tower(self) -> Draft:
        flat = [t for t in self.things if t.shape in STACK_BASES and t.id not in self.burdened]
        if len(flat) < 3:
            raise UnsuitedError
        a, b, c = self.rng.sample(flat, 3)
        pa = self.target_phrase(a, simple=True)
        pb = self.after(pa, b, simple=True)
        pc = self.after(pa, c, simple=True)
        form, on_a = self.rng.random(), pa.words
        if form < 0.55:
            a2 = words_of(self.rng.choice(("it", "it", "it", "that", "them")))
        elif form < 0.7 and pa.head and isinstance(pa.expr, Kind) and pa.expr.color and not pa.expr.size:
            one = one_phrase(pa.expr, pa.head, self.rng, self.style)
            a2, on_a = one.spoken, one.words
        else:
            on_a = [Word(w.text) for w in pa.words]
            a2 = [Word("the"), *on_a]
        slots = {"A": pa.spoken, "B": pb.spoken, "C": pc.spoken, "A2": a2}
        words = WORDING.say("tower", self.rng, slots, self.frame)
        if not any(w is on_a[0] for w in words):
            on_a = pa.words
        top = DraftStep("place", None, "on", on_a, reference_ids=referents(pa.expr, self.things))
        steps = [*self.moves((pa, "on", pb)), *self.moves((pc, "on", pa))[:1], top]
        return Draft(words, steps, "tower")

    def sequence(self) -> Draft:
        x = self.rng.random()
        if x < 0.1:
            return self.shared()
        if x < 0.25:
            return self.elided()
        count = 3 if x < 0.4 else 2
        parts: list[Draft] = []
        for i in range(count):
            parts.append(self.part(i + 1 == count, parts))
        rule = {2: "two", 3: "three"}[count]
        pick_first = parts[0].steps[-1].skill in ("pick", "home")
        pronoun = any(w.text in ("it", "one") for w in parts[1].words)
        if count == 2 and not pick_first and not pronoun and self.rng.random() < 0.12:
            rule = "two_reversed"
        slots = {str(i + 1): p.words for i, p in enumerate(parts)}
        split = "train" if rule == "two_reversed" else self.frame
        words = WORDING.say(rule, self.rng, slots, split)
        imperative = all(p.imperative for p in parts) and words[0] is parts[0].words[0]
        return Draft(words, [s for p in parts for s in p.steps], "sequence", imperative)

    def part(self, last: bool, before: list[Draft]) -> Draft:
        """One command of a sequence. A hand that is full picks nothing, so a bare pick comes last."""
        x = self.rng.random()
        deed = self.deed(before, last)
        if deed is not None:
            return deed
        moved = [i for d in before for s in d.steps for i in s.target_ids]
        carrying = [i for d in before for s in d.steps for i in s.reference_ids]
        if last and x < 0.16:
            return self.home()
        if last and x < 0.28:
            barred = {*moved, *carrying, *self.burdened}
            free = [t for t in self.things if t.shape in GRASPABLE and t.id not in barred]
            return self.pick(self.one_of(free), simple=True, statement=False)
        family = self.rng.choice(("put_in", "put_in", "put_beside", "put_beside", "stack"))
        if before and [s.skill for s in before[-1].steps][-2:] == ["pick", "place"] and x > 0.85:
            return self.again(before[-1], family, moved, carrying)
        t, relation, r = self.pair(family, moved=moved, carrying=carrying)
        return self.put(family, t, relation, r, simple=True, statement=False)

    def deed(self, before: list[Draft], last: bool) -> Draft | None:
        """A part of another family than pick and place, where those are asked for."""
        return None

    def again(self, previous: Draft, family: str, moved: list[str], carrying: list[str]) -> Draft:
        """ "... then put it on the tray": it is what was moved last."""
        pick = next(s for s in reversed(previous.steps) if s.skill == "pick")
        (thing_id,) = pick.target_ids
        _, relation, r = self.pair(family, thing_id, moved=[*moved, *carrying])
        assert self.last_target is not None
        p = self.after(self.last_target, r, simple=True)
        rel = self.relation_words(family, relation, r)
        words = [*WORDING.say("set", self.rng, {}, self.frame), Word("it"), *rel, *p.spoken]
        steps = [
            DraftStep("pick", pick.target, target_ids=pick.target_ids),
            DraftStep("place", None, relation, p.words, reference_ids=referents(p.expr, self.things)),
        ]
        return Draft(words, steps, family)

    def shared(self) -> Draft:
        """Two things into one vessel."""
        t, relation, r = self.pair("put_in")
        t2 = self.target_besides(t, r)
        p, p2 = (self.target_phrase(o, simple=True) for o in (t, t2))
        pr = self.after(p, r, simple=True)
        rel = self.relation_words("put_in", relation, r)
        slots = {"T": p.spoken, "T2": p2.spoken, "R": pr.spoken, "REL": rel}
        words = WORDING.say("shared", self.rng, slots, self.frame)
        steps = self.moves((p, relation, pr), (p2, relation, pr))
        return Draft(words, steps, "sequence")

    def elided(self) -> Draft:
        """Two moves under one verb."""
        family = self.rng.choice(("put_in", "put_beside"))
        t, relation, r = self.pair(family)
        t2, relation2, r2 = self.pair(family, self.target_besides(t, r).id, moved=[t.id])
        p = self.target_phrase(t, simple=True)
        pr = self.after(p, r, simple=True)
        p2 = self.target_phrase(t2, simple=True)
        pr2 = self.after(p2, r2, simple=True)
        slots = {
            "T": p.spoken, "R": pr.spoken, "REL": self.relation_words(family, relation, r),
            "T2": p2.spoken, "R2": pr2.spoken, "REL2": self.relation_words(family, relation2, r2),
        }  # fmt: skip
        words = WORDING.say("elided", self.rng, slots, self.frame)
        return Draft(words, self.moves((p, relation, pr), (p2, relation2, pr2)), "sequence")

    def target_besides(self, *taken: Thing) -> Thing:
        barred = {*self.burdened, *(t.id for t in taken)}
        return self.one_of([t for t in self.things if t.shape in GRASPABLE and t.id not in barred])

    def moves(self, *moves: tuple[Phrase, str, Phrase]) -> list[DraftStep]:
        steps = []
        for p, relation, r in moves:
            steps.append(DraftStep("pick", p.words, target_ids=referents(p.expr, self.things)))
            ids = referents(r.expr, self.things)
            steps.append(DraftStep("place", None, relation, r.words, reference_ids=ids))
        return steps
