"""Stop words while somebody speaks, long before the sentence is over: a stop rather than something else?

At each short pause, and now and then where noise leaves none, two nets tell how likely the sound so far is a
stop (stop_chances.py). No wake word is needed.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mmrobot.voice.endpointing import Began, Ended, Went
from mmrobot.voice.recognition import Heard, Recogniser
from mmrobot.voice.sound import RATE_HZ

_LONGEST_S = 2.6
"""What is longer is no stop, or one that the recogniser of sentences will find."""
_PAUSE_S = 0.096
_READ_AT_S = (1.0, 1.7, 2.5)
_CUT_FROM = 0.95
"""A word cut in its middle may sound like another: without a pause, a stop must be surer than this."""


class Spotter(Protocol):
    """Hears stop words."""

    def feed(self, event: Began | Went | Ended) -> Heard | None:
        """The stop that is sure since this event; at most one an utterance."""
        ...


class StopSpotter:
    """Feed it the endpointer's events. `stop_from`: the chance from which a stop word is one."""

    def __init__(self, stops: Recogniser, stop_from: float) -> None:
        self._stops, self._stop_from = stops, stop_from
        self._sound: list[NDArray[np.int16]] = []
        self._length = self._read_up_to = 0
        self._told = False

    def feed(self, event: Began | Went | Ended) -> Heard | None:
        """The stop that is sure since this event; at most one an utterance."""
        if isinstance(event, Began):
            self._sound, self._length, self._read_up_to, self._told = [], 0, 0, False
        if isinstance(event, Ended):
            new_pause = False
            due = event.spoken and self._length <= _LONGEST_S * RATE_HZ
        else:
            before = self._length
            self._sound.append(event.samples)
            self._length += len(event.samples)
            silent_s = event.silent_s if isinstance(event, Went) else 0.0
            new_pause = silent_s >= _PAUSE_S and self._length - silent_s * RATE_HZ > self._read_up_to
            passed = any(before < at * RATE_HZ <= self._length for at in _READ_AT_S)
            due = new_pause or passed
        if self._told or not due or self._length > _LONGEST_S * RATE_HZ:
            return None
        self._read_up_to = self._length
        heard = self._stops.hear(np.concatenate(self._sound))
        paused = new_pause or isinstance(event, Ended)
        if heard.confidence < (self._stop_from if paused else max(_CUT_FROM, self._stop_from)):
            return None
        self._told = True
        return heard
