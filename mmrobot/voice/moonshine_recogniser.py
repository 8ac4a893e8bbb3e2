"""Sound to words by Moonshine: a beam search in which words that are likely to be said to a robot weigh more.

Two searches of one sound: among the likely words (likely_words.py), and free. What is heard freely counts
only where it is sure and fits the sound far better: "put the blue wall away" is the blue ball, a
"screwdriver" is a screwdriver.
The net's own habits, what it writes when it hears nothing, are taken out in part, for it was taught by books
(McDermott et al. 2019, "A density ratio approach to language model fusion").
"""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmrobot.vlm.words import words
from mmrobot.voice.likely_words import LikelyWords
from mmrobot.voice.moonshine_model import BEGIN, END, NOTHING_HEARD, MoonshineModel
from mmrobot.voice.recognition import NOTHING, Heard
from mmrobot.voice.sound import RATE_HZ

BEAM = 6
WEIGHT, HABIT, BONUS = 0.9, 0.3, 0.5
"""Of the words' chances and, taken away, of the net's habits, against the sound's; what each word is given,
so that few words are no better than many. Chosen on 60 sentences that `mmrobot eval-voice` does not say."""
FREE, FREE_FROM = 14.0, 0.5
"""So much (natural logarithm) must the sound fit other words better, and so sure must they be."""
SOMETHING = 3.0
"""So much better than silence must a sound fit its words: of silence the net makes "you"."""
LETTERS_A_SECOND, PACE, HASTE = 11.0, 0.28, 1.8
"""How fast people speak, the standard deviation of its natural logarithm, and how much faster nobody does."""
SILENT_S = 0.6
"""Of what is heard, about so much at both ends is silence."""
SLACK = 12.0
"""The search goes on while a path is at most so much worse than the best whole sentence."""
MOST_AHEAD = 2000
_TOKENS_A_SECOND = 8.0
_SHORTEST_S = 0.1
_MARKS = (",", ".", "?", "!")
_WRITTEN = {
    "i": ("I",), "dont": ("don't",), "id": ("I'd",), "im": ("I'm",), "lets": ("let's",), "thats": ("that's",),
    "whats": ("what's",), "isnt": ("isn't",), "its": ("it's",), "cant": ("can't",), "theres": ("there's",),
    "wheres": ("where's",), "leftmost": ("leftmost", "left most"), "rightmost": ("rightmost", "right most"),
}  # fmt: skip


@dataclass(eq=False)
class _Node:
    """A beginning of words: which tokens go on, and the words that end here or below."""

    next: dict[int, _Node] = field(default_factory=dict)
    ends: int | None = None
    below: list[int] = field(default_factory=list)
    ids: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))


@dataclass(frozen=True, eq=False)
class _Path:
    """`score`: of all; `sound`: of the sound alone; `owed`: what was counted ahead for the word begun."""

    said: tuple[str, ...] = ()
    node: _Node | None = None
    score: float = 0.0
    sound: float = 0.0
    owed: float = 0.0
    token: int = BEGIN


@dataclass(frozen=True, eq=False)
class _Chances:
    """Natural logarithms, by token: of the sound alone, and without the net's habits."""

    sound: NDArray[np.float32]
    fair: NDArray[np.float32]


