"""Commands with their meaning: a scene in, a sentence and its plan out.

Decisions: "give me" and "bring me" are picks (the arm hands nothing over). "next to", "beside" and
"near" are placed at NEXT_TO. "to the tray" is into it, "to the plate" onto it; otherwise the
person's own "in" or "on" is the relation.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from mmrobot.command.text import MAX_WORDS
from mmrobot.tabletop.language.acts import Maker
from mmrobot.tabletop.language.drafts import Command, Draft, finish
from mmrobot.tabletop.language.everyday import EverydayMaker
from mmrobot.tabletop.language.grammar import Split
from mmrobot.tabletop.language.noise import TRAINING, Noise, render
from mmrobot.tabletop.language.phrases import Style
from mmrobot.tabletop.language.referring import Pairs
from mmrobot.tabletop.language.single import NEXT_TO, UnsuitedError
from mmrobot.tabletop.language.things import Thing

__all__ = ["FAMILIES", "FAULTS", "NEXT_TO", "make_command"]

FAMILIES: dict[str, float] = {
    "pick": 16, "put_in": 22, "put_beside": 20, "stack": 14, "tower": 5, "sequence": 12, "place_held": 3,
    "home": 3, "none": 10,
    "push": 6, "all": 6, "negation": 4, "some": 10, "sort": 4, "different": 3, "swap": 3, "pyramid": 1.5,
    "table": 3,
    "conditional": 8, "avoid": 4, "put_back": 4, "again": 3.5, "instead": 4, "other": 1.2, "not_that": 1.2,
    "resume": 1.2, "other_thing": 1,
}  # fmt: skip
EVERYDAY = 0.2
"""Of mixed commands, those of everyday.py."""
# Held-out speech is spoken again until something in it is new, all speech until it is short enough.
_TRIES = 12
FAULTS = ("absent_target", "absent_reference", "ambiguous_target", "ambiguous_reference")


def make_command(
    rng: random.Random,
    things: Sequence[Thing],
    *,
    family: str | None = None,
    target: str | None = None,
    reference: str | None = None,
    relation: str | None = None,
    fault: str | None = None,
    split: Split = "train",
    noise: Noise = TRAINING,
    kinds: dict[str, float] | None = None,
    plain: bool = False,
    avoid_pairs: Pairs = (),
    mixed: bool = False,
) -> Command | None:
    """A random command over a scene; None when the scene has nothing for the family asked for.

    `family`: one of FAMILIES, or None for a mix that the scene allows. `target`, `reference` (ids)
    and `relation` fix what is meant (pick, put_in, put_beside, stack). `fault`: one of FAULTS, makes
    one phrase mean nothing or several. `kinds`: which expressions are used (default: mostly simple).
    `plain`: plain words only. `mixed`: for training; sequences may have pushes and sets among their parts,
    and some commands are of everyday.py. Without a fault every phrase means exactly one thing, clearly. No
    command is longer than an instruction may be (MAX_WORDS).
    """
    if mixed and not (family or fault) and rng.random() < EVERYDAY:
        family = "everyday"
    tries = [family] if family else [*rng.choices(list(FAMILIES), list(FAMILIES.values()), k=6), "none"]
    command = None
    for _ in range(_TRIES):
        frame, phrases, polite = _splits(rng, split)
        style = Style(phrases, plain)
        maker = (EverydayMaker if mixed else Maker)(rng, things, style, frame, kinds, fault, avoid_pairs)
        maker.mixed = mixed
        draft = _first(maker, tries, target, reference, relation)
        if draft is None:
            if split == "train":
                return None
            continue
        words, spans, text = render(draft.words, rng, noise, ask=draft.imperative, split=polite)
        if sum(map(len, spans.values())) > MAX_WORDS:
            continue
        command = finish(draft, text, spans, split)
        if split == "train" or any(w.novel for w in words):
            break
    return command


def _splits(rng: random.Random, split: Split) -> tuple[Split, Split, Split]:
    """The splits of sentence, phrases and courtesy. Held-out speech is new in one or two of them."""
    if split == "train":
        return ("train", "train", "train")
    shares = (0.7, 0.25, 0.3)
    frame, phrases, polite = ("heldout" if rng.random() < s else "train" for s in shares)
    return frame, phrases, polite  # type: ignore[return-value]


def _first(
    maker: Maker, families: Sequence[str], target: str | None, reference: str | None, relation: str | None
) -> Draft | None:
    """A draft of the first family that the scene suits."""
    for name in families:
        try:
            return _make(maker, name, target, reference, relation)
        except UnsuitedError:
            continue
    return None


def _make(
    maker: Maker, family: str, target: str | None, reference: str | None, relation: str | None
) -> Draft:
    maker.last_target = None
    t, r = maker.by_id.get(target or ""), maker.by_id.get(reference or "")
    simple: dict[str, Callable[[], Draft]] = {
        "home": maker.home, "none": maker.nothing, "tower": maker.tower, "sequence": maker.sequence,
        "place_held": maker.place_held, "all": lambda: maker.all(r), "some": lambda: maker.some(r),
        "negation": lambda: maker.all(r, negated=True), "sort": maker.sort, "different": maker.different,
        "push": lambda: maker.push(t, relation, r), "swap": maker.swap, "pyramid": maker.pyramid,
        "table": lambda: maker.table(t), "conditional": maker.conditional, "avoid": lambda:
        maker.careful(t, r),
        "put_back": lambda: maker.put_back(t), "again": lambda: maker.act_again(t),
        "instead": lambda: maker.act_instead(t, r), "other": maker.act_other, "not_that": maker.act_not_that,
        "resume": maker.act_resume, "other_thing": maker.other_thing,
    }  # fmt: skip
    if family == "everyday" and isinstance(maker, EverydayMaker):
        return maker.everyday()
    if family in simple:
        return simple[family]()
    if family.startswith("composed_"):
        return maker.composed(family.removeprefix("composed_"))
    if family == "pick":
        return maker.pick(maker.target(target))
    if family in ("put_in", "put_beside", "stack"):
        return maker.put(family, *maker.pair(family, target, reference, relation))
    raise ValueError(f"unknown family '{family}', known: {', '.join(FAMILIES)}")
