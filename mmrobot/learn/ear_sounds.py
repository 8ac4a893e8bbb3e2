"""What is said to the ear's net while it learns, by voices of espeak-ng and, where it is installed, flite.

No voice, no accent and no sentence of `mmrobot eval-voice` is among them.
"""

from __future__ import annotations

import multiprocessing
import random
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mmrobot.errors import VoiceUnavailableError
from mmrobot.vlm.words import words
from mmrobot.voice.likely_words import TALK, likely_sentences
from mmrobot.voice.sound import RATE_HZ, wav_sound
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
_SHARES = (0.45, 0.15, 0.12, 0.2, 0.08)
"""Of what is likely to be said to a robot, short talk and stops, words in any order, plain English, and words
like stops."""
_HALTS = (
    "stop", "halt", "freeze", "stop now", "stop it", "stop moving", "do not move", "dont move",
    "emergency stop", "stop stop", "stop stop stop", "stop please", "please stop",
)  # fmt: skip
_LIKE_HALTS = """
    step stepped steps stuff staff stack stacked top tops shop shops stock stamp stamps spot spots start
    started starts stay stayed store stone story strong straight street drop dropped hop pop chop mop prop
    swap soft salt sob sock sorry south hall halls hold hot hat heart half halls heart art halter fault
    breeze freed free freezer three trees fleece please cheese frieze stopped stopper nonstop bus stops
""".split()
"""Words that no robot should stop for."""
_CALLS = ("robot", "hey robot")
_LONGEST_WORD = 14
_FLITE_VOICES, _FLITE_SHARE = ("slt", "rms", "awb", "kal16"), 0.12
_CHUNK = 250
_SENTENCES = 20_000


class Texts:
    """Draws what is said. `prose`: plain English, in words."""

    def __init__(self, seed: int, prose: tuple[str, ...], sentences: int = _SENTENCES) -> None:
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
        kind = rng.choices(range(5), _SHARES)[0]
        if kind == 0:
            text = " ".join(rng.choice(self._likely))
        elif kind == 1:
            text = rng.choice(_HALTS) if rng.random() < 0.5 else rng.choice(TALK)
        elif kind == 2:
            text = " ".join(rng.choice(self._known) for _ in range(rng.randint(1, 6)))
        elif kind == 4:
            text = " ".join(rng.choice(_LIKE_HALTS) for _ in range(rng.choice([1, 1, 2, 3])))
        else:
            start = rng.randrange(max(1, len(self._prose) - 12))
            text = " ".join(self._prose[start : start + rng.randint(2, 10)])
        if rng.random() < 0.5 and kind < 3:
            text = f"{rng.choice(_CALLS)}{rng.choice(['', ','])} {text}"
        return text


def prose() -> tuple[str, ...]:
    """The words of the documents and of the package's own remarks that are plain letters."""
    root = Path(__file__).resolve().parents[1]
    files = sorted([*(root.parent / "docs").glob("*.md"), *root.rglob("*.py")])
    text = " ".join(path.read_text(encoding="utf-8") for path in files if "voice_set" not in path.name)
    return tuple(w for w in words(text) if w.isascii() and w.isalpha() and len(w) < _LONGEST_WORD)


@dataclass(frozen=True, eq=False)
class Spoken:
    """`samples`: (n,) int16 at 16 kHz without silence around; `text`: what they say."""

    samples: NDArray[np.int16]
    text: str


def speak(rng: random.Random, texts: Texts) -> Spoken:
    """One utterance by a voice of its own. Raises VoiceUnavailableError without espeak-ng."""
    text = texts.draw(rng)
    said = text + rng.choice(["", ".", "!", "?"])
    if rng.random() < _FLITE_SHARE and shutil.which("flite"):
        samples = _by_flite(rng, said)
    else:
        voice = f"{rng.choice(ACCENTS)}+{rng.choice(VARIANTS)}"
        options = ("-p", str(rng.randint(25, 75)), "-g", str(rng.choice([0, 0, 0, 1, 3])))
        samples = Espeak(voice, rng.randint(115, 225), options).speak(said).at(RATE_HZ).samples
    loud = np.flatnonzero(np.abs(samples) > 100)
    if len(loud):
        samples = samples[max(0, loud[0] - 400) : loud[-1] + 400]
    return Spoken(samples, " ".join(words(text)))


def _by_flite(rng: random.Random, text: str) -> NDArray[np.int16]:
    with tempfile.NamedTemporaryFile(suffix=".wav") as file:
        stretch, pitch = rng.uniform(0.8, 1.35), rng.uniform(85, 220)
        settings = ("--setf", f"duration_stretch={stretch:.2f}", "--setf", f"int_f0_target_mean={pitch:.0f}")
        command = ["flite", "-voice", rng.choice(_FLITE_VOICES), *settings, "-t", text, "-o", file.name]
        done = subprocess.run(command, capture_output=True, check=False, timeout=20)
        if done.returncode != 0:
            raise VoiceUnavailableError(f"flite ended with status {done.returncode}", "try it by hand")
        return wav_sound(Path(file.name).read_bytes()).at(RATE_HZ).samples


class Recordings:
    """Many utterances kept in one file, so that each is spoken once and heard in many surroundings."""

    def __init__(self, samples: NDArray[np.int16], ends: NDArray[np.int64], texts: Sequence[str]) -> None:
        self.samples, self.ends, self.texts = samples, ends, texts
        self.starts = np.concatenate([[0], ends[:-1]])

    def __len__(self) -> int:
        return len(self.texts)

    def save(self, path: Path) -> None:
        """As one .npz."""
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part.npz")
        np.savez(part, samples=self.samples, ends=self.ends, texts=np.array(self.texts))
        part.replace(path)

    @classmethod
    def load(cls, path: Path) -> Recordings:
        """What `save` wrote."""
        with np.load(path) as file:
            return cls(file["samples"], file["ends"], [str(t) for t in file["texts"]])

    @classmethod
    def of(cls, spoken: Sequence[Spoken]) -> Recordings:
        """All of them."""
        ends = np.cumsum([len(s.samples) for s in spoken])
        return cls(np.concatenate([s.samples for s in spoken]), ends, [s.text for s in spoken])


def record(path: Path, count: int, seed: int, workers: int, report: Callable[[str], None]) -> Recordings:
    """`count` utterances, spoken now by so many processes unless the file has them.

    Raises VoiceUnavailableError."""
    if path.is_file():
        return Recordings.load(path)
    chunks = [(seed, start, min(_CHUNK, count - start)) for start in range(0, count, _CHUNK)]
    spoken: list[Spoken] = []
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        for chunk in pool.imap(_chunk, chunks):
            if len(spoken) // 5000 < (len(spoken) + len(chunk)) // 5000:
                report(f"{len(spoken) + len(chunk)} of {count} utterances are spoken")
            spoken += chunk
    recordings = Recordings.of(spoken)
    recordings.save(path)
    return recordings


def _chunk(job: tuple[int, int, int]) -> list[Spoken]:
    seed, start, count = job
    rng, texts = random.Random(f"{seed} {start}"), _texts(seed)
    return [speak(rng, texts) for _ in range(count)]


@lru_cache(maxsize=2)
def _texts(seed: int) -> Texts:
    return Texts(seed, prose())
