"""Stop words while somebody speaks, long before the sentence is over: a stop rather than something else?

At each short pause, and now and then where noise leaves none, two nets tell how likely the sound so far is a
stop (stop_chances.py); so is what was said since the last gaps, for in babble others may have begun. No wake
word is needed.
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
_GLIMPSE_S, _PAUSE_S = 0.096, 0.19
"""Read at the first, which may be the middle of a word, and once more when the pause is sure."""
_READ_AT_S = (1.0, 1.7, 2.5)
_CUT_FROM = 0.95
"""A word cut in its middle may sound like another: before a sure pause, a stop must be surer than this."""
_GAP_S, _BEFORE_S = 0.12, 0.2
"""What begins after such a gap in an utterance may be a stop of its own; read from a little before it."""
_MOST_BEGINNINGS = 3


class Spotter(Protocol):
    """Hears stop words."""

    def feed(self, event: Began | Went | Ended) -> Heard | None:
        """The stop that is sure since this event; at most one an utterance."""
        ...


class StopSpotter:
    """Feed it the endpointer's events. `stop_from`: the chance from which a stop word is one."""

    def __init__(self, stops: Recogniser, stop_from: float) -> None:
        self._stops, self._stop_from = stops, stop_from
        self._begin()

    def _begin(self) -> None:
        self._sound: list[NDArray[np.int16]] = []
        self._beginnings: list[int] = [0]
        self._length: int = 0
        self._read_up_to: int = 0
        self._voiced_up_to: int = 0
        self._silent_s: float = 0.0
        self._told = False

    def feed(self, event: Began | Went | Ended) -> Heard | None:
        """The stop that is sure since this event; at most one an utterance."""
        if isinstance(event, Began):
            self._begin()
        if isinstance(event, Ended):
            unread = event.spoken and self._voiced_up_to > self._read_up_to
            return self._read(self._stop_from) if unread else None
        before, silent_before_s = self._length, self._silent_s
        self._sound.append(event.samples)
        self._length += len(event.samples)
        self._silent_s = event.silent_s if isinstance(event, Went) else 0.0
        if self._silent_s == 0.0:
            self._voiced_up_to = self._length
            if silent_before_s >= _GAP_S:
                start = max(0, before - round(_BEFORE_S * RATE_HZ))
                self._beginnings = [*self._beginnings, start][-_MOST_BEGINNINGS:]
        if silent_before_s < _PAUSE_S <= self._silent_s:
            return self._read(self._stop_from)
        glimpse = silent_before_s < _GLIMPSE_S <= self._silent_s
        if glimpse or any(before < at * RATE_HZ <= self._length for at in _READ_AT_S):
            return self._read(max(_CUT_FROM, self._stop_from))
        return None

    def _read(self, least: float) -> Heard | None:
        """The first stop that is as likely as that, of all beginnings that are not too long ago."""
        longest = round(_LONGEST_S * RATE_HZ)
        self._beginnings = [b for b in self._beginnings if self._length - b <= longest]
        if self._told or not self._beginnings:
            return None
        self._read_up_to = self._length
        sound = np.concatenate(self._sound)
        for beginning in self._beginnings:
            heard = self._stops.hear(sound[beginning:])
            if heard.confidence >= least:
                self._told = True
                return heard
        return None
