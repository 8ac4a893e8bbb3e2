"""Which words are said to a robot, and after which: trigrams of many sentences of the table's language.

The sentences are those that the model of the words was taught (mmrobot/tabletop/language), without slips of
the tongue, and some that steer a talk. Not more than a weight: other words can be heard too
(moonshine_recogniser.py).
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from mmrobot.tabletop.language import (
    CLEAN,
    KINDS,
    Noise,
    make_command,
    make_expression,
    make_question,
    random_things,
)
from mmrobot.tabletop.language.lexicon import COLOR_WORDS, NOUNS, SIZE_WORDS
from mmrobot.vlm.words import words

SENTENCES, _FEW = 12_000, 3_000
_POLITE = Noise(polite=0.2)
_SEED = 1
_SHARES = (0.5, 0.2, 0.12, 0.06, 0.12)
"""Of commands in plain words and in all words, questions, phrases, talk."""
_EXTREMES = {**KINDS, "extreme": 6.0, "relation": 3.0}
"""Kinds of phrases: "the leftmost one" is said more often than it is needed."""
_START, _END = "<s>", "</s>"
_CALLED = 0.5
"""Of the sentences, those with a wake word before them."""
_ANY = 0.05
"""Of all words, those that might be any of the vocabulary."""
_THINGS = {"the", "a", "an", "my", "that", "this", "one"} | {
    f"{word}{plural}"
    for kind in (NOUNS, COLOR_WORDS, SIZE_WORDS)
    for entries, _ in kind.values()
    for names in entries
    for name in names
    for word in name.split()
    for plural in ("", "s")
}
"""Words that say which thing is meant; the rest is how a sentence is built."""
_BUILT_OFTEN = 5
_ENDS_OFTEN = 0.1
"""Of the times that a word is said, those at the end of a sentence."""
_LEAST = 2
"""A word said less often is a word like any other."""
TALK = (
    """
