"""What the ear's net hears while it learns: espeak-ng's voices in rooms, through microphones, in noise.

No voice, no accent and no sentence of `mmrobot eval-voice` is among them.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, next_fast_len, rfft
from scipy.signal import fftconvolve

from mmrobot.vlm.words import words
from mmrobot.voice.likely_words import TALK, likely_sentences
from mmrobot.voice.sound import RATE_HZ, as_int16
from mmrobot.voice.synthesis import Espeak

ACCENTS = ("en-us", "en-gb", "en-gb-scotland", "en-gb-x-gbclan", "en-gb-x-gbcwmd", "en-029")
KEPT_APART = ("f2", "f3", "f4", "f5", "m1", "m3", "m7")
"""Variants of `mmrobot eval-voice`; its accents en-gb-x-rp and en-us-nyc are none of the above either."""
VARIANTS = tuple(
    """Alex Alicia Andrea Andy Annie Denis Diogo Gene Gene2 Henrique Hugo Jacky Lee Marco Mario Michael
    Mike Nguyen RicishayMax Storm Tweaky adam anika announcer antonio aunty belinda benjamin boris caleb
    croak david ed edward edward2 f1 grandma grandpa gustave iven iven2 iven3 john kaukovalta klatt
    klatt2 klatt3 klatt4 linda m2 m4 m5 m6 m8 marcelo max michel miguel norbert pablo paul pedro quincy
    rob robert sandro shelby steph steph2 steph3 travis victor whisper whisperf zac""".split()
)
_SHARES = (0.55, 0.15, 0.15, 0.15)
"""Of what is likely to be said to a robot, short talk and stops, words in any order, and plain English."""
_HALTS = (
    "stop", "halt", "freeze", "stop now", "stop it", "stop moving", "do not move", "dont move",
    "emergency stop", "stop stop", "stop stop stop", "stop please", "please stop",
)  # fmt: skip
_CALLS = ("robot", "hey robot")
_HISS_S = 30
_LONGEST_WORD = 14


class Texts:
    """Draws what is said. `prose`: plain English, in words."""

    def __init__(self, seed: int, prose: tuple[str, ...], sentences: int = 20_000) -> None:
        self._likely = likely_sentences(sentences, seed)
        self._known = sorted({word for said in self._likely for word in said if word.isalpha()})
        self._prose = prose

    def draw(self, rng: random.Random) -> str:
        """Small letters and spaces; a comma after the robot's name, now and then."""
        while True:
            text = self._drawn(rng)
            if text.replace(" ", "").replace(",", "").isalpha() and text.isascii():
                return text

    def _drawn(self, rng: random.Random) -> str:
        kind = rng.choices(range(4), _SHARES)[0]
        if kind == 0:
            text = " ".join(rng.choice(self._likely))
        elif kind == 1:
            text = rng.choice(_HALTS) if rng.random() < 0.5 else rng.choice(TALK)
        elif kind == 2:
            text = " ".join(rng.choice(self._known) for _ in range(rng.randint(1, 6)))
        else:
            start = rng.randrange(max(1, len(self._prose) - 12))
            text = " ".join(self._prose[start : start + rng.randint(2, 10)])
        if rng.random() < 0.5 and kind < 3:
            text = f"{rng.choice(_CALLS)}{rng.choice(['', ','])} {text}"
        return text


