"""Sound to words by the net of letters; where the words of the table do not fit what it heard, by another.

The letters are taken for the likeliest words that may be said to a robot (letters_search.py). How well those
fit is seen beside the likeliest letters of all: of what a robot is told, and in noise too, they fit as well.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from mmrobot.voice.letters_net import BLANK, LettersNet
from mmrobot.voice.letters_search import Candidate, LettersSearch
from mmrobot.voice.likely_words import LikelyWords
from mmrobot.voice.recognition import NOTHING, Heard, Recogniser
from mmrobot.voice.sound import RATE_HZ

FITS = 0.0
"""From this on (natural logarithm, a letter) words fit no worse than the likeliest letters. Chosen, with
DOUBT, on sentences that `mmrobot eval-voice` does not say: those heard rightly had 0.05 or more, the
median of other speech was -0.5."""
DOUBT = 3.0
"""The chance of the best words among the candidates, to this power, is how sure they are."""
SOMETHING = 4.0
"""So much better (natural logarithm, a letter) than silence must sound fit its words; hiss does not."""
_WHOLE, _WHOLE_SURE = 0.15, 0.7
"""A sentence that ends there so often, and is heard that surely, is taken for whole at a short silence."""
_CANDIDATES = 8
_SHORTEST_S = 0.1


class LettersRecogniser:
    """`others`: hears any words."""

    def __init__(self, net: LettersNet, likely: LikelyWords, others: Recogniser) -> None:
        self._net, self._likely, self._others = net, likely, others
        self._search = LettersSearch(likely)

    def hear(self, samples: NDArray[np.int16]) -> Heard:
        """The words of (n,) int16 at 16 kHz; how sure, from 0 to 1."""
        if len(samples) < _SHORTEST_S * RATE_HZ:
            return NOTHING
        chances = self._net.letters(samples)
        found = self._search.best(chances, _CANDIDATES)
        if not found or not _fits(found[0], chances):
            return self._others.hear(samples)
        chance = 1.0 / sum(math.exp(other.score - found[0].score) for other in found)
        said, sure = found[0].said, chance**DOUBT
        whole = sure >= _WHOLE_SURE and self._likely.ends(said) >= _WHOLE
        return Heard(" ".join(said), sure, whole)


def _fits(best: Candidate, chances: NDArray[np.float32]) -> bool:
    letters = sum(len(word) + 1 for word in best.said)
    likeliest, silence = float(chances.max(axis=1).sum()), float(chances[:, BLANK].sum())
    return best.sound - likeliest >= FITS * letters and best.sound - silence >= SOMETHING * letters
