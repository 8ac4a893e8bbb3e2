"""Questions about a scene with their answers: what `answer` has to know."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mmrobot.tabletop.language.claiming import ClaimMaker
from mmrobot.tabletop.language.claims import Claim, Denied, subject_ids
from mmrobot.tabletop.language.grammar import Split, Word
from mmrobot.tabletop.language.lexicon import NOUNS
from mmrobot.tabletop.language.meaning import DIRECTIONS, Expr, Kind, Related, UnclearError
from mmrobot.tabletop.language.noise import TRAINING, Noise, render
from mmrobot.tabletop.language.phrases import Style, bare
from mmrobot.tabletop.language.referring import Pairs, clearly, make_absent
from mmrobot.tabletop.language.statements import claimed, fits_split, talk_splits
from mmrobot.tabletop.language.talk_wording import TALK
from mmrobot.tabletop.language.talker import NoClaimError, Slots, relation_to
from mmrobot.tabletop.language.things import Thing
from mmrobot.tabletop.objects import CONTAINERS, LABELLED

ANSWER_KINDS = ("yes_no", "count", "color", "shape", "size", "name", "label", "nothing")
QUESTION_KINDS: dict[str, float] = {
    "yes_no": 34, "count": 14, "color": 16, "shape": 12, "size": 6, "name": 24, "label": 12, "nothing": 4,
}  # fmt: skip
_YES_NO = {
    "exists": 18, "empty": 22, "relation": 22, "count": 8, "attribute": 18, "comparison": 12, "label": 12,
}  # fmt: skip
NOTHING = "nothing"
_TRIES = 12


@dataclass(frozen=True)
class Question:
    """A question and its answer as `answer_text` writes it.

    `referent_ids`: count, those counted; name, those asked for (none: the answer is "nothing");
    color, shape, size, label, the one asked about (a label that is not there: "nothing"); yes_no,
    what the question is about, shown to the asker; nothing: none, since what is asked about is not there.
    `asks`: what is wanted (ANSWER_KINDS but nothing), whatever the answer is; `meaning`: of what, or, for
    yes_no, whether what holds.
    """

    text: str
    answer_kind: str
    answer: str
    referent_ids: frozenset[str]
    asks: str
    meaning: Expr | Claim


@dataclass
class _Asked:
    rule: str
    slots: Slots
    kind: str
    ids: frozenset[str]
    meaning: Expr | Claim
    answer: str | None = None
    asks: str | None = None
    """What is wanted, where that is not the kind of the answer."""


def answer_text(kind: str, things: Sequence[Thing]) -> str:
    """The answer of a kind about the things it is read off; yes_no: "yes" where there are any.

    Colours and the like of several things are joined from left to right; names say how many where
    there are several alike ("two red cubes and the blue ball"). Raises ValueError for an unknown kind.
    """
    if kind not in ANSWER_KINDS:
        raise ValueError(f"unknown kind '{kind}', known: {', '.join(ANSWER_KINDS)}")
    if kind == "yes_no":
        return "yes" if things else "no"
    if kind == "count":
        return str(len(things))
    ordered = sorted(things, key=lambda t: -t.position_m[1])
    if kind == "name":
        said = _names(ordered)
    else:
        said = (
            []
            if kind == "nothing"
            else list(dict.fromkeys(getattr(t, kind) for t in ordered if getattr(t, kind)))
        )
    if not said:
        return NOTHING
    return said[0] if len(said) == 1 else f"{', '.join(said[:-1])} and {said[-1]}"


_COUNTED = ("", "", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def _names(things: Sequence[Thing]) -> list[str]:
    amounts = Counter((t.color, t.shape) for t in things)
    names = []
    for (color, shape), n in amounts.items():
        singular, plural = NOUNS[frozenset((shape,))][0][0]
        number = _COUNTED[n] if n < len(_COUNTED) else str(n)
        names.append(f"the {color} {singular}" if n == 1 else f"{number} {color} {plural}")
    return names


def make_question(
    rng: random.Random,
    things: Sequence[Thing],
    *,
    kind: str | None = None,
    split: Split = "train",
    noise: Noise = TRAINING,
    avoid_pairs: Pairs = (),
) -> Question:
    """A random question over a scene; yes is as frequent as no.

    `kind`: one of QUESTION_KINDS, or None for a mix that the scene allows; a kind that the scene has
    nothing for gives way to "count", which even no things at all have an answer for.
    """
    kinds = (
        [kind] * _TRIES
        if kind
        else rng.choices(list(QUESTION_KINDS), list(QUESTION_KINDS.values()), k=_TRIES)
    )
    yes = rng.random() < 0.5
    for name in (*kinds, *("count",) * _TRIES):
        frame, phrases = talk_splits(rng, split)
        try:
            asked = _asked(name, yes, rng, things, Style(phrases), avoid_pairs)
        except (NoClaimError, UnclearError):
            continue
        words = TALK.say(asked.rule, rng, asked.slots, frame)
        if not fits_split(words, split, frame):
            continue
        words[-1].mark = words[-1].mark or "?"
        text = render(_politely(words, rng), rng, noise, ask=False)[2]
        answer = asked.answer or answer_text(asked.kind, [t for t in things if t.id in asked.ids])
        return Question(text, asked.kind, answer, asked.ids, asked.asks or asked.kind, asked.meaning)
    raise RuntimeError(f"no question about {len(things)} things")


_BEFORE = (
    "please tell me",
    "tell me",
    "robot",
    "hey robot",
    "hello",
    "excuse me",
    "ok",
    "say",
    "quick question",
    "so",
    "and",
    "now",
    "well",
    "please",
)
_AFTER = ("please", "now", "robot", "right now", "at the moment", "then")


def _politely(words: list[Word], rng: random.Random) -> list[Word]:
    """Now and then a few words around the question."""
    x = rng.random()
    if x < 0.1:
        before = [Word(w) for w in rng.choice(_BEFORE).split()]
        before[-1].mark = ","
        return [*before, *words]
    if x < 0.15:
        mark, words[-1].mark = words[-1].mark, ","
        after = [Word(w) for w in rng.choice(_AFTER).split()]
        after[-1].mark = mark
        return [*words, *after]
    return words


def _asked(
    kind: str, yes: bool, rng: random.Random, things: Sequence[Thing], style: Style, avoid: Pairs
) -> _Asked:
    if kind == "yes_no":
        return _yes_no(yes, rng, things, style, avoid)
    maker = ClaimMaker(rng, things, style, avoid)
    makers: dict[str, Callable[[ClaimMaker], _Asked]] = {
        "count": _how_many, "color": _what_color, "shape": _what_shape, "size": _what_size, "name": _name,
        "label": _what_label, "nothing": _about_nothing,
    }  # fmt: skip
    if kind not in makers:
        raise ValueError(f"unknown kind '{kind}', known: {', '.join(QUESTION_KINDS)}")
    return makers[kind](maker)


def _yes_no(yes: bool, rng: random.Random, things: Sequence[Thing], style: Style, avoid: Pairs) -> _Asked:
    (name,) = rng.choices(list(_YES_NO), list(_YES_NO.values()))
    full = name == "empty" and rng.random() < 0.5
    made = claimed(name, yes != full, rng, things, style, avoid)
    rule = "full" if full else made.rule
    ids = subject_ids(made.claim, things)
    claim = Denied(made.claim) if full else made.claim
    return _Asked(f"{rule}_ask", made.slots, "yes_no", ids, claim, "yes" if yes else "no")


def _how_many(m: ClaimMaker) -> _Asked:
    expr: Expr
    if not m.things:
        expr, ids = m.any_kind(), frozenset[str]()
    elif m.rng.random() < 0.12:
        expr, ids = Kind(), frozenset(t.id for t in m.things)
    else:
        pool = m.pool()
        some = [e for e, n in pool if n]
        expr = m.rng.choice(some if some and m.rng.random() < 0.8 else [e for e, _ in pool])
        found = clearly(expr, m.things)
        assert found is not None
        ids = found
    return _Asked("how_many", {"P": bare(expr, m.rng, m.style, plural=True)}, "count", ids, expr)


def _what_color(m: ClaimMaker) -> _Asked:
    t = m.one()
    expr = m.subject(t, ("color",))
    return _Asked("what_color", {"T": m.phrase(expr)}, "color", frozenset((t.id,)), expr)


def _what_shape(m: ClaimMaker) -> _Asked:
    t = m.one()
    expr = m.subject(t, ("shapes",))
    return _Asked("what_shape", {"T": m.phrase(expr)}, "shape", frozenset((t.id,)), expr)


def _what_size(m: ClaimMaker) -> _Asked:
    t = m.one()
    contrast = any(o.shape == t.shape and o.size != t.size for o in m.things)
    if not contrast and m.rng.random() < 0.7:
        raise NoClaimError
    expr = m.subject(t, ("size",))
    return _Asked("what_size", {"T": m.phrase(expr)}, "size", frozenset((t.id,)), expr)


def _what_label(m: ClaimMaker) -> _Asked:
    able = [t for t in m.things if t.shape in LABELLED]
    labelled = [t for t in able if t.label]
    if not labelled and m.rng.random() < 0.7:
        raise NoClaimError
    fitting = labelled if labelled and m.rng.random() < 0.88 else able
    if not fitting:
        raise NoClaimError
    t = m.rng.choice(fitting)
    expr = m.subject(t, ("label",))
    return _Asked("what_label", {"T": m.phrase(expr)}, "label", frozenset((t.id,)), expr)


def _name(m: ClaimMaker) -> _Asked:
    x = m.rng.random()
    if x < 0.25:
        what, first = m.extreme()
        return _Asked("which", {"E": m.phrase(what)}, "name", frozenset((first.id,)), what)
    r = m.one()
    if x < 0.6:
        relation, rule = m.rng.choice(tuple(DIRECTIONS)), "what_is"
    else:
        hosts = [t for t in m.things if t.shape in CONTAINERS]
        full = [h for h in hosts if any(h.id in (t.inside, t.on) for t in m.things)]
        if not hosts:
            raise NoClaimError
        r = m.rng.choice(full if full and m.rng.random() < 0.7 else hosts)
        relation = relation_to(r, m.rng)
        rule = "what_in" if m.rng.random() < 0.25 else "what_is"
    base = Kind()
    if rule == "what_is" and m.rng.random() < 0.3:
        base, rule = Kind(frozenset((m.one().shape,))), "which_one"
    reference = m.subject(r)
    meaning = Related(base, relation, reference)
    ids = clearly(meaning, m.things)
    if ids is None or (not ids and m.rng.random() < 0.5):
        raise NoClaimError
    phrase = m.phrase(reference)
    slots = {
        "R": phrase, "V": phrase, "IN": [Word("in" if relation == "in" else "on")],
        "REL": m.style.say(relation, m.rng), "X": bare(base, m.rng, m.style),
        "P": bare(base, m.rng, m.style, plural=True),
    }  # fmt: skip
    return _Asked(rule, slots, "name", ids, meaning)


def _about_nothing(m: ClaimMaker) -> _Asked:
    """An attribute of a thing that is not there."""
    asks, without = m.rng.choice((("color", ("color",)), ("shape", ("shapes",)), ("size", ("size",))))
    for _ in range(_TRIES):
        absent = make_absent(m.subject(m.one(), without), m.things, m.rng, m.avoid)
        if absent is not None:
            slots = {"T": m.phrase(absent)}
            return _Asked(f"what_{asks}", slots, "nothing", frozenset(), absent, asks=asks)
    raise NoClaimError
