"""Stop words while somebody speaks, long before the sentence is over: a stop rather than something else?

At each short pause, and now and then where noise leaves none, the net tells how likely the sound so far is
each of the stops, and each of the beginnings of what else is said to a robot or near it. No wake word is
needed.
"""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mmrobot.command.stop_words import StopKind, stop_kind
from mmrobot.config import VoiceConfig
from mmrobot.vlm.words import words
from mmrobot.voice.endpointing import Began, Ended, Went
from mmrobot.voice.likely_words import TALK, beginnings
from mmrobot.voice.moonshine_model import NOTHING_HEARD, MoonshineModel, the_model
from mmrobot.voice.recognition import Heard, Recogniser
from mmrobot.voice.sound import RATE_HZ

HALTS = (
    "stop", "halt", "freeze", "stop it", "stop now", "stop stop", "stop moving", "emergency stop",
    "do not move",
)  # fmt: skip
"""What stops the robot at once, in English; mmrobot.command.stop_words knows each of them."""
_CALLED = ("stop", "halt", "freeze", "stop now")
_SHOUTED = ("stop", "halt", "freeze")
_OTHERS = (
    """
hello | thank you | what | okay | so | and | the | he | she | it | we | they | in the | when | could you
my | there is | three | half | i was | i think | nobody | you | that | um | oh | yeah | top | hot | help
hall | hard | free | trees | please | old | hold | hope | how | art | start | shop | far | for | fish
of the | is it | this is | step | swap the | swap | stack | stock | steps | at | not | never
never mind | hop | the top | the shop
""".strip()
    .replace("\n", " | ")
    .split(" | ")
)
_BEGINNINGS = 50
"""Of what is said to a robot, the commonest two first words."""
_HABIT = 0.3
"""So much of the net's habits is taken out: it was taught by books, where nobody shouts "freeze"."""
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


class StopLikelihood:
    """The chance that sound is one of the stops, among all that it may be."""

    def __init__(self, model: MoonshineModel, names: tuple[str, ...] = ("robot",)) -> None:
        self._model = model
        said = [f"{halt}." for halt in HALTS] + [f"{halt}!" for halt in _SHOUTED]
        said += [f"{name}{comma} {halt}." for name in names for halt in _CALLED for comma in ("", ",")]
        self._stops = model.texts([_written(s) for s in said])
        begun = beginnings(_BEGINNINGS)
        others = [*begun, *(t for t in TALK if len(t.split()) <= 2), *_OTHERS]
        others += [f"{name} {b.split()[0]}" for name in names for b in begun]
        others = [o for o in dict.fromkeys(others) if stop_kind(o) is not StopKind.STOP]
        alone = [f"{name}{mark}" for name in names for mark in ".,?!"]
        self._others = model.texts([_written(a) for a in alone], [_written(o) for o in others])
        self._habits = [_HABIT * model.likelihoods(NOTHING_HEARD, t) for t in (self._stops, self._others)]

    def hear(self, samples: NDArray[np.int16]) -> Heard:
        """The likeliest stop in (n,) int16 at 16 kHz, and the chance that it is one."""
        heard = self._model.listen(samples)
        stops = self._model.likelihoods(heard, self._stops) - self._habits[0]
        others = self._model.likelihoods(heard, self._others) - self._habits[1]
        text = " ".join(words(self._stops.texts[int(stops.argmax())]))
        against = float(np.logaddexp.reduce(others) - np.logaddexp.reduce(stops))
        return Heard(text, 1.0 / (1.0 + math.exp(min(50.0, against))))


def _written(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}"


def make_stops(config: VoiceConfig) -> Recogniser:
    """What the spotters of all sources share. Raises VoiceUnavailableError without the weights."""
    return StopLikelihood(the_model(), config.names)


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
