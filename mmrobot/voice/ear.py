"""A source's pieces on their way: resampled, cut into utterances, listened to for stop words as they come.

Sentences are only collected here. At the first pause that may be the end, what was said so far is handed out
to be read ahead, so that its words are ready when the end is sure.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mmrobot.config import VoiceConfig
from mmrobot.voice.endpointing import Activity, Began, Ended, Endpointer, Went
from mmrobot.voice.recognition import Heard
from mmrobot.voice.sound import Resampler
from mmrobot.voice.stop_spotter import Spotter

_AHEAD_S = 0.16


@dataclass(frozen=True)
class Stop:
    """A stop word, to be acted on at once."""

    heard: Heard


@dataclass(frozen=True)
class Pause:
    """`samples`, (n,) int16 at 16 kHz, may be all of utterance `number`: worth reading ahead."""

    samples: np.ndarray
    number: int


@dataclass(frozen=True)
class Utterance:
    """All that was said. `read_ahead`: nothing was said since the last Pause of this number. `silent_s`: how
    long ago speech ended."""

    samples: np.ndarray
    number: int
    read_ahead: bool
    silent_s: float
    push_to_talk: bool
    stopped: bool


class Ear:
    """One source. Pieces are fed in their order, from one thread."""

    def __init__(self, activity: Activity, spotter: Spotter, config: VoiceConfig) -> None:
        self._endpointer = Endpointer(activity, config)
        self._spotter = spotter
        self._resampler: Resampler | None = None
        self._number = 0
        self._said: list[np.ndarray] = []
        self._ahead = self._stopped = False

    @property
    def speaking(self) -> bool:
        """Whether somebody is in the middle of saying something."""
        return self._endpointer.speaking

    def feed(
        self, samples: np.ndarray, rate_hz: int, push_to_talk: bool = False, last: bool = False
    ) -> Iterator[Stop | Pause | Utterance]:
        """The next (n,) int16 samples. `push_to_talk`: a button is held; `last`: nothing more comes.
        Raises InvalidAudioError for an odd rate."""
        if self._resampler is None or self._resampler.rate_hz != rate_hz:
            self._resampler = Resampler(rate_hz)
        self._endpointer.held = push_to_talk and not last
        for event in self._endpointer.feed(self._resampler.feed(samples)):
            yield from self._take(event, push_to_talk)
        if last:
            for ended in self._endpointer.end():
                yield from self._take(ended, push_to_talk)
            self._resampler = None

    def deaf(self) -> None:
        """Forget what was heard so far: the robot itself speaks."""
        self._endpointer.reset()
        self._resampler = None

    def seems_whole(self, pause: Pause) -> None:
        """What was said up to this pause needs no long silence after it. From any thread."""
        if self._ahead and pause.number == self._number:
            self._endpointer.seems_whole = True

    def _take(self, event: Began | Went | Ended, push_to_talk: bool) -> Iterator[Stop | Pause | Utterance]:
        if isinstance(event, Began):
            self._number += 1
            self._said, self._ahead, self._stopped = [], False, False
        stop = self._spotter.feed(event)
        if stop is not None:
            self._stopped = True
            yield Stop(stop)
        if isinstance(event, Ended):
            if event.spoken:
                yield Utterance(
                    event.samples, self._number, self._ahead, event.silent_s, push_to_talk, self._stopped
                )
            return
        self._said.append(event.samples)
        silent_s = event.silent_s if isinstance(event, Went) else 0.0
        if silent_s == 0.0:
            self._ahead = False
        elif silent_s >= _AHEAD_S and not self._ahead:
            self._ahead = True
            yield Pause(np.concatenate(self._said), self._number)
