"""How well the robot hears: the whole way of the voice node without ROS, on speech that espeak-ng makes.

Each sentence goes in pieces of 32 ms through detector, endpoints, stop words, reader and wake word, each time
by new ears, and as quickly as the processor reads it: waiting is counted, not waited.
"""

from __future__ import annotations

import itertools
import random
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from mmrobot.config import VoiceConfig
from mmrobot.evals.statistics import Rate
from mmrobot.evals.voice_set import (
    CLEAN,
    NOISES,
    OTHER,
    SPEEDS,
    STOPS,
    VOICES,
    Noise,
    say,
    sentence,
    speech_end_s,
    with_noise,
)
from mmrobot.vlm.words import words
from mmrobot.voice.activity import WINDOW, SileroActivity
from mmrobot.voice.ear import Ear, Pause, Stop
from mmrobot.voice.endpointing import Activity
from mmrobot.voice.listening import Attention, Kind, Understood
from mmrobot.voice.reader import Reader
from mmrobot.voice.recognition import Recogniser, make_recogniser
from mmrobot.voice.sound import RATE_HZ, as_int16
from mmrobot.voice.stop_chances import make_stops
from mmrobot.voice.stop_spotter import StopSpotter
from mmrobot.voice.synthesis import Espeak

WAKE = "robot"
STOP_NOISES = (CLEAN, Noise("white", 10.0), Noise("babble", 10.0))
QUIET_S = 6.0
"""Of silence and noise for each count."""


@lru_cache(maxsize=4000)
def espeak_samples(text: str, voice: str, speed: int) -> np.ndarray:
    """(n,) int16 at 16 kHz. Raises VoiceUnavailableError without espeak-ng."""
    return Espeak(voice, speed).speak(text).at(RATE_HZ).samples


@dataclass(frozen=True)
class Told:
    """What one stretch of sound led to. `late_s`: from the end of speech in it to the last words."""

    stops: tuple[float, ...] = ()
    understood: tuple[Understood, ...] = ()
    late_s: float = 0.0

    @property
    def commands(self) -> tuple[str, ...]:
        """The words that the robot is to follow."""
        return tuple(u.text for u in self.understood if u.kind is Kind.WORDS)


@dataclass
class Hearer:
    """Ears, reader and wake word; the models are shared, the states are each sound's own."""

    config: VoiceConfig
    recogniser: Recogniser
    spotter: Recogniser
    activity: Callable[[], Activity] = SileroActivity

    @classmethod
    def of(cls, config: VoiceConfig) -> Hearer:
        """As the voice node makes them. Raises VoiceUnavailableError."""
        return cls(config, make_recogniser(config), make_stops(config))

    def hear(self, samples: np.ndarray, speech_end_s: float = 0.0) -> Told:
        """(n,) int16 at 16 kHz."""
        ear = Ear(self.activity(), StopSpotter(self.spotter, self.config.stop_from), self.config)
        reader, attention = Reader(self.recogniser), Attention(self.config)
        stops: list[float] = []
        understood: list[Understood] = []
        late_s = ahead_ready_s = 0.0
        for start in range(0, len(samples), WINDOW):
            now_s = min(len(samples), start + WINDOW) / RATE_HZ
            last = start + WINDOW >= len(samples)
            for event in ear.feed(samples[start : start + WINDOW], RATE_HZ, last=last):
                began_s = time.perf_counter()
                if isinstance(event, Stop):
                    stops.append(now_s)
                elif isinstance(event, Pause):
                    if reader.ahead(event).whole:
                        ear.seems_whole(event)
                    ahead_ready_s = now_s + time.perf_counter() - began_s
                else:
                    understood.append(attention.understand(reader.read(event), now_s))
                    ready_s = max(now_s + time.perf_counter() - began_s, ahead_ready_s)
                    late_s = ready_s - speech_end_s
        return Told(tuple(stops), tuple(understood), late_s)


