# ruff: noqa: E501 (word lists read best as they are)
"""What `mmrobot eval-voice` says: sentences, voices, speeds and noise, all of them drawn by a seed."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mmrobot.voice.sound import RATE_HZ, as_int16

VOICES = (
    "en-us", "en-us+f2", "en-us+f3", "en-us+f5", "en-us+m1", "en-us+m3", "en-us+m7", "en-gb-x-rp", "en-us-nyc",
    "en-us+f4",
)  # fmt: skip
SPEEDS = (130, 165, 200)
"""Words in a minute."""
LEVEL = 0.3
"""Of full scale as espeak-ng writes it: nobody speaks into a microphone at its limit."""
SILENCE_S = 1.2
"""Before and after each sentence: the noise goes on there."""
BABBLERS = 6

_COLORS = "red green blue yellow orange purple white black".split()
_THINGS = "cube ball cylinder bar cup".split()
_HOLDERS = "bowl tray plate cup".split()
_ALL = [*_THINGS, "bowl", "plate", "tray"]
_WHERE = "to the left of|to the right of|left of|right of|behind|in front of|next to|beside|near".split("|")
STOPS = (
    "stop", "robot stop", "halt", "stop now", "freeze", "stop it", "emergency stop", "stop moving", "do not move",
)  # fmt: skip
OTHER = tuple(
    """the weather was rather fine and we went to the market to buy some bread
he told me that the train would be late again because of the snow
my sister works in a large hospital near the river and likes her job
when you come home please feed the cat and water the plants
they have been talking about the new garden for several weeks now
in the evening we usually read a book or listen to some music
the shop at the top of the street sells stamps and strong coffee
she stepped up to the top shelf and started to look for a pot
half of the staff had to stay at home with a cold
it is hot and the halls are full of people who want to talk
three of the trees lost their leaves in the breeze last night
could you tell me what time the next bus to the station leaves
i think that we should stack the chairs before the meeting starts
the stock went up and then it dropped by four points
we will paint the wall in a light shade of green next week
nobody knew who had left the window open all night
salt and pepper are on the small table next to the door
there is a spot on your shirt and a hole in your sock
our neighbour plays the piano every day from two to three
a good cup of tea is what i need right now
last summer we drove along the coast and slept in a tent
the children built a tall tower out of wooden blocks
please hand me the salt and the big spoon
my brother bought a used car that needs a new engine
i was told that the fault was found and that all is well
the meeting has been moved to friday at half past nine
what a lovely colour that dress has in this light
he walked slowly up the hill and sat down on a bench""".splitlines()
)


@dataclass(frozen=True)
class Noise:
    """`kind`: clean, white or babble; `snr_db`: speech over noise, none when clean."""

    kind: str
    snr_db: float = 0.0

    @property
    def name(self) -> str:
        """As in the report."""
        return self.kind if self.kind == "clean" else f"{self.kind}_{self.snr_db:g}dB"


CLEAN = Noise("clean")
NOISES = (CLEAN, *(Noise(kind, snr) for kind in ("white", "babble") for snr in (20.0, 10.0, 5.0)))


def sentence(rng: random.Random) -> str:
    """What a person asks of the robot: written here, not drawn from the recogniser's grammar."""
    kinds: tuple[Callable[[random.Random], str], ...] = (
        *[_into] * 3, *[_beside] * 3, _pick, _pick, _stack, _push, _sequence, _all_of, _ask, _ask, _answer, _manage, _swap,
    )  # fmt: skip
    return rng.choice(kinds)(rng)


def say(text: str, voice: str, speed: int, speak: Callable[[str, str, int], np.ndarray]) -> np.ndarray:
    """(n,) int16 at 16 kHz, with silence before and after."""
    quiet = np.zeros(round(SILENCE_S * RATE_HZ), np.int16)
    return np.concatenate([quiet, as_int16(speak(text, voice, speed) * LEVEL), quiet])


