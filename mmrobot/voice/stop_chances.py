"""How likely a sound is a stop, rather than anything else that is said to a robot or near it.

Two nets tell: the one of letters, which was taught in noise and is quick, and, where that one is not sure, a
larger one that was taught by people.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mmrobot.command.stop_words import StopKind, stop_kind
from mmrobot.config import VoiceConfig
from mmrobot.vlm.words import words
from mmrobot.voice.letters_net import LettersNet, the_letters_net
from mmrobot.voice.letters_scores import LetterTexts
from mmrobot.voice.likely_words import TALK, beginnings
from mmrobot.voice.moonshine_model import NOTHING_HEARD, MoonshineModel, the_model
from mmrobot.voice.recognition import Heard, Recogniser

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
hall | hard | trees | please | old | hold | hope | how | art | start | shop | far | for | fish
of the | is it | this is | step | swap the | swap | stack | stock | steps | at | not | never
never mind | hop | the top | the shop
""".strip()
    .replace("\n", " | ")
    .split(" | ")
)
_BEGINNINGS = 50
"""Of what is said to a robot, the commonest two first words."""
_LIKE_STOPS = """
start started stay stuff shops tops drop chop pop spot stocks store stone story sob sock soft three cheese
breeze freed freezer halls hat heart art half salt fault halter stamp strong stopped
""".split()
"""Words that a stop may be taken for."""
_MOST = 5.0
"""So much (natural logarithm of odds) the other net says at most; where the letters' net is surer, it is not
asked."""
_HABIT = 0.3
"""So much of the net's habits is taken out: it was taught by books, where nobody shouts "freeze"."""


@dataclass(frozen=True)
class StopOdds:
    """The likeliest stop, and the natural logarithm of the odds that it is one."""

    text: str
    odds: float


class Stops(Protocol):
    """A net's opinion."""

    def odds(self, samples: NDArray[np.int16]) -> StopOdds:
        """Of (n,) int16 at 16 kHz."""
        ...


def _others(names: tuple[str, ...]) -> list[str]:
    """What begins anything but a stop."""
    begun = beginnings(_BEGINNINGS)
    others = [*begun, *(t for t in TALK if len(t.split()) <= 2), *_OTHERS]
    others += [f"{name} {b.split()[0]}" for name in names for b in begun]
    return [o for o in dict.fromkeys(others) if stop_kind(o) is not StopKind.STOP]


class LetterStops:
    """By the net of letters."""

    def __init__(self, net: LettersNet, names: tuple[str, ...]) -> None:
        self._net = net
        called = [f"{name} {halt}" for name in names for halt in _CALLED]
        self._stops = [_plain(stop) for stop in (*HALTS, *called)]
        others = [_plain(o) for o in (*_others(names), *_LIKE_STOPS)]
        others = [o for o in others if o.replace(" ", "").isalpha()]
        self._texts = LetterTexts([*self._stops, *map(_plain, names), *others], others)

    def odds(self, samples: NDArray[np.int16]) -> StopOdds:
        """As in Stops."""
        told = self._texts.likelihoods(self._net.letters(samples))
        stops, others = np.split(told, [len(self._stops)])
        text = self._stops[int(stops.argmax())]
        return StopOdds(text, float(np.logaddexp.reduce(stops) - np.logaddexp.reduce(others)))


class MoonshineStops:
    """By the net of sentences."""

    def __init__(self, model: MoonshineModel, names: tuple[str, ...]) -> None:
        self._model = model
        said = [f"{halt}." for halt in HALTS] + [f"{halt}!" for halt in _SHOUTED]
        said += [f"{name}{comma} {halt}." for name in names for halt in _CALLED for comma in ("", ",")]
        self._stops = model.texts([_written(s) for s in said])
        alone = [f"{name}{mark}" for name in names for mark in ".,?!"]
        others = _others(names)
        self._others = model.texts([_written(a) for a in alone], [_written(o) for o in others])
        self._habits = [_HABIT * model.likelihoods(NOTHING_HEARD, t) for t in (self._stops, self._others)]

    def odds(self, samples: NDArray[np.int16]) -> StopOdds:
        """As in Stops."""
        heard = self._model.listen(samples)
        stops = self._model.likelihoods(heard, self._stops) - self._habits[0]
        others = self._model.likelihoods(heard, self._others) - self._habits[1]
        text = " ".join(words(self._stops.texts[int(stops.argmax())]))
        return StopOdds(text, float(np.logaddexp.reduce(stops) - np.logaddexp.reduce(others)))


class StopLikelihood:
    """The chance that sound is one of the stops, among all that it may be."""

    def __init__(self, letters: Stops, sentences: Stops) -> None:
        self._letters, self._sentences = letters, sentences

    def hear(self, samples: NDArray[np.int16]) -> Heard:
        """The likeliest stop in (n,) int16 at 16 kHz, and the chance that it is one."""
        told = self._letters.odds(samples)
        odds = told.odds
        if abs(odds) < _MOST:
            odds += min(_MOST, max(-_MOST, self._sentences.odds(samples).odds))
        return Heard(told.text, 1.0 / (1.0 + math.exp(min(50.0, -odds))))


def _written(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}"


def _plain(text: str) -> str:
    return " ".join(words(text))


def make_stops(config: VoiceConfig) -> Recogniser:
    """What the spotters of all sources share. Raises VoiceUnavailableError without the weights."""
    letters = LetterStops(the_letters_net(), config.names)
    return StopLikelihood(letters, MoonshineStops(the_model(), config.names))
