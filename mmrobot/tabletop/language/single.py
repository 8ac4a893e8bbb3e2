"""One command over a scene: what is meant is chosen first, then how it is said."""

from __future__ import annotations

import random
from collections.abc import Sequence

from mmrobot.tabletop.language.chatter import chatter
from mmrobot.tabletop.language.drafts import Draft, DraftStep
from mmrobot.tabletop.language.grammar import Split, Word
from mmrobot.tabletop.language.meaning import Expr, Kind, referents
from mmrobot.tabletop.language.noise import CLEAN
from mmrobot.tabletop.language.phrases import Phrase, Style, one_phrase, speak, words_of
from mmrobot.tabletop.language.questions import make_question
from mmrobot.tabletop.language.referring import (
    MIXED_KINDS,
    PLAIN_KINDS,
    SIMPLE_KINDS,
    Pairs,
    make_absent,
    means_only,
    refer_to,
    shortest,
)
from mmrobot.tabletop.language.statements import make_statement
from mmrobot.tabletop.language.things import Thing
from mmrobot.tabletop.language.wording import WORDING
from mmrobot.tabletop.objects import GRASPABLE

NEXT_TO = "right_of"
BESIDE = ("left_of", "right_of", "behind", "in_front_of")
STACK_BASES = ("cube", "cylinder", "bar")
_STACKABLE = ("cube", "cylinder", "bar", "cup")
# Questions and statements among what asks for no move.
_TALK_SHARE = 0.3
_VESSELS = ("bowl", "plate", "tray")


class UnsuitedError(Exception):
    """The scene has nothing for this family. Never leaves this package."""


