"""Utterances to words, each read once: ahead at a pause, and again only where more was said after it."""

from __future__ import annotations

from mmrobot.voice.ear import Pause, Utterance
from mmrobot.voice.recognition import Heard, Recogniser


class Reader:
    """Holds the last reading ahead. Used from one thread."""

    def __init__(self, recogniser: Recogniser) -> None:
        self._recogniser = recogniser
        self._number = -1
        self._length = 0
        self._heard: Heard | None = None

    def ahead(self, pause: Pause) -> Heard:
        """Read what may be all of it."""
        self._number, self._length = pause.number, len(pause.samples)
        self._heard = heard = self._recogniser.hear(pause.samples)
        return heard

    def read(self, utterance: Utterance) -> Heard:
        """The words of a whole utterance."""
        heard, self._heard = self._heard, None
        if heard is not None and utterance.read_ahead and self._number == utterance.number:
            return heard
        return self._recogniser.hear(utterance.samples)
