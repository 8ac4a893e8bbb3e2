"""Utterances cut out of a stream: from a little before somebody begins to speak to the silence after it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from mmrobot.config import VoiceConfig
from mmrobot.voice.activity import WINDOW, WINDOW_S
from mmrobot.voice.sound import RATE_HZ

# Soft first sounds come before the model is sure of speech.
_BEFORE_S = 0.3
# Speech once begun goes on at a lower probability (silero-vad's own practice).
_HYSTERESIS = 0.15


class Activity(Protocol):
    """What tells speech from the rest (voice/activity.py)."""

    def probability(self, window: np.ndarray) -> float:
        """Of speech in the next (WINDOW,) int16 samples."""
        ...

    def reset(self) -> None:
        """Forget what was heard."""
        ...


@dataclass(frozen=True)
class Began:
    """Somebody has begun to speak. `samples`: what was heard so far, (n,) int16 at RATE_HZ."""

    samples: np.ndarray


@dataclass(frozen=True)
class Went:
    """The next window of it; `silent_s`: for how long nothing was said at its end."""

    samples: np.ndarray
    silent_s: float


@dataclass(frozen=True)
class Ended:
    """All of it, (n,) int16 at RATE_HZ; `silent_s` of it at the end are silence. `spoken`: long enough to be
    speech."""

    samples: np.ndarray
    silent_s: float
    spoken: bool


class Endpointer:
    """Feed pieces of any length. While `held` (a button is pressed) no silence ends what is said; where it
    `seems_whole`, and nothing more is said, a shorter one does."""

    def __init__(self, activity: Activity, config: VoiceConfig) -> None:
        self._activity, self._config = activity, config
        self.held = False
        self.reset()

    @property
    def speaking(self) -> bool:
        """Whether somebody is in the middle of saying something."""
        return bool(self._said)

    def reset(self) -> None:
        """Forget all that was heard."""
        self._activity.reset()
        self._rest = np.zeros(0, np.int16)
        self._before: deque[np.ndarray] = deque(maxlen=round(_BEFORE_S / WINDOW_S))
        self._said: list[np.ndarray] = []
        self._silent_s = self._voiced_s = 0.0
        self.seems_whole = False

    def feed(self, samples: np.ndarray) -> Iterator[Began | Went | Ended]:
        """The next (n,) int16 samples at RATE_HZ."""
        sound = np.concatenate([self._rest, samples])
        whole = len(sound) // WINDOW * WINDOW
        self._rest = sound[whole:]
        for window in sound[:whole].reshape(-1, WINDOW):
            yield from self._window(window)

    def end(self) -> Iterator[Ended]:
        """Nothing more comes: the button was let go, or the file has ended."""
        if self._said:
            yield self._ended()

    def _window(self, window: np.ndarray) -> Iterator[Began | Went | Ended]:
        probability = self._activity.probability(window)
        spoken = probability >= self._config.speech_from - (_HYSTERESIS if self._said else 0.0)
        if not self._said:
            self._before.append(window)
            if not (spoken or self.held):
                return
            self._said = list(self._before)
            self._before.clear()
            self._voiced_s = WINDOW_S if spoken else 0.0
            yield Began(np.concatenate(self._said))
            return
        self._said.append(window)
        if spoken:
            self._silent_s = 0.0
            self._voiced_s += WINDOW_S
            self.seems_whole = False
        else:
            self._silent_s += WINDOW_S
        yield Went(window, self._silent_s)
        config = self._config
        enough_s = config.whole_end_silence_s if self.seems_whole else config.end_silence_s
        over = self._silent_s >= min(enough_s, config.end_silence_s) and not self.held
        if over or len(self._said) * WINDOW >= self._config.longest_s * RATE_HZ:
            yield self._ended()

    def _ended(self) -> Ended:
        ended = Ended(
            np.concatenate(self._said), self._silent_s, self._voiced_s >= self._config.least_speech_s
        )
        self._said, self._silent_s, self._voiced_s = [], 0.0, 0.0
        self.seems_whole = False
        return ended