def prose_of(folder: Path) -> tuple[str, ...]:
    """The words of the documents in a folder that are plain letters."""
    text = " ".join(path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.md")))
    return tuple(w for w in words(text) if w.isascii() and w.isalpha() and len(w) < _LONGEST_WORD)


@dataclass(frozen=True, eq=False)
class Spoken:
    """`samples`: (n,) int16 at 16 kHz without silence around; `text`: what they say."""

    samples: NDArray[np.int16]
    text: str


def speak(rng: random.Random, texts: Texts) -> Spoken:
    """One utterance by a voice of its own. Raises VoiceUnavailableError without espeak-ng."""
    text = texts.draw(rng)
    voice = f"{rng.choice(ACCENTS)}+{rng.choice(VARIANTS)}"
    options = ("-p", str(rng.randint(25, 75)), "-g", str(rng.choice([0, 0, 0, 1, 3])))
    sound = Espeak(voice, rng.randint(115, 225), options).speak(text + rng.choice(["", ".", "!", "?"]))
    samples = sound.at(RATE_HZ).samples
    loud = np.flatnonzero(np.abs(samples) > 100)
    if len(loud):
        samples = samples[max(0, loud[0] - 400) : loud[-1] + 400]
    return Spoken(samples, " ".join(words(text)))


class Surroundings:
    """Changes what is said as rooms, microphones, distance and noise do."""

    def __init__(self, seed: int, babble: NDArray[np.int16]) -> None:
        self._rng = np.random.default_rng(seed)
        self._babble = np.resize(babble, max(len(babble), _HISS_S * RATE_HZ))
        hiss = self._rng.standard_normal(_HISS_S * RATE_HZ, np.float32)
        self._hisses = [hiss, *(_coloured(hiss, power) for power in np.linspace(-1.0, 0.5, 8))]

    def of(self, samples: NDArray[np.int16]) -> NDArray[np.int16]:
        """(m,) int16 of (n,): with silence around it."""
        rng = self._rng
        x = samples.astype(np.float32)
        if rng.random() < 0.6:
            at = np.arange(0, len(x) - 1, rng.uniform(0.88, 1.13))
            x = np.interp(at, np.arange(len(x)), x).astype(np.float32)
        before, after = (round(rng.uniform(0.05, 0.6) * RATE_HZ) for _ in range(2))
        x = np.pad(x, (before, after))
        if rng.random() < 0.4:
            x = self._room(x)
        if rng.random() < 0.5:
            x = _coloured(x, rng.uniform(-0.8, 0.8))
        x = x / max(1.0, float(np.abs(x).max()))
        if rng.random() < 0.85:
            speech = float(np.sqrt(np.mean(x[before : len(x) - after] ** 2)))
            x = x + self._noise(len(x)) * speech * 10 ** (-rng.uniform(0, 28) / 20)
        return as_int16(x / max(1e-6, float(np.abs(x).max())) * 10 ** rng.uniform(2.5, 4.4))

    def _room(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        length = round(self._rng.uniform(0.05, 0.35) * RATE_HZ)
        echo = self._rng.standard_normal(length) * np.exp(-6.0 * np.arange(length) / length)
        echo *= self._rng.uniform(0.02, 0.12)
        echo[0] = 1.0
        heard: NDArray[np.float32] = fftconvolve(x, echo)[: len(x)].astype(np.float32)
        return heard

    def _noise(self, n: int) -> NDArray[np.float32]:
        """Of power 1: hiss of any colour, hum, people, or two of them."""
        rng = self._rng
        total = np.zeros(n, np.float32)
        for _ in range(1 if rng.random() < 0.8 else 2):
            kind = rng.random()
            if kind < 0.45:
                hiss = self._hisses[0 if rng.random() < 0.5 else int(rng.integers(len(self._hisses)))]
                start = int(rng.integers(len(hiss) - n))
                sound = hiss[start : start + n]
            elif kind < 0.55:
                pitch, t = rng.uniform(45, 400), np.arange(n) / RATE_HZ
                tones = [np.sin(2 * np.pi * pitch * k * t + k * k) / k for k in range(1, 6)]
                sound = np.sum(tones, axis=0, dtype=np.float32)
            else:
                voices = int(rng.integers(2, 9))
                starts = rng.integers(0, len(self._babble) - n - 1, voices)
                sound = np.sum([self._babble[s : s + n] for s in starts], axis=0, dtype=np.float32)
            total += sound.astype(np.float32) / max(1e-6, float(np.sqrt(np.mean(sound**2))))
        return total / np.float32(max(1e-6, float(np.sqrt(np.mean(total**2)))))


def _coloured(x: NDArray[np.float32], power: float) -> NDArray[np.float32]:
    """Louder or softer towards high pitches: by this power of the frequency."""
    size = next_fast_len(len(x), real=True)
    spectrum = rfft(x, size)
    spectrum *= (np.arange(len(spectrum), dtype=np.float32) / len(spectrum) + 0.01) ** np.float32(power)
    coloured: NDArray[np.float32] = irfft(spectrum, size)[: len(x)]
    return coloured


class Recordings:
    """Many utterances kept in one file, so that each is spoken once and heard in many surroundings."""

    def __init__(self, samples: NDArray[np.int16], ends: NDArray[np.int64], texts: list[str]) -> None:
        self._samples, self._ends, self._texts = samples, ends, texts

    def __len__(self) -> int:
        return len(self._texts)

    def __getitem__(self, k: int) -> Spoken:
        start = int(self._ends[k - 1]) if k else 0
        return Spoken(self._samples[start : int(self._ends[k])], self._texts[k])

    def babble(self) -> NDArray[np.int16]:
        """All of them, one after the other."""
        return self._samples

    def save(self, path: Path) -> None:
        """As one .npz."""
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part.npz")
        np.savez(part, samples=self._samples, ends=self._ends, texts=np.array(self._texts))
        part.replace(path)

    @classmethod
    def load(cls, path: Path) -> Recordings:
        """What `save` wrote."""
        with np.load(path) as file:
            return cls(file["samples"], file["ends"], [str(t) for t in file["texts"]])

    @classmethod
    def of(cls, spoken: Iterator[Spoken]) -> Recordings:
        """All of them."""
        parts = list(spoken)
        ends = np.cumsum([len(p.samples) for p in parts])
        return cls(np.concatenate([p.samples for p in parts]), ends, [p.text for p in parts])
