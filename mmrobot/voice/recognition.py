"""What every recogniser gives, and which one is chosen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from mmrobot.config import VoiceConfig
from mmrobot.errors import VoiceUnavailableError


@dataclass(frozen=True)
class Heard:
    """The words of one utterance, small letters without marks, "" for none; how sure, from 0 to 1. `whole`:
    nothing more is likely to follow."""

    text: str
    confidence: float
    whole: bool = False


NOTHING = Heard("", 0.0)


class Recogniser(Protocol):
    """Turns the sound of one utterance into words."""

    def hear(self, samples: np.ndarray) -> Heard:
        """Of (n,) int16 at 16 kHz."""
        ...


def make_recogniser(config: VoiceConfig) -> Recogniser:
    """The one configured; its library is imported only now. Raises VoiceUnavailableError."""
    if config.recogniser == "faster-whisper":
        from mmrobot.voice.whisper_recogniser import WhisperRecogniser

        return WhisperRecogniser(config.model)
    if config.recogniser == "sherpa-onnx":
        from mmrobot.voice.sherpa_recogniser import SherpaRecogniser

        return SherpaRecogniser(config.model)
    from mmrobot.voice.letters_net import the_letters_net
    from mmrobot.voice.letters_recogniser import LettersRecogniser
    from mmrobot.voice.likely_words import LikelyWords
    from mmrobot.voice.moonshine_model import the_model
    from mmrobot.voice.moonshine_recogniser import MoonshineRecogniser

    likely = LikelyWords(config.names)
    others = MoonshineRecogniser(the_model(), likely)
    return LettersRecogniser(the_letters_net(), likely, others)


def not_installed(package: str, error: ImportError) -> VoiceUnavailableError:
    """The error for a library that is missing."""
    return VoiceUnavailableError(
        f"voice.recogniser needs {package}, which cannot be imported: {error}",
        f".venv/bin/pip install {package}   or set voice.recogniser: moonshine",
    )
