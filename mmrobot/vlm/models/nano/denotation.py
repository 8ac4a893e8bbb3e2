"""What a logical form means among the objects that are seen: probabilities, not yes or no.

Every object belongs to a phrase with some probability, since colours, shapes and places are only
believed. Sets are probabilities (K,) taken as independent; "the second from the left" is the probability
that an object belongs to the base and that exactly one other of it lies further left, summed over all ways
(a Poisson binomial). Such soft programs are those of Mao et al. 2019, "The Neuro-Symbolic Concept Learner"
(arXiv:1904.12584); here the model is taught the programs themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mmrobot.vlm.models.nano import vocabulary as v
from mmrobot.vlm.models.nano.vocabulary import CONTROL

Floats = NDArray[np.float64]

STEP_M = 0.006
"""Between two objects so far apart, it is 73 % sure which of them is further left, behind or nearer."""
STEP_LOG_VOLUME = 0.12
PRINT_TRUST = 0.23
"""Of a print read with 5 % this makes 50 %: of 223 prints as blurred as training shows at most 89 % lie above
that, of sharp ones 96 %; of other words on them 0.3 % and 0.07 % (docs/LOG.md)."""
_NAME = {token: name for names in (
    v.NOUN, v.COLOR, v.SIZE, v.ORDER, v.RANK, v.RELATION, v.TEST, v.NUMBER, v.COMPARISON, v.QUESTION,
) for name, token in names.items()}  # fmt: skip
_AXIS = {"left_of": (1, 1.0), "right_of": (1, -1.0), "behind": (0, 1.0), "in_front_of": (0, -1.0)}
"""Column of `places_m`, and the sign that counts as further so."""


@dataclass(frozen=True, eq=False)
class Beliefs:
    """Of K objects: `real` (K,) that it is a thing with a name; (K, n) of each colour, shape and size;
    `places_m` (K, 2) x, y in base_link; `log_volumes` (K,) of m^3; `rests` (K, K) that i lies in or on j;
    `prints` (K, places, 1 + characters), class 0 for no character, zeros where no print was looked for."""

    real: Floats
    colors: Floats
    shapes: Floats
    sizes: Floats
    places_m: Floats
    log_volumes: Floats
    rests: Floats
    prints: Floats
    label_characters: str

    def noun(self, name: str) -> Floats:
        """Of a noun of NOUNS."""
        members = v.CATEGORIES.get(name, (name,))
        return self.shapes[:, [v.SHAPES.index(s) for s in members]].sum(1)

    def printed(self, text: str) -> Floats:
        """That the print reads so. The reader doubts too much: what it gives 20 % is as likely so as not."""
        at = [self.label_characters.find(c) + 1 for c in text.upper()]
        places = self.prints.shape[1]
        if not text or len(at) > places or 0 in at:
            return np.zeros(len(self.real))
        wanted = at + [0] * (places - len(at))
        read = np.prod([self.prints[:, i, c] for i, c in enumerate(wanted)], axis=0)
        return np.asarray(read**PRINT_TRUST)

    def further(self, order: str) -> Floats:
        """(K, K): that object j comes before object i in an order of ORDERS."""
        x, y = self.places_m.T
        keys = {
            "left": y, "right": -y, "near": -np.hypot(x, y), "far": np.hypot(x, y),
            "large": self.log_volumes, "small": -self.log_volumes,
        }  # fmt: skip
        step = STEP_LOG_VOLUME if order in ("large", "small") else STEP_M
        return _sigmoid((keys[order][None] - keys[order][:, None]) / step)

    def related(self, relation: str) -> Floats:
        """(K, K): that object i is in a relation of RELATIONS to object j."""
        if relation in _AXIS:
            axis, sign = _AXIS[relation]
            value = sign * self.places_m[:, axis]
            return _without_self(_sigmoid((value[:, None] - value[None]) / STEP_M))
        if relation == "under":
            return _without_self(self.rests.T)
        into, onto = self.noun("container"), 1 - self.noun("bowl") - self.noun("cup")
        return _without_self(self.rests * (into if relation == "in" else onto)[None])

    def compared(self, comparison: str) -> Floats:
        """(K, K): that object i compares so with object j, one of COMPARISONS."""
        if comparison in ("same_color", "same_shape"):
            kinds = self.colors if comparison == "same_color" else self.shapes
            return np.asarray(kinds @ kinds.T)
        larger = _sigmoid((self.log_volumes[:, None] - self.log_volumes[None]) / STEP_LOG_VOLUME)
        return larger if comparison == "larger" else 1 - larger


class Answered(NamedTuple):
    """What a question asks (of QUESTION_KINDS), the probability of yes, and of each object (K,) that it is
    what is asked about."""

    asks: str
    holds: float
    about: Floats


class Denotation:
    """Reads one form, from its first token on, over what is believed of the objects."""

    def __init__(self, beliefs: Beliefs, ids: Sequence[int], said: Sequence[str]) -> None:
        self._beliefs, self._ids, self._said = beliefs, list(ids), said
        self._at = 0

    def set(self) -> Floats:
        """(K,) that an object is among what the phrase means."""
        if self._peek() == v.NOT_UNDERSTOOD:
            return np.zeros(len(self._beliefs.real))
        return self._expr()

    def claim(self) -> float:
        """That the statement holds; 0.5 for what was not understood."""
        return 0.5 if self._peek() == v.NOT_UNDERSTOOD else self._claim()

    def answer(self) -> Answered:
        """What the question wants."""
        nobody = np.zeros(len(self._beliefs.real))
        if self._peek() == v.NOT_UNDERSTOOD:
            return Answered("name", 0.5, nobody)
        asks = str(_NAME[self._next()])
        if asks == "yes_no":
            return Answered(asks, self._claim(), nobody)
        return Answered(asks, 0.5, self._expr())

    def _peek(self) -> str:
        i = self._ids[self._at]
        return CONTROL[i] if i < len(CONTROL) else self._said[i - len(CONTROL)]

    def _next(self) -> str:
        token = self._peek()
        self._at += 1
        return token

    def _expr(self) -> Floats:
        b, token = self._beliefs, self._peek()
        if token in v.ORDER.values():
            return self._ordered()
        if token == v.MIDDLE:
            self._next()
            return _middle(self._expr(), b.further("left"))
        if token in v.RELATION.values():
            relation = b.related(str(_NAME[self._next()]))
            base, reference = self._expr(), self._expr()
            return base * _any(relation * reference[None])
        if token == v.NEAREST:
            self._next()
            return self._nearest(self._expr(), self._expr())
        if token == v.WITHOUT:
            self._next()
            base, excluded = self._expr(), self._expr()
            return base * (1 - excluded)
        if token == v.BOTH:
            self._next()
            first, second = self._expr(), self._expr()
            return 1 - (1 - first) * (1 - second)
        return self._kind()

    def _kind(self) -> Floats:
        b = self._beliefs
        p = b.real
        while True:
            token = self._next()
            if token in v.SIZE.values():
                p = p * b.sizes[:, list(v.SIZE.values()).index(token)]
            elif token in v.COLOR.values():
                p = p * b.colors[:, list(v.COLOR.values()).index(token)]
            elif token == v.MARKED:
                p = p * b.printed(self._next())
            else:
                return p * b.noun(str(_NAME[token]))

    def _ordered(self) -> Floats:
        order = str(_NAME[self._next()])
        rank = 1 + v.RANKS.index(str(_NAME[self._next()])) if self._peek() in v.RANK.values() else 0
        base = self._expr()
        before = _without_self(self._beliefs.further(order) * base[None])
        return base * _counts(before)[:, rank] if rank < len(base) else base * 0

    def _nearest(self, base: Floats, reference: Floats) -> Floats:
        places = self._beliefs.places_m
        distance_m = np.linalg.norm(places[:, None] - places[None], axis=-1)
        base = base * (1 - reference)
        closest = np.zeros(len(base))
        for j, weight in enumerate(reference / max(reference.sum(), 1.0)):
            before = _sigmoid((distance_m[:, j][:, None] - distance_m[:, j][None]) / STEP_M) * base[None]
            closest += weight * np.prod(1 - _without_self(before), axis=1)
        return base * closest

    def _claim(self) -> float:
        token = self._next()
        if token == v.NOT:
            return 1 - self._claim()
        if token in v.TEST.values():
            number = int(_NAME[self._next()])
            return _passes(_counts(self._expr()[None])[0], str(_NAME[token]), number)
        subject, other = self._expr(), self._expr()
        if token == v.IS:
            return _mean(subject, other)
        if token in v.RELATION.values():
            pairs = self._beliefs.related(str(_NAME[token]))
        else:
            pairs = _without_self(self._beliefs.compared(str(_NAME[token])))
        return _mean(subject, pairs @ other / max(other.sum(), 1e-6))


def _sigmoid(x: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(x, -50, 50))))


def _without_self(pairs: Floats) -> Floats:
    return np.asarray(pairs * (1 - np.eye(len(pairs))))


def _any(p: Floats) -> Floats:
    """(..., K) to (...): that at least one holds."""
    return np.asarray(1 - np.prod(1 - p, axis=-1))


def _mean(subject: Floats, p: Floats) -> float:
    """Of what is so with probability `p` (K,), that the one subject is."""
    return float((subject @ p) / max(subject.sum(), 1e-6))


def _counts(p: Floats) -> Floats:
    """(N, K) probabilities to (N, K + 1): that so many of them hold (Poisson binomial)."""
    n, k = p.shape
    out = np.zeros((n, k + 1))
    out[:, 0] = 1.0
    for i in range(k):
        out[:, 1:] = out[:, 1:] * (1 - p[:, i : i + 1]) + out[:, :-1] * p[:, i : i + 1]
        out[:, 0] *= 1 - p[:, i]
    return out


def _middle(base: Floats, left: Floats) -> Floats:
    """(K,): of an odd number of three or more, as many to the left as to the right."""
    k = len(base)
    # (K, lefts, rights): each other object lies to the left, to the right, or is none of the base.
    ways = np.zeros((k, k + 1, k + 1))
    ways[:, 0, 0] = 1.0
    for j in range(k):
        member = np.where(np.arange(k) == j, 0.0, base[j])
        to_left, to_right = member * left[:, j], member * (1 - left[:, j])
        grown = ways * (1 - member)[:, None, None]
        grown[:, 1:] += ways[:, :-1] * to_left[:, None, None]
        grown[:, :, 1:] += ways[:, :, :-1] * to_right[:, None, None]
        ways = grown
    return np.asarray(base * np.trace(ways[:, 1:, 1:], axis1=1, axis2=2))


def _passes(counts: Floats, test: str, number: int) -> float:
    """The share of `counts` (K + 1,) that passes a test of TESTS."""
    n = np.arange(len(counts))
    passing = {
        "exactly": n == number, "at_least": n >= number, "at_most": n <= number,
        "more_than": n > number, "fewer_than": n < number,
    }[test]  # fmt: skip
    return float(counts[passing].sum())
