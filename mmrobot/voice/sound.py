"""Sound: one channel of samples, its WAV files, and the change of sample rate, whole or piece by piece."""

from __future__ import annotations

import io
import wave
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from scipy.signal import resample_poly

from mmrobot.errors import InvalidAudioError

RATE_HZ = 16_000
"""What all listening is done at."""
MIN_RATE_HZ, MAX_RATE_HZ = 8_000, 48_000
MAX_WAV_S = 600.0
_TAPS = 32
"""Samples of input, at the lower of both rates, that one sample of output is made of."""


@dataclass(frozen=True)
class Sound:
    """One channel. `samples`: (n,) int16."""

    samples: np.ndarray
    rate_hz: int

    def __post_init__(self) -> None:
        if self.samples.ndim != 1 or self.samples.dtype != np.int16:
            raise InvalidAudioError(
                f"samples are {self.samples.dtype} of shape {self.samples.shape}",
                "give one channel of int16",
            )
        check_rate(self.rate_hz)

    @property
    def seconds(self) -> float:
        """How long it is."""
        return len(self.samples) / self.rate_hz

    def at(self, rate_hz: int) -> Sound:
        """The same at another rate."""
        if rate_hz == self.rate_hz or not len(self.samples):
            return Sound(self.samples, rate_hz)
        ratio = Fraction(rate_hz, self.rate_hz)
        out = resample_poly(self.samples.astype(np.float32), ratio.numerator, ratio.denominator)
        return Sound(as_int16(out), rate_hz)


def as_int16(samples: np.ndarray) -> np.ndarray:
    """Samples (n,) of any number type, in units of int16, rounded and clipped."""
    return np.clip(np.rint(samples), -32768, 32767).astype(np.int16)


def check_rate(rate_hz: int) -> None:
    """Raises InvalidAudioError for a rate that no speech is sampled at."""
    if not MIN_RATE_HZ <= rate_hz <= MAX_RATE_HZ:
        raise InvalidAudioError(
            f"a sample rate of {rate_hz} Hz", f"give {MIN_RATE_HZ} to {MAX_RATE_HZ} samples in a second"
        )


def read_wav(path: str | Path) -> Sound:
    """A WAV file of 8, 16, 24 or 32-bit integers, its channels mixed. Raises InvalidAudioError."""
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise InvalidAudioError(f"cannot read '{path}': {error.strerror}", "give a WAV file") from error
    try:
        return wav_sound(content)
    except InvalidAudioError as error:
        raise InvalidAudioError(f"'{path}': {error.message}", error.fix) from error


def wav_sound(content: bytes) -> Sound:
    """The sound in the bytes of a WAV file. Raises InvalidAudioError."""
    try:
        with wave.open(io.BytesIO(content)) as file:
            width, channels, rate = file.getsampwidth(), file.getnchannels(), file.getframerate()
            # A writer into a pipe (espeak-ng) cannot know the length and leaves a huge one.
            raw = file.readframes(min(file.getnframes(), len(content)))
    except (wave.Error, EOFError) as error:
        raise InvalidAudioError(f"no WAV file of integers: {error}", "save it as 16-bit PCM") from error
    check_rate(rate)
    raw = raw[: len(raw) // (width * channels) * width * channels]
    if len(raw) > MAX_WAV_S * rate * width * channels:
        raise InvalidAudioError(f"longer than {MAX_WAV_S:.0f} s", "cut it into pieces")
    if width == 1:
        samples = (np.frombuffer(raw, np.uint8).astype(np.float32) - 128) * 256
    elif width == 3:
        bytes_ = np.frombuffer(raw, np.uint8).reshape(-1, 3)
        samples = (bytes_[:, 1:].copy().view("<i2")[:, 0]).astype(np.float32)
    else:
        samples = np.frombuffer(raw, {2: "<i2", 4: "<i4"}[width]).astype(np.float32)
        samples = samples if width == 2 else samples / np.float32(65536)
    return Sound(as_int16(samples.reshape(-1, channels).mean(axis=1)), rate)


def wav_bytes(sound: Sound) -> bytes:
    """A 16-bit WAV file."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(sound.rate_hz)
        file.writeframes(sound.samples.astype("<i2").tobytes())
    return buffer.getvalue()


class Resampler:
    """Pieces of one stream to RATE_HZ: the sound goes on over the seams. A windowed sinc, 16 samples late."""

    def __init__(self, rate_hz: int) -> None:
        check_rate(rate_hz)
        self.rate_hz = rate_hz
        self._step = rate_hz / RATE_HZ
        # Below the lower of both rates' half, so that nothing folds back.
        self._cutoff = min(1.0, RATE_HZ / rate_hz) * 0.95
        half = int(np.ceil(_TAPS / 2 * max(1.0, self._step)))
        self._around = np.arange(-half, half + 1)
        self._half = half
        self._kept = np.zeros(2 * half + 1, np.float32)
        self._next = float(len(self._kept))

    def feed(self, samples: np.ndarray) -> np.ndarray:
        """(n,) int16 at the stream's rate to (m,) int16 at RATE_HZ."""
        if self.rate_hz == RATE_HZ:
            return samples
        data = np.concatenate([self._kept, samples.astype(np.float32)])
        last = len(data) - 1 - self._half
        count = max(0, int(np.floor((last - self._next) / self._step)) + 1)
        at = self._next + self._step * np.arange(count)
        whole = np.floor(at).astype(int)
        offset = self._around[None, :] - (at - whole)[:, None]
        window = 0.5 + 0.5 * np.cos(np.pi * np.clip(offset / (self._half + 1), -1, 1))
        taps = self._cutoff * np.sinc(self._cutoff * offset) * window
        out = (data[whole[:, None] + self._around[None, :]] * taps).sum(axis=1)
        end = self._next + self._step * count
        drop = max(0, int(end) - self._half - 1)
        self._kept, self._next = data[drop:], end - drop
        return as_int16(out)
