"""Who speaks near, told from a babble of others: by how loud it is beside what goes on all the time.

A detector of speech hears people everywhere in babble, and no pause. Where sound is no louder than its own
background, nobody speaks to the robot. A minimum-statistics floor (Martin 2001, "Noise power spectral density
estimation based on optimal smoothing and minimum statistics"), of the whole power and by a quantile.
"""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

from mmrobot.voice.activity import WINDOW_S
from mmrobot.voice.endpointing import Activity

_REMEMBERED_S = 6.0
"""The background is looked for in so much of the past: longer than most of what is said without a breath."""
_LEAST_S = 0.3
"""Before so much was heard, there is no background to compare with."""
_FLOOR_QUANTILE = 0.2
_LOUDER_DB = 5.0
"""Near speech is so much louder than the background. Chosen, with the quantile, on development seeds of
`mmrobot eval-voice`: in babble at 10 dB the longest gap in a sentence is then 0.23 s in 9 of 10."""
_HYSTERESIS_DB = 2.0
_NEAR_WINDOWS, _FLOOR_WINDOWS = 3, 6


class ForegroundActivity:
    """The probability of speech that is not the background's, of an `activity` that knows speech."""

    def __init__(self, activity: Activity) -> None:
        self._activity = activity
        self.reset()

    def reset(self) -> None:
        """Forget what was heard."""
        self._activity.reset()
        self._powers: deque[float] = deque(maxlen=_FLOOR_WINDOWS)
        self._levels_db: deque[float] = deque(maxlen=round(_REMEMBERED_S / WINDOW_S))
        self._near = False

    def probability(self, window: NDArray[np.int16]) -> float:
        """That somebody near speaks in the next (WINDOW,) int16 samples."""
        speech = self._activity.probability(window)
        self._powers.append(float(np.mean(window.astype(np.float32) ** 2)))
        powers = list(self._powers)
        self._levels_db.append(_decibel(powers))
        if len(self._levels_db) * WINDOW_S < _LEAST_S:
            return speech
        floor_db = float(np.quantile(self._levels_db, _FLOOR_QUANTILE))
        louder_db = _decibel(powers[-_NEAR_WINDOWS:]) - floor_db
        self._near = louder_db >= _LOUDER_DB - (_HYSTERESIS_DB if self._near else 0.0)
        return speech if self._near else 0.0


def _decibel(powers: list[float]) -> float:
    """Of mean powers in squared steps of int16."""
    return float(10.0 * np.log10(np.mean(powers) + 1.0))
