"""What is said of the request before: the same with another, a correction, put it back, go on."""

from __future__ import annotations

from mmrobot.tabletop.language.deed_wording import DEEDS
from mmrobot.tabletop.language.deeds import DeedMaker
from mmrobot.tabletop.language.drafts import Draft, DraftStep
from mmrobot.tabletop.language.grammar import Word
from mmrobot.tabletop.language.lexicon import COLOR_WORDS, pick_word
from mmrobot.tabletop.language.meaning import Kind, referents
from mmrobot.tabletop.language.phrases import Phrase, bare, words_of
from mmrobot.tabletop.language.single import BESIDE
from mmrobot.tabletop.language.things import Thing

_ORDERS = ("left", "right", "near", "far", "large", "small", "middle")


class Maker(DeedMaker):
    """Makes drafts of every family."""

    def act_again(self, t: Thing | None = None) -> Draft:
        return self._of("again", t)

    def act_instead(self, t: Thing | None = None, r: Thing | None = None) -> Draft:
        """A correction: of what was taken, or of where it goes."""
        if r is not None or (t is None and self.rng.random() < 0.3):
            return self._elsewhere(r)
        rule, slots = "instead", {}
        if t is None and self.rng.random() < 0.2:
            rule, slots = "instead_of", {"T2": self._meant(None).spoken}
        return self._of(rule, t, slots)

    def _of(self, rule: str, t: Thing | None, slots: dict[str, list[Word]] | None = None) -> Draft:
        p = self._meant(t)
        words = DEEDS.say(rule, self.rng, {"T": p.spoken, **(slots or {})}, self.frame)
        skill = "again" if rule == "again" else "instead"
        return Draft(
            words, [DraftStep(skill, p.words, target_ids=referents(p.expr, self.things))], skill, False
        )

    def _elsewhere(self, r: Thing | None) -> Draft:
        if r is None:
            family = self.rng.choice(("put_in", "put_in", "put_beside", "stack"))
            _, relation, r = self.pair(family)
        else:
            family, relation = "put_in", self.vessel(r)[1]
        pr = self.phrase(r, simple=True)
        slots = {"R": pr.spoken, "REL": self.relation_words(family, relation, r)}
        words = DEEDS.say("instead_place", self.rng, slots, self.frame)
        step = DraftStep("instead", None, relation, pr.words, reference_ids=referents(pr.expr, self.things))
        return Draft(words, [step], "instead", False)

    def _meant(self, t: Thing | None) -> Phrase:
        """ "The blue one" mostly, which the request before tells the rest of; else a phrase of its own."""
        fixed, x = t is not None, self.rng.random()
        t = t or self.target()
        if fixed:
            # Of a thing that is given, only words that tell it from its like.
            like = [o for o in self.things if o.shape == t.shape and o is not t]
            x = 0.0 if x < 0.6 and all(o.color != t.color for o in like) else 1.0
        if x < 0.45:
            color = pick_word(COLOR_WORDS[t.color], self.rng, self.style.plain)[0]
            words = [*words_of(color), Word("one")]
            return Phrase(Kind(None, t.color), words, None, "the")
        if x < 0.65:
            slots = {"X": [Word("one")], "P": [Word("ones")]}
            words = self.style.say(self.rng.choice(_ORDERS), self.rng, slots)
            return Phrase(Kind(None, t.color), words, None, "the")
        if x < 0.7:
            reference = self.phrase(self.one_of([o for o in self.things if o is not t]), simple=True)
            where = self.style.say(self.rng.choice((*BESIDE, "in", "on", "nearest")), self.rng)
            return Phrase(Kind(None, t.color), [Word("one"), *where, *reference.spoken], None, "the")
        return self.phrase(t, simple=True)

    def act_other(self) -> Draft:
        return self._bare("other_one", "other")

    def act_not_that(self) -> Draft:
        return self._bare("not_that", "not_that")

    def _bare(self, rule: str, skill: str) -> Draft:
        x = bare(Kind(frozenset((self.target().shape,))), self.rng, self.style)
        return Draft(DEEDS.say(rule, self.rng, {"X": x}, self.frame), [DraftStep(skill)], skill, False)

    def act_resume(self) -> Draft:
        return Draft(DEEDS.say("resume", self.rng, {}, self.frame), [DraftStep("resume")], "resume", False)

    def other_thing(self) -> Draft:
        """ "Put the other cube in the bowl": other than what was spoken of."""
        t, relation, r = self.pair("put_in")
        noun = (
            [Word("one")]
            if self.rng.random() < 0.4
            else bare(Kind(frozenset((t.shape,))), self.rng, self.style)
        )
        words = [Word(self.rng.choice(("other", "other", "other", "remaining"))), *noun]
        p = Phrase(Kind(frozenset((t.shape,))), words, None, "the")
        self.last_target = p
        if self.rng.random() < 0.3:
            spoken = [*DEEDS.say("lift", self.rng, {}, self.frame), *p.spoken]
            return Draft(spoken, [DraftStep("pick", p.words)], "other_thing")
        pr = self.phrase(r, simple=True)
        slots = {"T": p.spoken, "R": pr.spoken, "REL": self.relation_words("put_in", relation, r)}
        steps = [DraftStep("pick", p.words), DraftStep("place", None, relation, pr.words)]
        return Draft(DEEDS.say("some", self.rng, slots, "train"), steps, "other_thing", False)

    def put_back(self, t: Thing | None = None) -> Draft:
        """What was moved goes to where it was."""
        x = self.rng.random()
        if t is None and x < 0.55:
            words = DEEDS.say("put_back", self.rng, {}, self.frame)
            it = next((w for w in words if w.text in ("it", "that")), None) or words[0]
            return Draft(words, [DraftStep("put_back", [it])], "put_back", words[0].text in ("put", "return"))
        t = t or self.target()
        p = self.target_phrase(t, simple=True)
        ids = referents(p.expr, self.things)
        if x < 0.8:
            words = DEEDS.say("pick_put_back", self.rng, {"T": p.spoken}, self.frame)
            pick = [DraftStep("pick", p.words, target_ids=ids)]
        else:
            words = DEEDS.say("put_back_thing", self.rng, {"T": p.spoken}, self.frame)
            pick = []
        return Draft(words, [*pick, DraftStep("put_back", p.words, target_ids=ids)], "put_back")
