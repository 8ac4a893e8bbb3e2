"""How likely texts are, given what the letters' net heard: the forward sums of CTC, many texts at once.

Graves et al. 2006 for whole texts; Watanabe et al. 2017, "Hybrid CTC/attention architecture for end-to-end
speech recognition", for texts after which anything may be said.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mmrobot.voice.letters_net import BLANK, to_indices

_NEVER = -1e30


class LetterTexts:
    """Texts of small letters and spaces: after those `whole` nothing is said, after those `begun` anything.
    Raises ValueError for another letter."""

    def __init__(self, whole: Sequence[str], begun: Sequence[str] = ()) -> None:
        told = [to_indices(text) for text in (*whole, *begun)]
        self._lengths = np.array([len(t) for t in told], np.int64)
        states = 2 * int(self._lengths.max(initial=0)) + 1
        # A blank before, between and after the letters.
        self._symbols = np.full((len(told), states), BLANK, np.int64)
        for row, indices in zip(self._symbols, told, strict=True):
            row[1 : 2 * len(indices) : 2] = indices
        # A letter may follow another without a blank, but not itself.
        self._skips = np.zeros((len(told), states), bool)
        self._skips[:, 2:] = (self._symbols[:, 2:] != BLANK) & (self._symbols[:, 2:] != self._symbols[:, :-2])
        self._whole = np.arange(len(told)) < len(whole)

    def likelihoods(self, chances: NDArray[np.float32]) -> NDArray[np.float64]:
        """Natural logarithms (n,) of the chances of each text, given those of letters (t, 28)."""
        rows, last = np.arange(len(self._symbols)), 2 * self._lengths - 1
        alpha = np.full(self._symbols.shape, _NEVER)
        alpha[:, 0] = chances[0, BLANK]
        alpha[:, 1] = chances[0, self._symbols[:, 1]]
        begun = np.where(self._lengths == 1, alpha[:, 1], _NEVER)
        before_letter = np.full_like(alpha, _NEVER)
        for heard in chances[1:].astype(np.float64):
            before_letter[:, 1:] = alpha[:, :-1]
            before_letter[:, 2:] = np.where(
                self._skips[:, 2:], np.logaddexp(alpha[:, :-2], before_letter[:, 2:]), before_letter[:, 2:]
            )
            seen = heard[self._symbols]
            begun = np.logaddexp(begun, before_letter[rows, last] + seen[rows, last])
            alpha = np.logaddexp(alpha, before_letter) + seen
        ended = np.logaddexp(alpha[rows, last], alpha[rows, last + 1])
        return np.where(self._whole, ended, begun)