yes | yes please | no | no thanks | ok | go on | continue | carry on | keep going | resume | wait
hold on | hold | hold still | pause | cancel | cancel that | never mind | forget it | stop | stop it
stop now | halt | freeze | emergency stop | do not move | stop moving | undo | undo that | undo it
put it back | put that back | take it back | again | do it again | do that again | go home | go back
go back home | move home | return home | approve | approve the plan | reject | reject the plan
what are you doing | what did you do | what do you see | what are you holding | what is on the table
are you finished | the left one | the right one | the other one | the one on the left
the one on the right | the one in the middle | both | neither | not that one | no the other one
put this there | put this here | put it there | put it down | give it to me | thank you | hello | why
why not | show me | come back | wait a moment | faster | slower
""".strip()
    .replace("\n", " | ")
    .split(" | ")
)


class LikelyWords:
    """`names`: what the robot is called; one may come before all that is said to it."""

    def __init__(self, names: tuple[str, ...] = ("robot",), sentences: int = SENTENCES) -> None:
        said = [(_START, _START, *s, _END) for s in likely_sentences(sentences)]
        counts = Counter(word for s in said for word in s[2:])
        self._names = tuple(words(name) for name in names)
        called = [word for name in self._names for word in name]
        frequent = [w for w, n in counts.most_common() if n >= _LEAST and w != _END]
        self.vocabulary = (*dict.fromkeys([*frequent, *called]), _END)
        self._index = {word: i for i, word in enumerate(self.vocabulary)}
        total = np.array([counts[w] for w in self.vocabulary], np.float64)
        self._one = (1.0 - _ANY) * total / total.sum() + _ANY / len(total)
        following: defaultdict[tuple[str, ...], Counter[int]] = defaultdict(Counter)
        for sentence in said:
            for k in range(2, len(sentence)):
                word = self._index.get(sentence[k])
                if word is not None:
                    following[sentence[k - 2 : k]][word] += 1
                    following[sentence[k - 1 : k]][word] += 1
        self._passed, self._ended = _builds([s[2:-1] for s in said])
        last = Counter(s[-2] for s in said)
        self._ends_sentences = {word for word, n in last.items() if n >= _ENDS_OFTEN * counts[word]}
        self._after = {
            context: (np.array(list(seen)), np.array(list(seen.values()), np.float64))
            for context, seen in following.items()
        }

    def after(self, said: tuple[str, ...]) -> NDArray[np.float64]:
        """Natural logarithms of the chances (n,) of each word of the vocabulary after all that was said."""
        if said in self._begun_names():
            return self._name_goes_on(said)
        name = next((n for n in self._names if said[: len(n)] == n), ())
        return self._likely((_START, _START, *said[len(name) :])[-2:], not said)

    def ends(self, said: tuple[str, ...]) -> float:
        """The chance that nothing follows, of sentences that begin with words like these."""
        name = next((n for n in self._names if said[: len(n)] == n), ())
        said = said[len(name) :]
        if not said or said[-1] not in self._ends_sentences:
            return 0.0
        build = _build(said)
        passed = self._passed[build]
        return self._ended[build] / passed if passed >= _BUILT_OFTEN else 0.0

    @lru_cache(maxsize=4096)  # noqa: B019 (one a process)
    def _likely(self, context: tuple[str, ...], first: bool) -> NDArray[np.float64]:
        """Witten and Bell 1991: what was seen counts the more, the fewer different words followed."""
        chances = self._one
        for start in (context[1:], context):
            seen = self._after.get(start)
            if seen is None:
                continue
            at, counts = seen
            total, kinds = counts.sum(), len(counts)
            chances = chances * (kinds / (total + kinds))
            chances[at] += counts / (total + kinds)
        if first and self._names:
            chances = chances * (1.0 - _CALLED)
            for name in self._names:
                chances[self._index[name[0]]] += _CALLED / len(self._names)
        result: NDArray[np.float64] = np.log(chances)
        return result

    @lru_cache(maxsize=1)  # noqa: B019
    def _begun_names(self) -> frozenset[tuple[str, ...]]:
        return frozenset(name[:k] for name in self._names for k in range(1, len(name)))

    @lru_cache(maxsize=64)  # noqa: B019
    def _name_goes_on(self, said: tuple[str, ...]) -> NDArray[np.float64]:
        chances = self._one * _ANY
        for name in self._names:
            if name[: len(said)] == said and len(name) > len(said):
                chances[self._index[name[len(said)]]] += 1.0
        return np.log(chances / chances.sum())


def _build(said: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(word for word in said if word not in _THINGS)


def _builds(sentences: list[tuple[str, ...]]) -> tuple[Counter[tuple[str, ...]], Counter[tuple[str, ...]]]:
    """How many sentences begin so, by what is left without their things, and how many end so."""
    passed: Counter[tuple[str, ...]] = Counter()
    ended: Counter[tuple[str, ...]] = Counter()
    for said in sentences:
        passed.update({_build(said[:k]) for k in range(1, len(said) + 1)})
        ended[_build(said)] += 1
    return passed, ended


def beginnings(count: int) -> list[str]:
    """The commonest two first words of what is said to a robot."""
    begun = Counter(" ".join(said[:2]) for said in likely_sentences(_FEW))
    return [words for words, _ in begun.most_common(count)]


def likely_sentences(count: int, seed: int = _SEED) -> list[tuple[str, ...]]:
    """Words that are said to a robot, drawn by the seed."""
    rng = random.Random(seed)
    made: list[tuple[str, ...]] = []
    while len(made) < count:
        things = random_things(rng, rng.randint(3, 8))
        for _ in range(8):
            kind = rng.choices(range(5), _SHARES)[0]
            if kind <= 1:
                plain = kind == 0
                command = make_command(
                    rng, things, noise=CLEAN if plain else _POLITE, plain=plain, mixed=not plain,
                    kinds=_EXTREMES if rng.random() < 0.3 else None,
                )  # fmt: skip
                text = command.text if command else ""
            elif kind == 2:
                text = make_question(rng, things, noise=_POLITE).text
            elif kind == 3:
                text = make_expression(rng, things).text
            else:
                text = rng.choice(TALK)
            if said := words(text):
                made.append(said)
    return made
