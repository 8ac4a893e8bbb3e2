"""Sound to letters: a small net of our own, taught on speech in noise (mmrobot/learn/ear_training.py).

It tells of each 30 ms which letter is being said, if any (Graves et al. 2006, "Connectionist temporal
classification"). It is run by numpy: eight layers of convolutions are done sooner than a runtime is loaded.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.fft import rfft

from mmrobot.errors import VoiceUnavailableError
from mmrobot.voice.logarithms import log_softmax
from mmrobot.voice.sound import RATE_HZ

BLANK = 0
LETTERS = " abcdefghijklmnopqrstuvwxyz"
"""What index 1 and the following stand for; index BLANK: nothing new is said."""
HOP, FRAME, BANDS = RATE_HZ // 100, RATE_HZ // 40, 40
STRIDE = 3
"""Frames of sound for each frame of letters: 30 ms."""
POINTS = 512
_LOWEST_HZ, _HIGHEST_HZ = 60.0, 7600.0
FLOOR = 1e-5
"""Of the mean power: what lies 50 dB below it is silence."""
WEIGHTS = Path(__file__).parent / "weights" / "letters.safetensors"


@dataclass(frozen=True)
class LettersSize:
    """`width` channels, `depth` blocks, `kernel` frames seen by each, `first` by the first layer."""

    width: int = 256
    depth: int = 12
    kernel: int = 11
    first: int = 9


def to_indices(text: str) -> list[int]:
    """Of small letters and spaces. Raises ValueError for another letter."""
    return [LETTERS.index(letter) + 1 for letter in text]


def bands(samples: NDArray[np.int16]) -> NDArray[np.float32]:
    """Logarithms of mel bands (t, BANDS), every 10 ms, of (n,) int16 at 16 kHz; neither loudness nor a
    microphone's colour is in them."""
    sound = np.zeros(max(len(samples), FRAME + 8 * HOP), np.float32)
    sound[: len(samples)] = samples
    frames = sliding_window_view(sound, FRAME)[::HOP] * np.hanning(FRAME).astype(np.float32)
    spectrum = rfft(frames, POINTS)
    mel = (spectrum.real**2 + spectrum.imag**2) @ mel_triangles()
    logarithm = np.log(mel + FLOOR * (mel.mean() + 1e-3))
    centred = logarithm - logarithm.mean(axis=0)
    result: NDArray[np.float32] = centred / (centred.std() + np.float32(1e-3))
    return result


@lru_cache(maxsize=1)
def mel_triangles() -> NDArray[np.float32]:
    """(points / 2 + 1, BANDS) triangles, evenly on the mel scale of O'Shaughnessy 1987."""

    def mel(hz: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(2595.0 * np.log10(1.0 + hz / 700.0))

    lowest, highest = mel(np.array([_LOWEST_HZ, _HIGHEST_HZ])).tolist()
    edges = np.linspace(lowest, highest, BANDS + 2)
    at = mel(np.arange(POINTS // 2 + 1) * RATE_HZ / POINTS)[:, None]
    rising = (at - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - at) / (edges[2:] - edges[1:-1])
    return np.maximum(0.0, np.minimum(rising, falling)).astype(np.float32)


class LettersNet:
    """Weights and their size. Raises VoiceUnavailableError where the file is missing or damaged."""

    def __init__(self, path: Path = WEIGHTS) -> None:
        from safetensors import safe_open

        try:
            with safe_open(path, "numpy") as file:
                self._size = LettersSize(**json.loads(file.metadata()["size"]))
                self._w = {name: file.get_tensor(name).astype(np.float32) for name in file.keys()}  # noqa: SIM118
        except Exception as error:
            raise VoiceUnavailableError(
                f"the weights {path.name} cannot be read: {error}", "install mmrobot again: make setup"
            ) from error

    def letters(self, samples: NDArray[np.int16]) -> NDArray[np.float32]:
        """Natural logarithms of the chances (t, 28) of BLANK and LETTERS, every 30 ms.

        Of (n,) int16 at 16 kHz."""
        w, size = self._w, self._size
        sound = _padded(bands(samples), size.first)
        seen = sliding_window_view(sound, size.first, axis=0)[::STRIDE]
        x = seen.reshape(len(seen), -1) @ w["first.weight"].reshape(size.width, -1).T + w["first.bias"]
        for k in range(size.depth):
            name = f"blocks.{k}."
            near = sliding_window_view(_padded(x, size.kernel), size.kernel, axis=0)
            y = np.einsum("twk,wk->tw", near, w[f"{name}near.weight"][:, 0]) + w[f"{name}near.bias"]
            y = (y - y.mean(1, keepdims=True)) / np.sqrt(y.var(1, keepdims=True) + np.float32(1e-5))
            y = y * w[f"{name}norm.weight"] + w[f"{name}norm.bias"]
            y = _gelu(y @ w[f"{name}up.weight"].T + w[f"{name}up.bias"])
            x = (x + y @ w[f"{name}down.weight"].T + w[f"{name}down.bias"]).astype(np.float32, copy=False)
        logits = x @ w["last.weight"].T + w["last.bias"]
        return log_softmax(logits.astype(np.float32))


def _padded(x: NDArray[np.float32], kernel: int) -> NDArray[np.float32]:
    return np.pad(x, ((kernel // 2, kernel // 2), (0, 0)))


def _gelu(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """Hendrycks and Gimpel 2016, by its tanh."""
    bent = np.tanh(np.float32(0.7978846) * (x + np.float32(0.044715) * x * x * x))
    result: NDArray[np.float32] = (0.5 * x * (1.0 + bent)).astype(np.float32, copy=False)
    return result


@lru_cache(maxsize=1)
def the_letters_net() -> LettersNet:
    """One for all that listen in this process. Raises VoiceUnavailableError."""
    return LettersNet()
