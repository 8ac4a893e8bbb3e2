"""When the robot is deaf: while it speaks, and until the echo has faded, so that it never obeys itself.

Stop words are heard all the same, unless what it says sounds like one.
"""

from __future__ import annotations

import threading
from enum import Enum

from mmrobot.vlm.words import words

# What sounds like a stop word when the robot says it: "stopped", "the robot holds still".
_SOUNDS_LIKE_STOP = ("stop", "halt", "fre", "emergency", "hold", "still", "top", "mov")


class Hearing(Enum):
    """What is listened for."""

    ALL = "all"
    STOPS = "stops"
    NOTHING = "nothing"


class SpeechGate:
    """Times are seconds of any steady clock; may be used from any thread."""

    def __init__(self, echo_s: float) -> None:
        self._echo_s = echo_s
        self._lock = threading.Lock()
        self._until_s: dict[Hearing, float] = {Hearing.STOPS: float("-inf"), Hearing.NOTHING: float("-inf")}

    def speaks(self, text: str, seconds: float, now_s: float) -> None:
        """The robot says a text from now on, for so long."""
        kind = Hearing.NOTHING if sounds_like_stop(text) else Hearing.STOPS
        with self._lock:
            self._until_s[kind] = max(self._until_s[kind], now_s + seconds + self._echo_s)

    def hearing(self, now_s: float) -> Hearing:
        """What may be listened for now."""
        with self._lock:
            for kind in (Hearing.NOTHING, Hearing.STOPS):
                if now_s < self._until_s[kind]:
                    return kind
        return Hearing.ALL


def sounds_like_stop(text: str) -> bool:
    """Whether a text, spoken, may be taken for a stop word."""
    return any(word.startswith(_SOUNDS_LIKE_STOP) for word in words(text))
