"""Rooms, microphones, distance and noise for what was spoken: many utterances at once, on one device."""

from __future__ import annotations

import torch
from torch import Tensor

from mmrobot.learn.ear_sounds import Recordings
from mmrobot.voice.sound import RATE_HZ

LOUD = 1000.0
"""Root mean square of the speech, in steps of int16; the ear does not hear loudness."""
_MOST_BABBLERS = 8
_LONGEST_ECHO = round(0.35 * RATE_HZ)
_HARMONICS = 5


class Surroundings:
    """Draws them by the seed. `recordings`: who else may talk."""

    def __init__(self, recordings: Recordings, device: torch.device, seed: int) -> None:
        self._others = torch.from_numpy(recordings.samples).to(device)
        self._device = device
        self._random = torch.Generator(device).manual_seed(seed)

    def of(self, samples: Tensor, starts: Tensor, ends: Tensor) -> tuple[Tensor, Tensor]:
        """Sounds (n, t) float32 with silence around them, and how long each is (n,) in samples.

        Of utterances `samples[start:end]`, (m,) int16."""
        n = len(starts)
        speed = torch.where(self._happens(n, 0.6), self._between(n, 0.88, 1.13), 1.0)
        spoken = ((ends - starts - 1) / speed).long()
        before, after = (self._between(n, 0.05 * RATE_HZ, 0.6 * RATE_HZ).long() for _ in range(2))
        lengths = before + spoken + after
        time = torch.arange(int(lengths.max()), device=self._device)
        at = (time - before[:, None]) * speed[:, None]
        said = (at >= 0) & (at < (ends - starts - 1)[:, None])
        whole = at.clamp(min=0).floor()
        index = torch.where(said, starts[:, None] + whole.long(), 0)
        x = torch.lerp(samples[index].float(), samples[index + 1].float(), (at - whole).clamp(0, 1)) * said
        x = self._through_room_and_microphone(x)
        x = x / ((x * x * said).sum(1) / said.sum(1).clamp(min=1)).sqrt().clamp(min=1e-3)[:, None]
        ratio_db = torch.where(self._happens(n, 0.5), self._between(n, 0, 14), self._between(n, 0, 28))
        share = torch.where(self._happens(n, 0.85), 10 ** (-ratio_db / 20), 0.0)
        x = x + share[:, None] * self._noise(n, len(time))
        return LOUD * x * (time < lengths[:, None]), lengths

    def _through_room_and_microphone(self, x: Tensor) -> Tensor:
        n, length = x.shape
        size = length + _LONGEST_ECHO
        spectrum = torch.fft.rfft(x, size)
        lasts = self._between(n, 0.05 * RATE_HZ, _LONGEST_ECHO)[:, None]
        time = torch.arange(_LONGEST_ECHO, device=self._device)
        echo = self._hiss(n, _LONGEST_ECHO) * torch.exp(-6.0 * time / lasts) * (time < lasts)
        echo = echo * self._between(n, 0.02, 0.12)[:, None] * self._happens(n, 0.4)[:, None]
        echo[:, 0] = 1.0
        spectrum *= torch.fft.rfft(echo, size)
        spectrum *= _colour(spectrum, torch.where(self._happens(n, 0.5), self._between(n, -0.8, 0.8), 0.0))
        cut = torch.where(self._happens(n, 0.2), self._between(n, 0.42, 0.95), 2.0)[:, None]
        share = torch.linspace(0, 1, spectrum.shape[1], device=self._device)
        spectrum *= torch.sigmoid((cut - share) * 60.0)
        return torch.fft.irfft(spectrum, size)[:, :length]

    def _noise(self, n: int, length: int) -> Tensor:
        """Of power 1: hiss of any colour, hum, people, or two of them."""
        noise = self._one_noise(n, length)
        second = self._happens(n, 0.2)[:, None]
        return _of_power_one(noise + second * self._one_noise(n, length))

    def _one_noise(self, n: int, length: int) -> Tensor:
        kind = self._between(n, 0, 1)[:, None]
        spectrum = torch.fft.rfft(self._hiss(n, length))
        spectrum *= _colour(spectrum, torch.where(self._happens(n, 0.5), self._between(n, -1.0, 0.5), 0.0))
        hiss = torch.fft.irfft(spectrum, length)
        noise = torch.where(kind < 0.4, _of_power_one(hiss), _of_power_one(self._hum(n, length)))
        return torch.where(kind < 0.5, noise, _of_power_one(self._babble(n, length)))

    def _hum(self, n: int, length: int) -> Tensor:
        turns = self._between(n, 45, 400)[:, None] * torch.arange(length, device=self._device) / RATE_HZ
        tones = (torch.sin(2 * torch.pi * turns * k + k * k) / k for k in range(1, _HARMONICS + 1))
        return torch.stack(list(tones)).sum(0)

    def _babble(self, n: int, length: int) -> Tensor:
        voices = self._between(n, 2, _MOST_BABBLERS + 1).long()
        time = torch.arange(length, device=self._device)
        total = torch.zeros(n, length, device=self._device)
        for k in range(_MOST_BABBLERS):
            starts = self._between(n, 0, len(self._others)).long()[:, None]
            heard = self._others[(starts + time) % len(self._others)].float()
            total += _of_power_one(heard) * (k < voices)[:, None]
        return total

    def _hiss(self, n: int, length: int) -> Tensor:
        return torch.randn(n, length, generator=self._random, device=self._device)

    def _between(self, n: int, low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(n, generator=self._random, device=self._device)

    def _happens(self, n: int, chance: float) -> Tensor:
        return torch.rand(n, generator=self._random, device=self._device) < chance


def _colour(spectrum: Tensor, power: Tensor) -> Tensor:
    """Louder or softer towards high pitches: by this power (n,) of the frequency."""
    share = torch.arange(spectrum.shape[1], device=spectrum.device) / spectrum.shape[1] + 0.01
    return share ** power[:, None]


def _of_power_one(x: Tensor) -> Tensor:
    return x / x.square().mean(1, keepdim=True).sqrt().clamp(min=1e-6)
