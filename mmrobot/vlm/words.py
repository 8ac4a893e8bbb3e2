"""The only split into words in this project.

Models, the grammar that makes training text, and everything that speaks of word indices use it, so
that an index means the same everywhere.
"""

from __future__ import annotations

import re
import unicodedata

_APOSTROPHES = re.compile(r"['’‘ʼ`´]")
# Decimals stay one word; everything else that is neither letter nor digit separates.
_WORD = re.compile(r"\d+\.\d+|[^\W_]+")


def words(text: str) -> tuple[str, ...]:
    """The normalised words of a text: NFKC, lower case, no punctuation.

    Apostrophes join ("don't" is "dont"), every other mark separates ("left-hand" is two words).
    Splitting the joined result again gives the same words.
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).lower())
    return tuple(_WORD.findall(_APOSTROPHES.sub("", folded)))
