"""What becomes of what was heard: words for the robot, a question back, or nothing.

The wake word opens the robot's ear for a while; words heard unsurely are read back and wait for a yes.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from mmrobot.command.answers import yes_or_no
from mmrobot.command.stop_words import is_stop
from mmrobot.config import VoiceConfig
from mmrobot.vlm.words import words
from mmrobot.voice.recognition import Heard


class Kind(StrEnum):
    """What is to be done with it."""

    WORDS = "words"
    READ_BACK = "read back"
    CALLED = "called"
    DROPPED = "dropped"


@dataclass(frozen=True)
class Understood:
    """`text`: for the robot (WORDS), for the person (READ_BACK), else what was heard. `why`: of DROPPED."""

    kind: Kind
    text: str
    confidence: float
    why: str = ""


class Attention:
    """One conversation's wake word and open question. Times are seconds of any steady clock."""

    def __init__(self, config: VoiceConfig) -> None:
        self._config = config
        called = [words(part) for part in config.wake_words.split(",")]
        # "hey robot" before "robot": the longer ones are whole.
        self._wake = sorted((w for w in called if w), key=len, reverse=True)
        self._awake_until_s = float("-inf")
        self._asked: tuple[str, float] | None = None

    def understand(self, heard: Heard, now_s: float, addressed: bool = False) -> Understood:
        """`addressed`: a button is held, so no wake word is needed."""
        config = self._config
        said = words(heard.text)
        if not said:
            return Understood(Kind.DROPPED, "", heard.confidence, "no sentence was understood")
        called = next((w for w in self._wake if said[: len(w)] == w), None)
        said = said[len(called) :] if called else said
        meant = addressed or called is not None or not self._wake or now_s <= self._awake_until_s
        sure = heard.confidence
        # A stop needs no wake word: who shouts it has no time for one.
        if not meant and not (is_stop(" ".join(said)) and sure >= config.confirm_below):
            return Understood(Kind.DROPPED, heard.text, sure, "it was not meant for the robot: no wake word")
        if sure < config.ignore_below:
            return Understood(Kind.DROPPED, heard.text, sure, "it was heard too unsurely")
        self._awake_until_s = now_s + config.awake_s
        if not said:
            return Understood(Kind.CALLED, heard.text, sure)
        text = " ".join(said)
        asked, self._asked = self._asked, None
        if asked is not None and now_s <= asked[1]:
            agreed = yes_or_no(text)
            if agreed:
                return Understood(Kind.WORDS, asked[0], 1.0)
            if agreed is False:
                return Understood(Kind.DROPPED, asked[0], sure, "it was not what was said")
        # Nothing is lost by a stop too many.
        if sure < config.confirm_below and not is_stop(text):
            self._asked = (text, now_s + config.answer_within_s)
            return Understood(Kind.READ_BACK, f"did you say: {text}?", sure)
        return Understood(Kind.WORDS, text, sure)