def with_noise(samples: np.ndarray, noise: Noise, other: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Speech with noise at its ratio to the speech's loud parts. `other`: what babblers say, (m,)."""
    if noise.kind == "clean":
        return samples
    if noise.kind == "white":
        sound = rng.standard_normal(len(samples))
    else:
        parts = [np.roll(other, int(rng.integers(len(other)))) for _ in range(BABBLERS)]
        sound = np.resize(np.sum(parts, axis=0).astype(float), len(samples))
    sound *= loudness(samples) * 10 ** (-noise.snr_db / 20) / max(1e-9, float(np.sqrt(np.mean(sound**2))))
    mixed = samples.astype(float) + sound
    return as_int16(mixed * min(1.0, 32000 / max(1.0, float(np.abs(mixed).max()))))


def loudness(samples: np.ndarray) -> float:
    """Root mean square over the 20 ms pieces within 30 dB of the loudest."""
    piece = RATE_HZ // 50
    power = (samples[: len(samples) // piece * piece].astype(float).reshape(-1, piece) ** 2).mean(axis=1)
    return float(np.sqrt(power[power >= power.max() * 1e-3].mean()))


def speech_end_s(samples: np.ndarray) -> float:
    """Where the last piece within 40 dB of the loudest ends, of speech without noise."""
    piece = RATE_HZ // 100
    power = (samples[: len(samples) // piece * piece].astype(float).reshape(-1, piece) ** 2).mean(axis=1)
    return float((np.flatnonzero(power >= power.max() * 1e-4)[-1] + 1) * piece / RATE_HZ)


def _thing(r: random.Random, nouns: list[str]) -> str:
    x, noun = r.random(), r.choice(nouns)
    if x < 0.7:
        return f"the {r.choice(_COLORS)} {noun}"
    if x < 0.8:
        return f"the {noun}"
    if x < 0.9:
        return f"the {r.choice(['small', 'large', 'big', 'little'])} {r.choice(_COLORS)} {noun}"
    return f"the {r.choice(['leftmost', 'rightmost', 'nearest', 'largest', 'smallest'])} {noun}"


def _into(r: random.Random) -> str:
    verb, way = r.choice(["put", "place", "move", "drop"]), r.choice(["in", "into", "inside", "on"])
    return f"{verb} {_thing(r, _THINGS)} {way} {_thing(r, _HOLDERS)}"


def _beside(r: random.Random) -> str:
    return f"{r.choice(['put', 'place', 'move', 'set'])} {_thing(r, _THINGS)} {r.choice(_WHERE)} {_thing(r, _ALL)}"


def _pick(r: random.Random) -> str:
    return f"{r.choice(['pick up', 'grab', 'take', 'lift', 'give me'])} {_thing(r, _THINGS)}"


def _stack(r: random.Random) -> str:
    nouns = ["cube", "cylinder"]
    return f"stack {_thing(r, nouns)} {r.choice(['on', 'on top of'])} {_thing(r, nouns)}"


def _push(r: random.Random) -> str:
    return f"push {_thing(r, _THINGS)} {r.choice(['to the left', 'to the right', 'away', 'forward'])}"


def _sequence(r: random.Random) -> str:
    first = f"put {_thing(r, _THINGS)} in {_thing(r, _HOLDERS)}"
    return f"{first} and then {r.choice(['pick up', 'take'])} {_thing(r, _THINGS)}"


def _all_of(r: random.Random) -> str:
    return f"put all the {r.choice(_COLORS)} {r.choice(['cubes', 'balls', 'cups'])} in {_thing(r, _HOLDERS)}"


def _ask(r: random.Random) -> str:
    many = r.choice(["cubes", "balls", "cups", "bowls"])
    return r.choice(
        [
            f"how many {r.choice(_COLORS)} {many} are there", f"is there a {r.choice(_COLORS)} {r.choice(_ALL)}",
            f"where is {_thing(r, _ALL)}", f"what is next to {_thing(r, _ALL)}", "what do you see",
            "what are you doing",
        ]
    )  # fmt: skip


def _answer(r: random.Random) -> str:
    return r.choice(
        ["yes", "no", "yes please", "the left one", f"the {r.choice(_COLORS)} one", "the one on the right",
         f"no {_thing(r, _ALL)}"]
    )  # fmt: skip


def _manage(r: random.Random) -> str:
    return r.choice(
        ["put it back", "undo that", "do it again", "go on", "continue", "never mind", "hold on", "cancel", "go home",
         f"do the same with {_thing(r, _THINGS)}"]
    )  # fmt: skip


def _swap(r: random.Random) -> str:
    return f"swap {_thing(r, _THINGS)} and {_thing(r, _THINGS)}"
