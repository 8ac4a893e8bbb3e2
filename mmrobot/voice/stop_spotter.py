"""Stop words out of speech, without waiting for the sentence: a small decoder of its own.

It reads what was said since somebody began to speak, at the first short pause and at fixed lengths (in noise
there may be no pause), and only near the beginning: "stop" inside a long sentence stops nothing, as with
typed words. Other words compete with the stop words, so that "top" and "stack" are heard as what they are.
"""

from __future__ import annotations

import random
from typing import Protocol

import numpy as np

from mmrobot.command.stop_words import StopKind, stop_kind
from mmrobot.voice.command_grammar import HALTS, command_grammar
from mmrobot.voice.endpointing import Began, Ended, Went
from mmrobot.voice.grammar_recogniser import GrammarRecogniser
from mmrobot.voice.recognition import Heard, Recogniser
from mmrobot.voice.sound import RATE_HZ
from mmrobot.voice.spoken_grammar import SpokenGrammar

_PAUSE_S = 0.12
_LONGEST_S = 2.4
_READ_AT_S = (0.9, 1.5, 2.1)
# Short common words, and those that sound like a stop: they take what is none.
_DECOYS = """the a of to and in is it you that he was for on are with as i his they be at one have this from or
had by hot but some what there we can out other were all your when up use how said an each she which do their
time if will way about many then them would like so these her long make thing see him two has look more day
could go come did my sound no most who over know than call first people may down side been now find new work
part take get place made live where after back little only round man year came show every good me give our
under name very through just form much great think say help low line before turn cause same mean move right
boy old too does tell set three want air well also play small end put home read hand port large spell add even
land here must big high such follow act why ask men change went light kind off need house picture try us again
animal point mother world near build self earth father top spot stock step shop stuff staff stack strap stub
stomp drop start stand still star store story stay held hall hold salt fault walt thought free frieze breeze
trees please peace fees not mop pop shot hot talk walk""".split()


class Spotter(Protocol):
    """Hears stop words."""

    def feed(self, event: Began | Went | Ended) -> Heard | None:
        """The stop that is sure since this event; at most one an utterance."""
        ...


def stop_recogniser() -> Recogniser:
    """A decoder of stop words and of the words that compete with them. Raises VoiceUnavailableError."""
    rng = random.Random(1)
    words = [*_DECOYS, *command_grammar().words()]
    decoys = [" ".join(rng.choices(words, k=rng.randint(1, 6))) for _ in range(4000)]
    grammar = SpokenGrammar({"halt": HALTS, "said": "<halt> | [hey] robot <halt>"})
    return GrammarRecogniser(grammar, 3000, decoys, 5.0)


class StopSpotter:
    """Feed it the endpointer's events. `stop_from`: the confidence from which a stop word is one."""

    def __init__(self, recogniser: Recogniser, stop_from: float) -> None:
        self._recogniser, self._stop_from = recogniser, stop_from
        self._sound: list[np.ndarray] = []
        self._length = self._read_up_to = 0
        self._told = False

    def feed(self, event: Began | Went | Ended) -> Heard | None:
        """The stop that is sure since this event; at most one an utterance."""
        if isinstance(event, Began):
            self._sound, self._length, self._read_up_to, self._told = [], 0, 0, False
        if isinstance(event, Ended):
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
        heard = self._recogniser.hear(np.concatenate(self._sound))
        if heard.confidence < self._stop_from or stop_kind(heard.text) is not StopKind.STOP:
            return None
        self._told = True
        return heard
