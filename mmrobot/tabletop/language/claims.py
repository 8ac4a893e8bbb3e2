"""What a statement claims: a small tree over referring expressions, true or false of a scene."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mmrobot.tabletop.language.meaning import (
    CLEAR_VOLUME_RATIO,
    Expr,
    UnclearError,
    referents,
    stands,
    volume_m3,
)
from mmrobot.tabletop.language.things import Thing

TESTS = ("exactly", "at_least", "at_most", "more_than", "fewer_than")
COMPARISONS = ("larger", "smaller", "same_color", "same_shape")


class PresuppositionError(Exception):
    """A phrase that should mean one thing means none or several. Never leaves this package."""


@dataclass(frozen=True)
class Amount:
    """The number of things that `expr` means passes a test of TESTS against `number`."""

    expr: Expr
    test: str
    number: int


@dataclass(frozen=True)
class Is:
    """The one `subject` is among what `what` means: an attribute, a label, a superlative."""

    subject: Expr
    what: Expr


@dataclass(frozen=True)
class Stands:
    """The one `subject` is in a relation (DIRECTIONS, in, on, under) to the one `reference`."""

    subject: Expr
    relation: str
    reference: Expr


@dataclass(frozen=True)
class Compared:
    """A comparison of COMPARISONS of the one `subject` with the one `reference`; larger: by outer volume."""

    subject: Expr
    comparison: str
    reference: Expr


@dataclass(frozen=True)
class Denied:
    """It is not so."""

    claim: Claim


Claim = Amount | Is | Stands | Compared | Denied


def true_of(claim: Claim, things: Sequence[Thing], margin_m: float = 0.0) -> bool:
    """Whether a claim holds. Raises UnclearError (margin_m > 0 only) and PresuppositionError."""
    match claim:
        case Denied(inner):
            return not true_of(inner, things, margin_m)
        case Amount(expr, test, number):
            return passes(len(referents(expr, things, margin_m)), test, number)
        case Is(subject, what):
            return _one(subject, things, margin_m).id in referents(what, things, margin_m)
        case Stands(subject, relation, reference):
            t, r = _one(subject, things, margin_m), _one(reference, things, margin_m)
            return stands(relation, t, r, margin_m)
        case Compared(subject, comparison, reference):
            t, r = _one(subject, things, margin_m), _one(reference, things, margin_m)
            return compares(t, comparison, r, margin_m)


def passes(count: int, test: str, number: int) -> bool:
    """Whether a count passes a test of TESTS."""
    match test:
        case "exactly":
            return count == number
        case "at_least":
            return count >= number
        case "at_most":
            return count <= number
        case "more_than":
            return count > number
        case "fewer_than":
            return count < number
    raise ValueError(f"unknown test '{test}', known: {', '.join(TESTS)}")


def compares(t: Thing, comparison: str, r: Thing, margin_m: float = 0.0) -> bool:
    """A comparison of two things; sizes too close to tell raise UnclearError when margin_m > 0."""
    match comparison:
        case "same_color":
            return t.color == r.color
        case "same_shape":
            return t.shape == r.shape
    ratio = volume_m3(t) / volume_m3(r)
    if margin_m > 0 and 1 / CLEAR_VOLUME_RATIO < ratio < CLEAR_VOLUME_RATIO:
        raise UnclearError
    return ratio > 1 if comparison == "larger" else ratio < 1


def subject_ids(claim: Claim, things: Sequence[Thing]) -> frozenset[str]:
    """The things that a claim is about, for showing them."""
    match claim:
        case Denied(inner):
            return subject_ids(inner, things)
        case Amount(expr, _, _):
            return referents(expr, things)
    return referents(claim.subject, things)


def _one(expr: Expr, things: Sequence[Thing], margin_m: float) -> Thing:
    ids = referents(expr, things, margin_m)
    if len(ids) != 1:
        raise PresuppositionError(f"{expr} means {len(ids)} things")
    (thing,) = (t for t in things if t.id in ids)
    return thing
