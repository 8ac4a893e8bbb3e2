"""A grammar as word statistics: trigrams of many of its sentences, in the ARPA format that recognisers read.

A recogniser's search through the grammar itself (JSGF) took longer than the speech lasted and lost the way at
the first mispronounced word (docs/voice.md); through these it is thirty times as quick, and finds the next
likely words again. That the result is a sentence of the grammar is checked afterwards.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

_DISCOUNT = 0.5
_LEAST = 1e-9


def arpa(sentences: Iterable[str]) -> str:
    """Trigrams with absolute discounting and back-off (Ney, Essen and Kneser 1994)."""
    counts: tuple[Counter[tuple[str, ...]], ...] = (Counter(), Counter(), Counter())
    for sentence in sentences:
        said = ("<s>", *sentence.split(), "</s>")
        for n in range(3):
            counts[n].update(said[i : i + n + 1] for i in range(len(said) - n))
    total = sum(c for words, c in counts[0].items() if words != ("<s>",))
    chance = {words: c / total for words, c in counts[0].items() if words != ("<s>",)}
    backed: dict[tuple[str, ...], float] = {}
    for n in (1, 2):
        chance.update(_discounted(counts[n], chance, backed))
    lines = ["\\data\\", *(f"ngram {n + 1}={len(counts[n])}" for n in range(3))]
    for n in range(3):
        lines += ["", f"\\{n + 1}-grams:"]
        for words in sorted(counts[n]):
            back = f" {_log(backed.get(words, 1.0))}" if n < 2 else ""
            lines.append(f"{_log(chance.get(words, _LEAST))} {' '.join(words)}{back}")
    return "\n".join([*lines, "", "\\end\\", ""])


def _discounted(
    counts: Mapping[tuple[str, ...], int],
    lower: Mapping[tuple[str, ...], float],
    backed: dict[tuple[str, ...], float],
) -> dict[tuple[str, ...], float]:
    """The chances of the n-grams counted; the weights of their beginnings for what was not seen go into
    `backed`."""
    after: defaultdict[tuple[str, ...], dict[str, int]] = defaultdict(dict)
    for words, c in counts.items():
        after[words[:-1]][words[-1]] = c

    def shorter(words: tuple[str, ...]) -> float:
        if words in lower:
            return lower[words]
        return backed.get(words[:-1], 1.0) * shorter(words[1:])

    found = {}
    for start, following in after.items():
        total = sum(following.values())
        free = 1.0 - sum(shorter((*start[1:], word)) for word in following)
        backed[start] = _DISCOUNT * len(following) / total / max(free, _LEAST) if free > _LEAST else _LEAST
        for word, c in following.items():
            found[(*start, word)] = (c - _DISCOUNT) / total
    return found


def _log(chance: float) -> str:
    return f"{math.log10(max(chance, _LEAST)):.4f}"