@dataclass
class VoiceEval:
    """`count`: sentences of each kind and noise. The seed draws all of them."""

    hearer: Hearer
    count: int
    seed: int = 1_000_000
    speak: Callable[[str, str, int], np.ndarray] = espeak_samples
    progress: Callable[[str], object] = lambda _: None

    def run(self) -> dict[str, Any]:
        """All figures, as JSON holds them."""
        return {
            "voices": len(VOICES),
            "speeds": list(SPEEDS),
            "commands": {noise.name: self._commands(noise) for noise in NOISES},
            "stops": {noise.name: self._stops(noise) for noise in STOP_NOISES},
            "other_speech": self._other(),
            "silence_and_noise": self._quiet(),
        }

    def _commands(self, noise: Noise) -> dict[str, Any]:
        right = asked_back = wrong = 0
        late_s = []
        by_voice: dict[str, list[bool]] = {}
        for text, voice, speed, rng in self._drawn(f"commands {noise.name}", sentence):
            clean = say(f"{WAKE} {text}", voice, speed, self.speak)
            told = self.hearer.hear(with_noise(clean, noise, self._babble(), rng), speech_end_s(clean))
            heard = self._words(told)
            good = heard == words(text)
            right += good
            asked_back += any(u.kind is Kind.READ_BACK for u in told.understood)
            wrong += bool(told.commands) and words(" ".join(told.commands)) != words(text)
            by_voice.setdefault(voice, []).append(good)
            if told.understood:
                late_s.append(told.late_s)
        n = self.count
        return {
            **Rate(right, n).as_dict(),
            "read_back": asked_back,
            "wrong_commands": wrong,
            "ms_p50": round(1000 * statistics.median(late_s)) if late_s else None,
            "by_voice": {v: f"{sum(g)}/{len(g)}" for v, g in sorted(by_voice.items())},
        }

    @staticmethod
    def _words(told: Told) -> tuple[str, ...]:
        """What was heard, surely or to be confirmed: whoever reads back has understood the words."""
        texts = [
            u.text.removeprefix("did you say: ")
            for u in told.understood
            if u.kind in (Kind.WORDS, Kind.READ_BACK)
        ]
        stopped = ["stop"] if told.stops and not texts else []
        return words(" ".join(texts or stopped))

    def _stops(self, noise: Noise) -> dict[str, Any]:
        found, late_s, missed = 0, [], []
        draw = itertools.cycle(STOPS)
        for text, voice, speed, rng in self._drawn(f"stops {noise.name}", lambda _: next(draw)):
            clean = say(text, voice, speed, self.speak)
            told = self.hearer.hear(with_noise(clean, noise, self._babble(), rng), speech_end_s(clean))
            # The sentence recogniser's stops act too (ros/voice_node.py).
            by_reader = any(words(c)[:1] in (("stop",), ("halt",), ("freeze",)) for c in told.commands)
            if told.stops or by_reader:
                found += 1
            else:
                missed.append(f"{voice} {speed}: {text}")
            if told.stops:
                late_s.append(told.stops[0] - speech_end_s(clean))
        p50 = round(1000 * statistics.median(late_s)) if late_s else None
        return {**Rate(found, self.count).as_dict(), "ms_p50": p50, "missed": missed[:20]}

    def _other(self) -> dict[str, Any]:
        """Speech that is none of the robot's business: neither stops nor commands may come of it."""
        stops = commands = 0
        seconds = 0.0
        for text, voice, speed, rng in self._drawn("other speech", lambda r: r.choice(OTHER)):
            clean = say(text, voice, speed, self.speak)
            for noise in (CLEAN, Noise("white", 10.0)):
                told = self.hearer.hear(with_noise(clean, noise, self._babble(), rng))
                stops, commands = stops + len(told.stops), commands + len(told.commands)
                seconds += len(clean) / RATE_HZ
        return _hourly(seconds, false_stops=stops, commands=commands)

    def _quiet(self) -> dict[str, Any]:
        """Silence, hiss, hum and knocks: nothing may come of them, though no wake word is asked for."""
        rng = np.random.default_rng(self.seed)
        # No wake word asked for: what is meant for nobody is found here too.
        hearer = replace(self.hearer, config=self.hearer.config.model_copy(update={"wake_words": ""}))
        self.progress("silence and noise")
        stops = commands = 0
        n = round(QUIET_S * RATE_HZ)
        for i in range(self.count):
            t = np.arange(n) / RATE_HZ
            loud = 10 ** rng.uniform(0.5, 3.5)
            kinds = (
                np.zeros(n),
                rng.standard_normal(n) * loud,
                np.sin(2 * np.pi * rng.uniform(50, 400) * t) * loud,
                (rng.random(n) < 3 / RATE_HZ) * 1.0 * loud * 5,
            )
            told = hearer.hear(as_int16(kinds[i % len(kinds)]))
            stops, commands = stops + len(told.stops), commands + len(told.commands)
        return _hourly(self.count * QUIET_S, false_stops=stops, commands=commands)

    def _drawn(
        self, title: str, text: Callable[[random.Random], str]
    ) -> Iterator[tuple[str, str, int, np.random.Generator]]:
        """(text, voice, speed, noise) by the seed; voices and speeds in turn, each pair in as many as fit."""
        self.progress(title)
        rng = random.Random(f"{self.seed} {title.split()[0]}")
        for i in range(self.count):
            speed = SPEEDS[(i + i // len(VOICES)) % len(SPEEDS)]
            yield text(rng), VOICES[i % len(VOICES)], speed, np.random.default_rng(self.seed + i)

    def _babble(self) -> np.ndarray:
        parts = [self.speak(OTHER[i], VOICES[i % len(VOICES)], 165).astype(float) for i in range(8)]
        return np.concatenate([p / max(1.0, float(p.std())) for p in parts])


def _hourly(seconds: float, **counts: int) -> dict[str, Any]:
    hours = max(seconds, 1e-9) / 3600
    return {
        "minutes": round(seconds / 60, 2),
        **counts,
        **{f"{name}_per_hour": round(count / hours, 2) for name, count in counts.items()},
    }
