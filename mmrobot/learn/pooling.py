"""How much the recogniser's second look weighs beside the encoder's first, fitted on validation pictures.

For each attribute the weight of the pool (nano_beliefs.pooled) under which what is so was most likely; for
being a thing with a name a logistic regression on both logits. Fitted to the candidates of every second
picture, told on those of the others.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from mmrobot.learn.pictures import PictureSet
from mmrobot.learn.whole import WholeModel
from mmrobot.vlm.families.nano_beliefs import pooled

WEIGHTS = np.linspace(0.0, 1.0, 21)
ATTRIBUTES = ("color", "shape", "size")


@dataclass(frozen=True)
class Pooling:
    """`view_weights` and `real_weights` of NanoConfig; by attribute and for `real` the shares told right by
    the first look, the second, both."""

    view_weights: tuple[float, ...]
    real_weights: tuple[float, ...]
    right: dict[str, tuple[float, float, float]]

    def __str__(self) -> str:
        shown = (f"{k} {a:.4f} {b:.4f} {both:.4f}" for k, (a, b, both) in self.right.items())
        weights = f"view {self.view_weights}, real {self.real_weights}"
        return f"{weights}; right by first look, second, both: {'; '.join(shown)}"


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
    both = np.column_stack([first[3][:, 0], second[3][:, 0], np.ones(len(known))])
    signs = np.where(known, 1.0, -1.0)

    def regret(w: NDArray[np.float64]) -> float:
        return float(np.logaddexp(0, -signs[fits] * (both[fits] @ w)).mean()) + 1e-4 * float(w @ w)

    real = tuple(float(round(x, 3)) for x in minimize(regret, np.array([0.5, 0.5, 0.0])).x)
    looks = (np.array([1.0, 0, 0]), np.array([0, 1.0, 0]), np.array(real))
    told = [float((((both @ w) > 0) == known)[~fits].mean()) for w in looks]
    right["real"] = (told[0], told[1], told[2])
    return Pooling(tuple(weights), real, right)


def _fitted(likelihood, correct, fits: NDArray[np.bool_]) -> tuple[float, tuple[float, float, float]]:  # type: ignore[no-untyped-def]
    """The likeliest weight, and shares right on the rest with weight 0, 1 and that one."""
    costs = [-np.log(np.maximum(likelihood(w)[fits], 1e-9)).mean() for w in WEIGHTS]
    best = float(round(WEIGHTS[int(np.argmin(costs))], 3))
    shares = [float(correct(w)[~fits].mean()) for w in (0.0, 1.0, best)]
    return best, (shares[0], shares[1], shares[2])