class MoonshineRecogniser:
    """Raises VoiceUnavailableError without the weights."""

    def __init__(self, model: MoonshineModel, likely: LikelyWords) -> None:
        self._model, self._likely = model, likely
        self._silence = model.listen(np.zeros(RATE_HZ, np.int16))
        self._marks = [model.tokens.encode(f"a{mark}")[-1] for mark in _MARKS]
        self._end = len(likely.vocabulary) - 1
        self._roots = {first: self._tree(first) for first in (True, False)}
        self._ahead: OrderedDict[tuple[bool, int], tuple[Any, NDArray[np.float64]]] = OrderedDict()

    def hear(self, samples: NDArray[np.int16]) -> Heard:
        """The words of (n,) int16 at 16 kHz; how sure: the mean chance of a word's sound."""
        seconds = len(samples) / RATE_HZ
        if seconds < _SHORTEST_S:
            return NOTHING
        heard = self._model.listen(samples)
        free, free_sound, free_habit = self._free(heard, seconds)
        if free_sound - free_habit < SOMETHING:
            return NOTHING
        best = self._search(heard, seconds)
        free_sure = _sure(free, free_sound)
        if best is None or (free_sure >= FREE_FROM and free_sound - best.sound > FREE):
            return Heard(" ".join(free), free_sure) if free else NOTHING
        return Heard(" ".join(best.said), _sure(best.said, best.sound))

    def _free(self, heard: NDArray[np.float32], seconds: float) -> tuple[tuple[str, ...], float, float]:
        """The likeliest words, how well the sound fits them, and how well silence does."""
        reading, ids, total = self._model.begin(heard), [BEGIN], 0.0
        for _ in range(_most(seconds)):
            chances = self._model.step(reading, np.array([[ids[-1]]]))[0, -1]
            ids.append(int(chances.argmax()))
            total += float(chances[ids[-1]])
            if ids[-1] == END:
                break
        habits = self._model.step(self._model.begin(self._silence), np.array([ids[:-1]]))[0]
        habit = float(habits[np.arange(len(ids) - 1), ids[1:]].sum())
        return words(self._model.tokens.decode(ids)), total, habit

    def _search(self, heard: NDArray[np.float32], seconds: float) -> _Path | None:
        reading, habit = self._model.begin(heard), self._model.begin(NOTHING_HEARD)
        letters = LETTERS_A_SECOND * max(0.2, seconds - SILENT_S)
        paths, best = [_Path()], None
        for _ in range(_most(seconds)):
            ids = np.array([[path.token] for path in paths])
            sound = self._model.step(reading, ids)[:, -1]
            fair = sound - np.float32(HABIT) * self._model.step(habit, ids)[:, -1]
            grown: list[tuple[int, _Path]] = []
            for row, path in enumerate(paths):
                for other in self._grow(path, _Chances(sound[row], fair[row])):
                    if other.token != END:
                        grown.append((row, other))
                        continue
                    whole = replace(other, score=other.score + _paced(other.said, letters))
                    if best is None or whole.score > best.score:
                        best = whole
            grown = _different(grown, HASTE * letters)
            if not grown or (best is not None and best.score >= grown[0][1].score + SLACK):
                break
            paths = [path for _, path in grown]
            rows = np.array([row for row, _ in grown])
            reading.keep(rows)
            habit.keep(rows)
        return best

    def _grow(self, path: _Path, chances: _Chances) -> list[_Path]:
        """What may come next: more of the word that was begun, or what follows it."""
        node = path.node
        if node is None:
            return self._after_word(path, chances)
        ahead = self._likely.after(path.said)
        grown = []
        for token, after in node.next.items():
            owed = WEIGHT * float(ahead[after.below].max()) + BONUS
            score = path.score + float(chances.fair[token]) + owed - path.owed
            grown.append(
                _Path(path.said, after, score, path.sound + float(chances.sound[token]), owed, token)
            )
        if node.ends is None:
            return grown
        score = path.score + WEIGHT * float(ahead[node.ends]) + BONUS - path.owed
        said = (*path.said, self._likely.vocabulary[node.ends])
        return grown + self._after_word(replace(path, said=said, node=None, score=score, owed=0.0), chances)

    def _after_word(self, path: _Path, chances: _Chances) -> list[_Path]:
        """The end, the best beginnings of the next word, and marks."""
        ahead = self._likely.after(path.said)

        def grown(token: int, node: _Node | None, owed: float, kept: float) -> _Path:
            score = path.score + float(chances.fair[token]) + owed
            return _Path(path.said, node, score, path.sound + float(chances.sound[token]), kept, token)

        found = [grown(END, None, WEIGHT * float(ahead[self._end]), 0.0)] if path.said else []
        capital = not path.said or path.token in self._marks
        for first in (True, False) if capital else (False,):
            root = self._roots[first]
            owed = WEIGHT * self._looked_ahead(first, ahead) + BONUS
            for k in np.argpartition(-(chances.fair[root.ids] + owed), BEAM)[:BEAM]:
                token = int(root.ids[k])
                found.append(grown(token, root.next[token], float(owed[k]), float(owed[k])))
        if path.said and path.token not in self._marks:
            found += [grown(token, None, 0.0, 0.0) for token in self._marks]
        return found

    def _looked_ahead(self, first: bool, ahead: NDArray[np.float64]) -> NDArray[np.float64]:
        """Of each token that begins words: the chance of the likeliest of them."""
        key = first, id(ahead)
        found = self._ahead.get(key)
        if found is None or found[0] is not ahead:
            root = self._roots[first]
            best = np.array([ahead[root.next[int(i)].below].max() for i in root.ids])
            self._ahead[key] = found = (ahead, best)
            if len(self._ahead) > MOST_AHEAD:
                self._ahead.popitem(last=False)
        return found[1]

    def _tree(self, first: bool) -> _Node:
        """All words, as the net writes them `first` in a sentence or later."""
        root = _Node()
        for index, word in enumerate(self._likely.vocabulary[:-1]):
            for written in _WRITTEN.get(word, (word,)):
                node = root
                text = f"{written[0].upper()}{written[1:]}" if first else written
                for token in self._model.tokens.encode(text):
                    node = node.next.setdefault(token, _Node())
                    node.below.append(index)
                node.ends = index
        root.ids = np.array(list(root.next), np.int64)
        return root


def _most(seconds: float) -> int:
    return math.ceil(3 + _TOKENS_A_SECOND * seconds)


def _sure(said: tuple[str, ...], sound: float) -> float:
    return math.exp(sound / (len(said) + 1))


def _paced(said: tuple[str, ...], letters: float) -> float:
    """How well so many words fill so long a sound."""
    return -(math.log(_letters(said) / letters) ** 2) / (2 * PACE**2)


def _letters(said: tuple[str, ...]) -> int:
    return sum(map(len, said))


def _different(grown: list[tuple[int, _Path]], most_letters: float) -> list[tuple[int, _Path]]:
    """The BEAM best; of those that differ in marks alone, the best one; none too long to be said so fast."""
    kept: dict[tuple[tuple[str, ...], int], tuple[int, _Path]] = {}
    for row, path in sorted(grown, key=lambda g: -g[1].score):
        if len(kept) == BEAM:
            break
        if _letters(path.said) <= max(most_letters, 12.0):
            kept.setdefault((path.said, id(path.node)), (row, path))
    return list(kept.values())
