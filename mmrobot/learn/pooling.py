"""How much the recogniser's second look weighs beside the encoder's first, fitted on validation pictures.

For each attribute the weight of the pool (nano_beliefs.pooled) under which what is so was most likely; for
being a thing with a name, weights of both logits under which most phrases are met. Fitted to every second
picture, told on the others.
"""

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmrobot.learn.pictures import PictureSet
from mmrobot.learn.validation import SEED
from mmrobot.learn.whole import WholeModel, phrases, pointed
from mmrobot.vlm.families.nano_beliefs import pooled

WEIGHTS = np.linspace(0.0, 1.0, 21)
ATTRIBUTES = ("color", "shape", "size")
OF_LAYOUT, OF_VIEW, BIAS = (0.3, 0.5, 0.75), (0.3, 0.4, 0.5), (-1.0, -0.5, 0.0, 0.5, 1.0, 1.5)
ALIKE = 0.002


@dataclass(frozen=True)
class Pooling:
    """`view_weights` and `real_weights` of NanoConfig; by attribute and for `real` the shares told right by
    the first look, the second, both."""

    view_weights: tuple[float, ...]
    real_weights: tuple[float, ...]
    right: dict[str, tuple[float, float, float]]
    exact: float
    """Share of phrases that mean exactly their things, on pictures that nothing here was fitted to."""

    def __str__(self) -> str:
        shown = (f"{k} {a:.4f} {b:.4f} {both:.4f}" for k, (a, b, both) in self.right.items())
        weights = f"view {self.view_weights}, real {self.real_weights}"
        return f"{weights}; right by first look, second, both: {'; '.join(shown)}; exact {self.exact:.4f}"


def fit_pooling(whole: WholeModel, pictures: PictureSet) -> Pooling:
    """Of a model over the pictures that it looks at; none of them was trained on."""
    picture, slot = np.nonzero(whole.cache.present)
    ids = whole.cache.ids[picture, slot]
    fits = picture % 2 == 0
    weights: list[float] = []
    right: dict[str, tuple[float, float, float]] = {}
    first, second = whole.looks(picture, slot)
    known = ids >= 0
    rows = pictures.objects[picture[known], ids[known]]
    for i, name in enumerate(ATTRIBUTES):
        a, b, truth = first[i][known], second[i][known], rows[name].astype(int)

        def probabilities(w: float, a: NDArray = a, b: NDArray = b) -> NDArray[np.float64]:
            return pooled(a, b, w)

        best, shares = _fitted(
            lambda w, f=probabilities, t=truth: f(w)[np.arange(len(t)), t],
            lambda w, f=probabilities, t=truth: f(w).argmax(1) == t,
            fits[known],
        )
        weights.append(best)
        right[name] = shares
    whole.config.view_weights = tuple(weights)
    real, exact = _real(whole)
    both = real[0] * first[3] + real[1] * second[3] + real[2]
    told = [float(((x[:, 0] > 0) == known)[~fits].mean()) for x in (first[3], second[3], both)]
    right["real"] = (told[0], told[1], told[2])
    return Pooling(tuple(weights), real, right, exact)


def _real(whole: WholeModel) -> tuple[tuple[float, float, float], float]:
    """The weights under which most phrases mean exactly their things, on every second picture; and the share
    exact on the others.

    Of weights within ALIKE of the best, those with the greatest bias: a table seldom holds as many strangers
    as training shows. A regression on both logits would be stricter: it does not know that a thing meant and
    not believed fails its phrase, while a candidate that is nothing fails only those that would mean it.
    """
    rng = random.Random(SEED + 2)
    asked = [p for i, things in enumerate(whole.cache.things) if things for p in phrases(whole, rng, i)]

    def exact(weights: tuple[float, float, float], remainder: int) -> float:
        whole.config.real_weights = weights
        known = {i: whole.beliefs(i) for i in {p.picture for p in asked} if i % 2 == remainder}
        return float(np.mean([pointed(p, *known[p.picture])[1] for p in asked if p.picture in known]))

    shares = {w: exact(w, 0) for w in itertools.product(OF_LAYOUT, OF_VIEW, BIAS)}
    good = [w for w, share in shares.items() if share >= max(shares.values()) - ALIKE]
    best = max(good, key=lambda w: (w[2], shares[w]))
    return best, exact(best, 1)


def _fitted(likelihood, correct, fits: NDArray[np.bool_]) -> tuple[float, tuple[float, float, float]]:  # type: ignore[no-untyped-def]
    """The likeliest weight, and shares right on the rest with weight 0, 1 and that one."""
    costs = [-np.log(np.maximum(likelihood(w)[fits], 1e-9)).mean() for w in WEIGHTS]
    best = float(round(WEIGHTS[int(np.argmin(costs))], 3))
    shares = [float(correct(w)[~fits].mean()) for w in (0.0, 1.0, best)]
    return best, (shares[0], shares[1], shares[2])
