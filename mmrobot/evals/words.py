"""What becomes of the words on their way to the robot's ears, where an evaluation takes them away."""

from __future__ import annotations

import random
import zlib

_SYLLABLES = "ba ko ti mu re la fo ni ze gu pa so di ve chu".split()


def gibberish(words: str) -> str:
    """As many words that mean nothing, always the same for the same words."""
    rng = _drawn_from(words)
    return " ".join("".join(rng.choices(_SYLLABLES, k=rng.randint(1, 3))) for _ in words.split()) or "ba"


def shuffled(words: str) -> str:
    """The same words in another order; what has one order only stays as it is."""
    said = words.split()
    if len(set(said)) < 2:
        return words
    rng = _drawn_from(words)
    order = said[:]
    while order == said:
        rng.shuffle(order)
    return " ".join(order)


def silence(words: str) -> str:
    """Nothing is heard."""
    return ""


def _drawn_from(words: str) -> random.Random:
    return random.Random(zlib.crc32(words.encode()))
