"""How much the recogniser's second look weighs beside the encoder's first, fitted on validation pictures.

For each attribute, and for being a thing with a name, the weight of the pool (nano_beliefs.attributes) under
which what is so was most likely; on the candidates of every second picture, told on those of the others.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmrobot.learn.pictures import PictureSet
from mmrobot.learn.whole import WholeModel
from mmrobot.vlm.families.nano_beliefs import expit, pooled

WEIGHTS = np.linspace(0.0, 1.0, 21)
ATTRIBUTES = ("color", "shape", "size")


@dataclass(frozen=True)
class Pooling:
    """The weights of colour, shape, size and of being a thing with a name; by each of these the shares told
    right by the first look, the second, both."""

    weights: tuple[float, float, float, float]
    right: dict[str, tuple[float, float, float]]

    def __str__(self) -> str:
        shown = (f"{k} {a:.4f} {b:.4f} {both:.4f}" for k, (a, b, both) in self.right.items())
        return f"weights {self.weights}; right by first look, second, both: {'; '.join(shown)}"


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
    a, b = first[3][:, 0], second[3][:, 0]

    def real(w: float) -> NDArray[np.float64]:
        return expit((1 - w) * a + w * b)

    best, right["real"] = _fitted(
        lambda w: np.where(known, real(w), 1 - real(w)), lambda w: (real(w) > 0.5) == known, fits
    )
    return Pooling((weights[0], weights[1], weights[2], best), right)


def _fitted(likelihood, correct, fits: NDArray[np.bool_]) -> tuple[float, tuple[float, float, float]]:  # type: ignore[no-untyped-def]
    """The likeliest weight, and shares right on the rest with weight 0, 1 and that one."""
    costs = [-np.log(np.maximum(likelihood(w)[fits], 1e-9)).mean() for w in WEIGHTS]
    best = float(round(WEIGHTS[int(np.argmin(costs))], 3))
    shares = [float(correct(w)[~fits].mean()) for w in (0.0, 1.0, best)]
    return best, (shares[0], shares[1], shares[2])
