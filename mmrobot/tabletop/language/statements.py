"""Statements about a scene and whether they hold: what `verify` has to judge.

As many are true as false in every kind, and a false one differs little from a true one. Nothing
near a threshold is stated, and a phrase inside means exactly one thing unless being there is the point.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mmrobot.tabletop.language.claiming import Claimed, ClaimMaker
from mmrobot.tabletop.language.claims import Claim, Denied, PresuppositionError, true_of
from mmrobot.tabletop.language.grammar import Split, Word
from mmrobot.tabletop.language.meaning import CLEAR_MARGIN_M, UnclearError
from mmrobot.tabletop.language.noise import TRAINING, Noise, render
from mmrobot.tabletop.language.phrases import Style
from mmrobot.tabletop.language.referring import Pairs
from mmrobot.tabletop.language.talk_wording import TALK
from mmrobot.tabletop.language.talker import NoClaimError
from mmrobot.tabletop.language.things import Thing

STATEMENT_KINDS: dict[str, float] = {
    "exists": 13, "empty": 22, "relation": 24, "count": 14, "attribute": 26, "comparison": 20, "label": 18,
}  # fmt: skip
MAX_TALK_WORDS = 40
_TRIES = 12
_DENIED = 0.25


@dataclass(frozen=True)
class Statement:
    """A sentence about a scene and whether it holds. `kind`: one of STATEMENT_KINDS; `claim`: its meaning."""

    text: str
    holds: bool
    kind: str
    claim: Claim


def make_statement(
    rng: random.Random,
    things: Sequence[Thing],
    *,
    kind: str | None = None,
    split: Split = "train",
    noise: Noise = TRAINING,
    avoid_pairs: Pairs = (),
) -> Statement:
    """A random statement, true as often as false.

    `kind`: one of STATEMENT_KINDS, or None for a mix that the scene allows; a kind that the scene has
    nothing for gives way to "exists". `avoid_pairs` (colour, shape) are never named together of
    things that are not there. `things` may be empty: then only their absence is spoken of.
    """
    kinds = (
        [kind] * _TRIES
        if kind
        else rng.choices(list(STATEMENT_KINDS), list(STATEMENT_KINDS.values()), k=_TRIES)
    )
    holds = rng.random() < 0.5
    denied = rng.random() < _DENIED
    for name in (*kinds, *("exists",) * _TRIES):
        if not things:
            name, denied = "exists", holds
        frame, phrases = talk_splits(rng, split)
        try:
            made = claimed(name, holds != denied, rng, things, Style(phrases), avoid_pairs)
        except NoClaimError:
            continue
        words = TALK.say(made.rule + "_no" if denied else made.rule, rng, made.slots, frame)
        if not fits_split(words, split, frame):
            continue
        text = render(words, rng, noise, ask=False)[2]
        return Statement(text, holds, name, Denied(made.claim) if denied else made.claim)
    raise RuntimeError(f"no statement about {len(things)} things")


def talk_splits(rng: random.Random, split: Split) -> tuple[Split, Split]:
    """The splits of sentence and phrases. Held-out speech is new in one of them, mostly the sentence."""
    if split == "train":
        return ("train", "train")
    return ("heldout", "train") if rng.random() < 0.8 else ("train", "heldout")


def fits_split(words: Sequence[Word], split: Split, frame: Split) -> bool:
    """Short enough, and new where it has to be."""
    return len(words) <= MAX_TALK_WORDS and (split == "train" or any(w.novel for w in words))


def claimed(
    kind: str, holds: bool, rng: random.Random, things: Sequence[Thing], style: Style, avoid: Pairs
) -> Claimed:
    """A claim of a kind that is true or false as asked for. Raises NoClaimError."""
    maker = ClaimMaker(rng, things, style, avoid)
    makers: dict[str, Callable[[bool], Claimed]] = {
        "exists": maker.exists, "empty": maker.empty, "relation": maker.relation, "count": maker.count,
        "attribute": maker.attribute, "comparison": maker.comparison, "label": maker.label,
    }  # fmt: skip
    if kind not in makers:
        raise ValueError(f"unknown kind '{kind}', known: {', '.join(makers)}")
    try:
        made = makers[kind](holds)
        if true_of(made.claim, things, CLEAR_MARGIN_M) is not holds:
            raise NoClaimError
    except (UnclearError, PresuppositionError) as error:
        raise NoClaimError from error
    return made
