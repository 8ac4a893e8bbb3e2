"""Letters to likely words: a beam search among the words that may be said to a robot.

Prefixes are merged as CTC needs it (Hannun et al. 2014, "First-pass large vocabulary continuous speech
recognition using bi-directional recurrent DNNs"); the chance of the likeliest word ahead counts from its
first letter on.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mmrobot.voice.letters_net import BLANK, LETTERS, to_indices
from mmrobot.voice.likely_words import LikelyWords

BEAM = 24
WEIGHT, BONUS = 0.9, 0.8
"""Of the words' chances against the sound's; what each word is given, so that few are no better than many."""
_LEAST = -8.0
"""A letter less likely than this (natural logarithm) is not said."""
_SURELY_NOTHING = -1e-3
_NEVER = -1e30
_SPACE = LETTERS.index(" ") + 1


@dataclass(eq=False)
class _Node:
    """A beginning of words: which letters go on, and the words that end here or below."""

    letter: int
    next: dict[int, _Node] = field(default_factory=dict)
    ends: int | None = None
    below: list[int] = field(default_factory=list)


@dataclass(eq=False)
class _Path:
    """Natural logarithms: `blank` and `voiced` of the sound, after a pause and after the node's letter;
    `prior` of the words, `owed` of it counted ahead for the word begun."""

    said: tuple[str, ...]
    node: _Node
    prior: float
    owed: float
    blank: float = _NEVER
    voiced: float = _NEVER

    @property
    def sound(self) -> float:
        return _add(self.blank, self.voiced)


@dataclass(frozen=True)
class Candidate:
    """Words, how well the letters fit them, and how likely they are to be said; natural logarithms."""

    said: tuple[str, ...]
    sound: float
    prior: float

    @property
    def score(self) -> float:
        """Of both."""
        return self.sound + self.prior


class LettersSearch:
    """One a process: the words are looked up in a tree of their letters."""

    def __init__(self, likely: LikelyWords) -> None:
        self._likely = likely
        self._end = len(likely.vocabulary) - 1
        self._root = _Node(_SPACE)
        for index, word in enumerate(likely.vocabulary[:-1]):
            if not (word.isascii() and word.isalpha()):
                continue
            node = self._root
            for letter in to_indices(word):
                node = node.next.setdefault(letter, _Node(letter))
                node.below.append(index)
            node.ends = index

    def best(self, chances: NDArray[np.float32], count: int) -> list[Candidate]:
        """The `count` best, best first, of chances (t, 28) of letters; none where no word fits."""
        paths = [_Path((), self._root, 0.0, 0.0, blank=0.0)]
        for heard in chances.astype(np.float64):
            if heard[BLANK] > _SURELY_NOTHING:
                for path in paths:
                    path.blank, path.voiced = path.sound + float(heard[BLANK]), _NEVER
                continue
            paths = self._after(paths, heard.tolist())
        return self._ended(paths, count)

    def _after(self, paths: list[_Path], heard: list[float]) -> list[_Path]:
        """All paths, one frame later."""
        grown: dict[tuple[tuple[str, ...], int], _Path] = {}

        def at(said: tuple[str, ...], node: _Node, prior: float, owed: float) -> _Path:
            key = (said, id(node))
            found = grown.get(key)
            if found is None:
                found = grown[key] = _Path(said, node, prior, owed)
            return found

        for path in paths:
            sound = path.sound
            stays = at(path.said, path.node, path.prior, path.owed)
            stays.blank = _add(stays.blank, sound + heard[BLANK])
            stays.voiced = _add(stays.voiced, path.voiced + heard[path.node.letter])
            for letter, node in path.node.next.items():
                if heard[letter] > _LEAST:
                    owed = self._ahead(path.said, node)
                    next_ = at(path.said, node, path.prior + owed - path.owed, owed)
                    before = path.blank if letter == path.node.letter else sound
                    next_.voiced = _add(next_.voiced, before + heard[letter])
            if path.node.ends is not None and heard[_SPACE] > _LEAST:
                said, prior = self._word_ended(path)
                next_ = at(said, self._root, prior, 0.0)
                next_.voiced = _add(next_.voiced, sound + heard[_SPACE])
        return sorted(grown.values(), key=lambda p: p.sound + p.prior, reverse=True)[:BEAM]

    def _ended(self, paths: list[_Path], count: int) -> list[Candidate]:
        found: dict[tuple[str, ...], Candidate] = {}
        for path in paths:
            if path.node.ends is not None:
                said, prior = self._word_ended(path)
            elif path.node is self._root and path.said:
                said, prior = path.said, path.prior
            else:
                continue
            prior += WEIGHT * float(self._likely.after(said)[self._end])
            other = found.get(said)
            sound = path.sound if other is None else _add(path.sound, other.sound)
            found[said] = Candidate(said, sound, prior)
        return sorted(found.values(), key=lambda c: c.score, reverse=True)[:count]

    def _word_ended(self, path: _Path) -> tuple[tuple[str, ...], float]:
        word = path.node.ends
        assert word is not None
        told = WEIGHT * float(self._likely.after(path.said)[word]) + BONUS
        return (*path.said, self._likely.vocabulary[word]), path.prior + told - path.owed

    def _ahead(self, said: tuple[str, ...], node: _Node) -> float:
        return WEIGHT * float(self._likely.after(said)[node.below].max()) + BONUS


def _add(a: float, b: float) -> float:
    """The logarithm of a sum, of logarithms."""
    return max(a, b) + math.log1p(math.exp(-abs(a - b)))
