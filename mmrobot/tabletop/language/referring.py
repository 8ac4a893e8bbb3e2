"""Referring expressions for training: a scene in, words and what they point at out.

Every expression is checked by the evaluator with margins, so none is borderline. Absent ones are
present ones with one attribute changed, so that neither words nor picture alone give them away.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import chain

from mmrobot.tabletop.language.grammar import Split
from mmrobot.tabletop.language.lexicon import CATEGORIES
from mmrobot.tabletop.language.meaning import (
    CLEAR_MARGIN_M,
    DIRECTIONS,
    ORDERS,
    Both,
    Expr,
    Extreme,
    Kind,
    Middle,
    Nearest,
    Related,
    UnclearError,
    Without,
    referents,
)
from mmrobot.tabletop.language.noise import CLEAN, Noise, render
from mmrobot.tabletop.language.phrases import Phrase, Style, all_but, every, speak
from mmrobot.tabletop.language.things import LABEL_DIGITS, LABEL_LETTERS, Thing, random_label
from mmrobot.tabletop.objects import LABELLED, SHAPES, SIZES, TRAINED_COLORS

# kind -> share among the expressions made for one thing.
KINDS: dict[str, float] = {
    "color_shape": 6, "color": 3, "shape": 3, "size": 2, "extreme": 4, "rank": 3, "middle": 0.8,
    "relation": 4.5, "nearest": 1.2, "in": 1, "under": 0.4, "not": 1.5, "category": 1.5, "label": 2,
}  # fmt: skip
SIMPLE_KINDS: dict[str, float] = {
    "color_shape": 10,
    "color": 1,
    "shape": 2,
    "size": 1.2,
    "category": 0.6,
    "label": 1,
}
PLAIN_KINDS: dict[str, float] = {"color_shape": 10, "color": 1, "shape": 2, "size": 1.2}
MIXED_KINDS: dict[str, float] = {name: SIMPLE_KINDS.get(name, 0) * 4 + share for name, share in KINDS.items()}
_TRIES = 14

Pairs = Collection[tuple[str, str]]


@dataclass(frozen=True)
class Expression:
    """A phrase and the ids of all things that it means: none, one or several."""

    text: str
    referents: frozenset[str]
    kind: str
    expr: Expr


def refer_to(
    thing: Thing,
    things: Sequence[Thing],
    rng: random.Random,
    kinds: dict[str, float] = MIXED_KINDS,
) -> tuple[Expr, str]:
    """A clear expression that means exactly this thing, and its kind; falls back to any that works."""
    names, weights = list(kinds), list(kinds.values())
    for kind in rng.choices(names, weights, k=_TRIES):
        expr = candidate(kind, thing, things, rng)
        if expr is not None and means_only(expr, thing, things):
            return expr, kind
    return shortest(thing, things), "shortest"


def clearly(expr: Expr, things: Sequence[Thing]) -> frozenset[str] | None:
    """The referents, or None where a comparison is borderline."""
    try:
        return referents(expr, things, CLEAR_MARGIN_M)
    except UnclearError:
        return None


def means_only(expr: Expr, thing: Thing, things: Sequence[Thing]) -> bool:
    """Whether an expression clearly means exactly this thing."""
    return clearly(expr, things) == frozenset((thing.id,))


def shortest(thing: Thing, things: Sequence[Thing]) -> Expr:
    """The simplest expression that means only this thing; the fullest attributes where none does."""
    shape = frozenset((thing.shape,))
    color_shape = Kind(shape, thing.color)
    tries: list[Expr] = [Kind(shape), color_shape, Kind(shape, None, thing.size)]
    tries.append(Kind(shape, thing.color, thing.size))
    tries += [Extreme(base, order) for base in (Kind(shape), color_shape) for order in ORDERS[:4]]
    related = (
        Related(color_shape, relation, Kind(frozenset((r.shape,)), r.color))
        for r in things
        if r.id != thing.id
        for relation in ("in", "on", "under", *DIRECTIONS)
    )
    last = (Extreme(color_shape, order, rank) for order in ORDERS[:2] for rank in (1, 2))
    fitting = (e for e in chain(tries, related, last) if means_only(e, thing, things))
    return next(fitting, Kind(shape, thing.color, thing.size))


def describe_phrase(thing: Thing, things: Sequence[Thing]) -> str:
    """The shortest unambiguous phrase for a thing: "cube", else "red cube", else "leftmost red cube" ..."""
    phrase = speak(shortest(thing, things), random.Random(0), Style(plain=True))
    return " ".join(w.text for w in phrase.words)


def make_expression(
    rng: random.Random,
    things: Sequence[Thing],
    *,
    want: str | None = None,
    kinds: dict[str, float] = KINDS,
    split: Split = "train",
    noise: Noise = CLEAN,
    avoid_pairs: Pairs = (),
) -> Expression:
    """A random expression over a scene.

    `want`: "one", "none" (absent), "several" (plural, conjunction or ambiguous); None mixes them
    about 70, 12 and 18 in a hundred. `avoid_pairs` (colour, shape) are never named together by an
    absent phrase. `things` must not be empty.
    """
    want = want or rng.choices(("one", "none", "several"), (70, 12, 18))[0]
    if split == "heldout":
        # Some expressions have no held-out wording ("the red cube"); a few tries find one that has.
        for _ in range(_TRIES):
            made = _made(rng, things, want, kinds, Style(split), avoid_pairs)
            if any(w.novel for w in made[0].words):
                break
    else:
        made = _made(rng, things, want, kinds, Style(split), avoid_pairs)
    text = render(made[0].spoken, rng, noise, ask=False)[2]
    return Expression(text, referents(made[0].expr, things), made[1], made[0].expr)


def _made(
    rng: random.Random,
    things: Sequence[Thing],
    want: str,
    kinds: dict[str, float],
    style: Style,
    avoid_pairs: Pairs,
) -> tuple[Phrase, str]:
    """A phrase and its kind."""
    if want == "several":
        made = _several(rng, things, style)
        if made is not None:
            return made
    expr, kind = _one(things, rng, kinds)
    if want == "none":
        absent = make_absent(expr, things, rng, avoid_pairs)
        if absent is not None:
            return speak(absent, rng, style), f"absent_{kind}"
    return speak(expr, rng, style), kind


def _one(things: Sequence[Thing], rng: random.Random, kinds: dict[str, float]) -> tuple[Expr, str]:
    """A clear expression for some one thing. The kind is drawn first, so that rare ones keep their share."""
    for kind in rng.choices(list(kinds), list(kinds.values()), k=_TRIES):
        for thing in rng.sample(things, len(things)):
            expr = candidate(kind, thing, things, rng)
            if expr is not None and means_only(expr, thing, things):
                return expr, kind
    return refer_to(rng.choice(things), things, rng, kinds)


def make_absent(
    expr: Expr, things: Sequence[Thing], rng: random.Random, avoid_pairs: Pairs = ()
) -> Expr | None:
    """The expression with one attribute changed so that it clearly means nothing; None if none was found."""
    for _ in range(_TRIES):
        changed = _changed(expr, things, rng, avoid_pairs)
        if changed is not None and clearly(changed, things) == frozenset():
            return changed
    return None


def candidate(kind: str, thing: Thing, things: Sequence[Thing], rng: random.Random) -> Expr | None:
    """An expression of a kind of KINDS that is true of a thing, perhaps of others too; None if none suits."""
    shape = frozenset((thing.shape,))
    match kind:
        case "color_shape":
            return Kind(shape, thing.color)
        case "color":
            return Kind(None, thing.color)
        case "shape":
            return Kind(shape)
        case "size":
            color = thing.color if rng.random() < 0.6 else None
            # Mostly only where a thing of another size gives the word its sense.
            contrast = any(t.shape == thing.shape and t.size != thing.size for t in things)
            return Kind(shape, color, thing.size) if contrast or (color and rng.random() < 0.3) else None
        case "category":
            fitting = [c for c in CATEGORIES if thing.shape in c]
            return Kind(rng.choice(fitting), thing.color if rng.random() < 0.7 else None) if fitting else None
        case "label":
            return _labelled(thing, rng)
        case "extreme" | "rank" | "middle":
            return _ordered(kind, thing, things, rng)
        case "relation" | "nearest" | "in" | "under":
            return _relative(kind, thing, things, rng)
        case "not":
            return _negated(thing, things, rng)
    raise ValueError(f"unknown kind '{kind}'")


def _labelled(thing: Thing, rng: random.Random) -> Kind | None:
    """ "the tray marked A7", "the one labelled A7"; a plain shape mostly."""
    if thing.label is None:
        return None
    x, shape = rng.random(), frozenset((thing.shape,))
    if x < 0.2:
        return Kind(None, None, None, thing.label)
    fitting = [c for c in CATEGORIES if thing.shape in c]
    if x < 0.35 and fitting:
        return Kind(rng.choice(fitting), None, None, thing.label)
    return Kind(shape, thing.color if x > 0.8 else None, None, thing.label)


def _base(thing: Thing, rng: random.Random, *, generic: float = 0.2) -> Kind:
    """A loose description that others may share."""
    x, shape = rng.random(), frozenset((thing.shape,))
    if x < generic:
        return Kind(None, thing.color) if rng.random() < 0.5 else Kind()
    return Kind(shape, thing.color) if x > 0.8 else Kind(shape)


def _ordered(kind: str, thing: Thing, things: Sequence[Thing], rng: random.Random) -> Expr | None:
    base = _base(thing, rng)
    several = [t for t in things if base.fits(t)]
    if len(several) < 2:
        return None
    if kind == "middle":
        return Middle(base)
    order = ORDERS[int(rng.random() * (6 if base.shapes or rng.random() < 0.3 else 4))]
    if kind == "extreme":
        return Extreme(base, order)
    if len(several) < 3:
        return None
    return Extreme(base, order, rng.randint(1, min(len(several), 4) - 1))


def _relative(kind: str, thing: Thing, things: Sequence[Thing], rng: random.Random) -> Expr | None:
    if len(things) < 2:
        return None
    base = _base(thing, rng)
    by_id = {t.id: t for t in things}
    host = by_id.get(thing.inside or thing.on or "")
    if kind == "in":
        if host is None:
            return None
        relation = "in" if thing.inside and (host.shape != "tray" or rng.random() < 0.5) else "on"
        return Related(base, relation, _simple(host, things, rng))
    if kind == "under":
        above = [t for t in things if thing.id in (t.on, t.inside)]
        return Related(base, "under", _simple(above[0], things, rng)) if above else None
    other = rng.choice([t for t in things if t is not thing])
    reference = _simple(other, things, rng)
    if kind == "nearest":
        return Nearest(base, reference)
    return Related(base, rng.choice(tuple(DIRECTIONS)), reference)


def _simple(thing: Thing, things: Sequence[Thing], rng: random.Random) -> Expr:
    shape = frozenset((thing.shape,))
    tries = [Kind(shape), Kind(shape, thing.color), Kind(None, thing.color)]
    if rng.random() < 0.5:
        tries[0], tries[1] = tries[1], tries[0]
    fitting = (e for e in tries if sum(e.fits(t) for t in things) == 1)
    return next(fitting, Kind(shape, thing.color, thing.size))


def _negated(thing: Thing, things: Sequence[Thing], rng: random.Random) -> Expr | None:
    shape = frozenset((thing.shape,))
    if rng.random() < 0.5:
        others = [t.shape for t in things if t.color == thing.color and t.shape != thing.shape]
        return Without(Kind(None, thing.color), Kind(frozenset((rng.choice(others),)))) if others else None
    hues = [t.color for t in things if t.shape == thing.shape and t.color != thing.color]
    return Without(Kind(shape), Kind(None, rng.choice(hues))) if hues else None


def _several(rng: random.Random, things: Sequence[Thing], style: Style) -> tuple[Phrase, str] | None:
    """Plural, conjunction, or an ambiguous singular, with at least two referents."""
    for _ in range(_TRIES):
        thing, x = rng.choice(things), rng.random()
        if x < 0.25:
            other = rng.choice(things)
            parts = tuple(refer_to(t, things, rng, SIMPLE_KINDS)[0] for t in (thing, other))
            if thing is not other and all(clearly(p, things) for p in parts):
                return speak(Both(parts), rng, style), "conjunction"
            continue
        if x > 0.92:
            kept = _all_but(thing, things, rng)
            if kept is not None:
                return all_but(kept.base, kept.excluded, rng, style), "except"
            continue
        expr: Expr = _plural_base(thing, things, rng)
        found = clearly(expr, things)
        if found is None or len(found) < 2:
            continue
        if x < 0.65:
            return (every if rng.random() < 0.12 and expr != Kind() else _all)(expr, rng, style), "plural"
        if expr != Kind():
            return speak(expr, rng, style), "ambiguous"
    return None


def _all_but(thing: Thing, things: Sequence[Thing], rng: random.Random) -> Without | None:
    """All of a kind, or everything, without one thing or one kind; at least one is left."""
    shape = frozenset((thing.shape,))
    base = rng.choice((Kind(), Kind(), Kind(shape), Kind(None, thing.color)))
    kinds = (Kind(shape), Kind(shape, thing.color), Kind(None, thing.color), shortest(thing, things))
    excluded = rng.choice(kinds)
    meant = clearly(Without(base, excluded), things)
    return Without(base, excluded) if meant and len(meant) < len(referents(base, things)) else None


def _all(expr: Expr, rng: random.Random, style: Style) -> Phrase:
    return speak(expr, rng, style, plural=True)


def _plural_base(thing: Thing, things: Sequence[Thing], rng: random.Random) -> Expr:
    shape, x = frozenset((thing.shape,)), rng.random()
    if x < 0.3:
        return Kind(shape)
    if x < 0.5:
        return Kind(None, thing.color)
    if x < 0.65:
        return Kind(shape, thing.color)
    if x < 0.72:
        return Kind()
    if x < 0.8:
        return Kind(shape, None, thing.size)
    if x < 0.87:
        fitting = [c for c in CATEGORIES if thing.shape in c]
        return Kind(rng.choice(fitting)) if fitting else Kind(shape)
    if x < 0.94:
        return _negated(thing, things, rng) or Kind(shape)
    other = rng.choice(things)
    return Related(Kind(shape), rng.choice((*DIRECTIONS, "in", "on")), _simple(other, things, rng))


def _changed(expr: Expr, things: Sequence[Thing], rng: random.Random, avoid_pairs: Pairs) -> Expr | None:
    """One attribute of one Kind in the tree swapped for another."""
    match expr:
        case Kind():
            return _changed_kind(expr, things, rng, avoid_pairs)
        case Without(base, excluded):
            new = _changed(base, things, rng, avoid_pairs)
            return Without(new, excluded) if new else None
        case Extreme(base, order, rank):
            new = _changed(base, things, rng, avoid_pairs)
            return Extreme(new, order, rank) if new else None
        case Middle(base):
            new = _changed(base, things, rng, avoid_pairs)
            return Middle(new) if new else None
        case Related(base, relation, reference) if rng.random() < 0.5:
            new = _changed(base, things, rng, avoid_pairs)
            return Related(new, relation, reference) if new else None
        case Related(base, relation, reference):
            new = _changed(reference, things, rng, avoid_pairs)
            return Related(base, relation, new) if new else None
        case Nearest(base, reference):
            new = _changed(base, things, rng, avoid_pairs)
            return Nearest(new, reference) if new else None
    return None


def _changed_kind(kind: Kind, things: Sequence[Thing], rng: random.Random, avoid_pairs: Pairs) -> Kind | None:
    shapes, color, size, label = kind.shapes, kind.color, kind.size, kind.label
    x = rng.random()
    if label and (x < 0.7 or not (color or shapes)):
        label = other_label(label, things, rng)
    elif color and x < 0.5:
        color = rng.choice(TRAINED_COLORS)
    elif shapes and (x < 0.9 or not size):
        shapes = frozenset((rng.choice(SHAPES if label is None else LABELLED),))
    elif size:
        size = SIZES[1 - SIZES.index(size)]
    else:
        return None
    if color and any((color, s) in avoid_pairs for s in shapes or ()):
        return None
    return Kind(shapes, color, size, label)


def other_label(label: str, things: Sequence[Thing], rng: random.Random) -> str:
    """A label that is not this one: of another thing, one that differs by a single sign, or any."""
    others = [t.label for t in things if t.label and t.label != label]
    x = rng.random()
    if others and x < 0.4:
        return rng.choice(others)
    if x < 0.8 and len(label) > 1:
        i = rng.randrange(len(label))
        signs = LABEL_DIGITS if label[i].isdigit() else LABEL_LETTERS
        return label[:i] + rng.choice([c for c in signs if c != label[i]]) + label[i + 1 :]
    other = random_label(rng)
    while other == label:
        other = random_label(rng)
    return other