class SingleMaker:
    """Makes drafts of one command over one scene."""

    def __init__(
        self,
        rng: random.Random,
        things: Sequence[Thing],
        style: Style,
        frame: Split,
        kinds: dict[str, float] | None,
        fault: str | None,
        avoid_pairs: Pairs,
    ) -> None:
        self.rng, self.things, self.style, self.fault, self.avoid = rng, things, style, fault, avoid_pairs
        # Sentences and phrases may come from different splits: one new thing at a time is enough.
        self.frame = frame
        self.statements = 0.3 if frame == "heldout" else 0.16
        self.kinds = kinds
        self.mixed = False
        self.last_target: Phrase | None = None
        self.by_id = {t.id: t for t in things}
        self.burdened = {h for t in things for h in (t.inside, t.on) if h}

    # -- what is meant --------------------------------------------------------------------------

    def target(self, wanted: str | None = None) -> Thing:
        if wanted is not None:
            return self.by_id[wanted]
        return self.one_of([t for t in self.things if t.shape in GRASPABLE and t.id not in self.burdened])

    def pair(
        self,
        family: str,
        target: str | None = None,
        reference: str | None = None,
        relation: str | None = None,
        moved: Sequence[str] = (),
        carrying: Sequence[str] = (),
    ) -> tuple[Thing, str, Thing]:
        """Target, relation and reference that suit the family. What was `moved` is left where it is, and
        what is `carrying` something since stays under it, though a vessel may take more."""
        free = [t for t in self.things if t.id not in moved]
        top = [t for t in free if t.id not in carrying]
        if target is not None:
            t = self.by_id[target]
        else:
            shapes = _STACKABLE if family == "stack" else GRASPABLE
            t = self.one_of([t for t in top if t.shape in shapes and t.id not in self.burdened])
        if reference is not None:
            r = self.by_id[reference]
        elif family == "put_in":
            vessels = [o for o in free if o.shape in _VESSELS and o is not t and o.id not in (t.inside, t.on)]
            if not vessels or self.rng.random() < 0.08:
                vessels += [o for o in free if o.shape == "cup" and o is not t and t.size == "small"]
            r = self.one_of(vessels)
        elif family == "stack":
            bases = [o for o in top if o.shape in STACK_BASES and o.id not in self.burdened]
            r = self.one_of([o for o in bases if o is not t])
        else:
            r = self.one_of([o for o in free if o is not t and o.inside is None and o.on is None])
        if relation is None:
            if family == "put_in":
                on = {"plate": 0.85, "tray": 0.5}.get(r.shape, 0.0)
                relation = "on" if self.rng.random() < on else "in"
            else:
                relation = "on" if family == "stack" else self.rng.choice(BESIDE)
        return t, relation, r

    def one_of(self, things: list[Thing]) -> Thing:
        if not things:
            raise UnsuitedError
        return things[int(self.rng.random() * len(things))]

    # -- phrases --------------------------------------------------------------------------------

    def phrase(self, thing: Thing, *, simple: bool = False, role: str = "") -> Phrase:
        """A phrase for a thing: exactly it, or with the fault asked for."""
        kinds = PLAIN_KINDS if self.style.plain else SIMPLE_KINDS if simple else self.kinds
        if kinds is None:
            kinds = MIXED_KINDS if self.rng.random() < (0.4 if role == "target" else 0.2) else SIMPLE_KINDS
        expr, _ = refer_to(thing, self.things, self.rng, kinds)
        if self.fault == f"absent_{role}":
            absent = make_absent(expr, self.things, self.rng, self.avoid)
            if absent is None:
                raise UnsuitedError
            expr = absent
        elif self.fault == f"ambiguous_{role}":
            expr = self.ambiguous(thing)
        elif not means_only(expr, thing, self.things):
            raise UnsuitedError
        return speak(expr, self.rng, self.style)

    def contrast(self, before: Expr, thing: Thing) -> Kind | None:
        """What tells a thing from another of its kind that was just named: its colour, or its size."""
        if not isinstance(before, Kind) or before.shapes is None or thing.shape not in before.shapes:
            return None
        color, size = Kind(before.shapes, thing.color), Kind(before.shapes, None, thing.size)
        if before.color != thing.color and means_only(color, thing, self.things):
            return color
        if before.size not in (None, thing.size) and means_only(size, thing, self.things):
            return size
        return None

    def target_phrase(self, thing: Thing, *, simple: bool) -> Phrase:
        """A phrase for what is picked, remembered as what a later "one" leans on."""
        if self.last_target is None:
            p = self.phrase(thing, simple=simple, role="target")
        else:
            p = self.after(self.last_target, thing, simple=simple, role="target")
        self.last_target = p
        return p

    def ambiguous(self, thing: Thing) -> Kind:
        shape = frozenset((thing.shape,))
        tries = [Kind(shape), Kind(None, thing.color), Kind(shape, thing.color)]
        fitting = [k for k in tries if sum(k.fits(t) for t in self.things) > 1]
        if not fitting:
            raise UnsuitedError
        return self.rng.choice(fitting)

    def after(self, before: Phrase, thing: Thing, *, simple: bool = False, role: str = "reference") -> Phrase:
        """A phrase for a thing named after another, now and then as "the blue one".

        Where a noun went before, "one" stands for it, so no other phrase here says "one".
        """
        if before.head is None or self.fault is not None:
            return self.phrase(thing, simple=simple, role=role)
        contrast = self.contrast(before.expr, thing)
        if contrast is not None and self.rng.random() < 0.45:
            return one_phrase(contrast, before.head, self.rng, self.style)
        for _ in range(8):
            p = self.phrase(thing, simple=simple, role=role)
            if all(w.text != "one" for w in p.words):
                return p
        return speak(shortest(thing, self.things), self.rng, Style(self.style.split, True))

    def relation_words(self, family: str, relation: str, r: Thing) -> list[Word]:
        rule = relation
        if r.shape == "plate" and relation in ("in", "on"):
            rule = f"{relation}_plate"
        elif family == "put_beside" and relation == NEXT_TO and self.rng.random() < 0.25:
            rule = "next_to"
        return WORDING.say(rule, self.rng, {}, self.frame)

    # -- families -------------------------------------------------------------------------------

    def pick(self, t: Thing, *, simple: bool = False, statement: bool = True) -> Draft:
        p = self.target_phrase(t, simple=simple)
        rule, slots = "pick", {"T": p.spoken}
        host = self.by_id.get(t.inside or "")
        if host is not None and not self.fault and self.rng.random() < 0.4:
            rule, slots["H"] = "pick_out", self.phrase(host, simple=True).spoken
        elif statement and self.rng.random() < self.statements:
            rule = "pick_statement"
        words = WORDING.say(rule, self.rng, slots, self.frame)
        step = DraftStep("pick", p.words, target_ids=referents(p.expr, self.things))
        return Draft(words, [step], "pick", rule != "pick_statement")

    def put(
        self, family: str, t: Thing, relation: str, r: Thing, *, simple: bool = False, statement: bool = True
    ) -> Draft:
        p = self.target_phrase(t, simple=simple)
        pr = self.after(p, r, simple=simple)
        rule = "stack" if family == "stack" else "put"
        if statement and self.rng.random() < self.statements:
            rule += "_statement"
        slots = {"T": p.spoken, "R": pr.spoken, "REL": self.relation_words(family, relation, r)}
        words = WORDING.say(rule, self.rng, slots, self.frame)
        steps = [
            DraftStep("pick", p.words, target_ids=referents(p.expr, self.things)),
            DraftStep("place", None, relation, pr.words, reference_ids=referents(pr.expr, self.things)),
        ]
        return Draft(words, steps, family, not rule.endswith("_statement"))

    def place_held(self) -> Draft:
        family = self.rng.choice(("put_in", "put_beside", "put_beside", "stack"))
        _, relation, r = self.pair(family)
        p = self.phrase(r, role="reference")
        slots = {"R": p.spoken, "REL": self.relation_words(family, relation, r)}
        words = WORDING.say("place_held", self.rng, slots, self.frame)
        step = DraftStep("place", None, relation, p.words, reference_ids=referents(p.expr, self.things))
        return Draft(words, [step], "place_held")

    def home(self) -> Draft:
        words = WORDING.say("home", self.rng, {}, self.frame)
        return Draft(words, [DraftStep("home")], "home", not any(w.novel for w in words))

    def nothing(self) -> Draft:
        if self.things and self.frame == "train" and self.rng.random() < _TALK_SHARE:
            make = make_question if self.rng.random() < 0.6 else make_statement
            text = make(self.rng, self.things, noise=CLEAN, avoid_pairs=self.avoid).text
            return Draft(words_of(text), [], "none", False)
        things = [self.rng.choice(self.things) for _ in range(2)] if self.things else []
        if len(things) < 2:
            phrases = [words_of("the red cube"), words_of("the bowl")]
        else:
            exprs = [refer_to(t, self.things, self.rng, SIMPLE_KINDS)[0] for t in things]
            phrases = [speak(e, self.rng, self.style).spoken for e in exprs]
        shape = frozenset((self.rng.choice(GRASPABLE),))
        plural = speak(Kind(shape), self.rng, Style(plain=True), plural=True).words[-1:]
        words = chatter(self.rng, phrases[0], phrases[1], plural, self.frame)
        return Draft(words, [], "none", False)
