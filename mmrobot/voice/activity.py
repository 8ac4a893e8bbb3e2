"""Where in a stream somebody speaks: silero-vad's model (MIT licence), run by onnxruntime.

The package's own module needs torch and reads files by torchaudio; its ONNX file needs neither.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np

from mmrobot.errors import VoiceUnavailableError
from mmrobot.voice.sound import RATE_HZ

WINDOW = 512
"""Samples at 16 kHz that are judged at once: 32 ms."""
WINDOW_S = WINDOW / RATE_HZ
_CONTEXT = 64


class SileroActivity:
    """The probability of speech, window after window. Raises VoiceUnavailableError without the model."""

    def __init__(self) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(
            str(model_file()), options, providers=["CPUExecutionProvider"]
        )
        self._rate = np.array(RATE_HZ, np.int64)
        self.reset()

    def reset(self) -> None:
        """Forget what was heard."""
        self._state = np.zeros((2, 1, 128), np.float32)
        self._context = np.zeros(_CONTEXT, np.float32)

    def probability(self, window: np.ndarray) -> float:
        """That somebody speaks in the next (WINDOW,) int16 samples."""
        samples = window.astype(np.float32) / 32768.0
        sound = np.concatenate([self._context, samples])[None, :]
        answer, self._state = self._session.run(
            None, {"input": sound, "state": self._state, "sr": self._rate}
        )
        self._context = samples[-_CONTEXT:]
        return float(answer[0, 0])


def model_file(package: str = "silero_vad") -> Path:
    """silero-vad's ONNX file, without importing the package. Raises VoiceUnavailableError."""
    spec = importlib.util.find_spec(package)
    for folder in spec.submodule_search_locations or [] if spec else []:
        file = Path(folder) / "data" / "silero_vad.onnx"
        if file.is_file():
            return file
    raise VoiceUnavailableError(
        "silero-vad is not installed, so speech cannot be told from silence",
        "make setup   or: pip install --no-deps silero-vad",
    )
