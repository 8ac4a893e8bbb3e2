"""faster-whisper: free speech, for those who have its weights."""

from __future__ import annotations

import math
import re

import numpy as np

from mmrobot.errors import VoiceUnavailableError
from mmrobot.voice.recognition import NOTHING, Heard, not_installed

_DEFAULT = "base.en"


class WhisperRecogniser:
    """`model`: a folder of CTranslate2 weights, or a name that the library downloads."""

    def __init__(self, model: str) -> None:
        try:
            import faster_whisper
        except ImportError as error:
            raise not_installed("faster-whisper", error) from error
        try:
            self._model = faster_whisper.WhisperModel(model or _DEFAULT, device="auto")
        except Exception as error:
            raise VoiceUnavailableError(
                f"faster-whisper cannot load '{model or _DEFAULT}': {error}",
                "set voice.model to a folder of CTranslate2 weights",
            ) from error

    def hear(self, samples: np.ndarray) -> Heard:
        """Words, with the mean probability of their tokens."""
        segments = list(
            self._model.transcribe(samples.astype(np.float32) / 32768.0, language="en", beam_size=1)[0]
        )
        text = plain(" ".join(s.text for s in segments))
        if not text:
            return NOTHING
        return Heard(text, math.exp(sum(s.avg_logprob for s in segments) / len(segments)))


def plain(text: str) -> str:
    """Small letters, no marks."""
    return " ".join(re.findall(r"[a-z0-9']+", text.lower()))
