"""A tiny template language: rules as data, read once, spoken at random.

`put {T} (in|into) {R}` words, slots and choices; `[up]` half of the time; `<verb>` another rule;
`3:words` at the start of an alternative gives it weight 3; `a|b` at the top are alternatives too.
A comma or other mark standing alone is written after the word before it.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Literal

Split = Literal["train", "heldout"]

_TOKEN = re.compile(r"<\w+>|\{\w+\}|[()\[\]|]|[^\s()\[\]|<>{}]+")
MARKS = frozenset(",.!?:;")
# How often a rule below a held-out wording is held out too: all at once would be nobody's English.
NOVEL_SHARE = 0.2


class Word:
    """One word of an utterance on its way to text; known by identity, so that phrases survive noise.

    `mark` is written after it. `novel`: it comes from a wording that is held out from training.
    """

    __slots__ = ("mark", "novel", "text")

    def __init__(self, text: str, mark: str = "", novel: bool = False) -> None:
        self.text = text
        self.mark = mark
        self.novel = novel

    def __repr__(self) -> str:
        return self.text + self.mark


@dataclass(frozen=True)
class _Choice:
    options: tuple[tuple[_Node, ...], ...]
    cumulative: tuple[float, ...]


# A string is a word, a "<rule>" or a "{slot}".
_Node = str | _Choice


def _parse(text: str) -> _Choice:
    tokens = _TOKEN.findall(text)
    choice, end = _parse_choice(tokens, 0)
    if end != len(tokens):
        raise ValueError(f"template has an unmatched '{tokens[end]}': {text!r}")
    return choice


def _parse_choice(tokens: Sequence[str], i: int) -> tuple[_Choice, int]:
    options: list[tuple[_Node, ...]] = []
    weights: list[float] = []
    sequence: list[_Node] = []
    weight = 1.0
    while True:
        token = tokens[i] if i < len(tokens) else None
        if token in (None, "|", ")", "]"):
            options.append(tuple(sequence))
            weights.append(weight)
            sequence, weight = [], 1.0
            if token != "|":
                return _Choice(tuple(options), tuple(accumulate(weights))), i
        elif token in ("(", "["):
            inner, i = _parse_choice(tokens, i + 1)
            if i >= len(tokens):
                raise ValueError(f"template lacks a closing bracket: {' '.join(tokens)!r}")
            if token == "[":
                total = inner.cumulative[-1]
                inner = _Choice((*inner.options, ()), (*inner.cumulative, 2 * total))
            sequence.append(inner)
        else:
            assert token is not None
            head, colon, rest = token.partition(":")
            if not sequence and colon and head.isdigit():
                weight = float(head)
                if rest:
                    sequence.append(rest)
            else:
                sequence.append(token)
        i += 1


def _collect(choice: _Choice, found: set[str]) -> None:
    for sequence in choice.options:
        for node in sequence:
            if not isinstance(node, str):
                _collect(node, found)
            elif node[0] not in "<{":
                found.add(node)


@dataclass
class Grammar:
    """Named rules for training, and more of them held out. Held-out speech uses a held-out
    wording wherever the first rule has one, and now and then in the rules below it."""

    train: Mapping[str, str]
    heldout: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._train = {name: _parse(" ".join(text.split())) for name, text in self.train.items()}
        self._heldout = {name: _parse(" ".join(text.split())) for name, text in self.heldout.items()}

    def say(
        self, rule: str, rng: random.Random, slots: Mapping[str, Sequence[Word]], split: Split = "train"
    ) -> list[Word]:
        """One random utterance of a rule; slots are put in as the very Word objects given."""
        out: list[Word] = []
        self._speak_rule(rule, rng, slots, split, out, 1.0)
        return out

    def words(self, split: Split) -> set[str]:
        """Every word that the rules of a split can say; held-out speech may use all."""
        found: set[str] = set()
        for rule in (*self._train.values(), *(self._heldout.values() if split == "heldout" else ())):
            _collect(rule, found)
        return found

    def common(self, rule: str, most: int) -> list[str]:
        """The `most` likeliest wordings of a trained rule that are plain words, the likeliest first."""
        choice = self._train[rule]
        weights = [b - a for a, b in zip((0.0, *choice.cumulative), choice.cumulative)]
        plain = [
            (-weight, i, " ".join(str(node) for node in option))
            for i, (weight, option) in enumerate(zip(weights, choice.options))
            if option and all(isinstance(node, str) and node[0] not in "<{" for node in option)
        ]
        return list(dict.fromkeys(words for _, _, words in sorted(plain)))[:most]

    def _speak_rule(
        self,
        name: str,
        rng: random.Random,
        slots: Mapping[str, Sequence[Word]],
        split: Split,
        out: list[Word],
        share: float,
    ) -> None:
        novel = split == "heldout" and name in self._heldout and rng.random() < share
        self._speak((self._heldout if novel else self._train)[name], rng, slots, split, out, novel)

    def _speak(
        self,
        choice: _Choice,
        rng: random.Random,
        slots: Mapping[str, Sequence[Word]],
        split: Split,
        out: list[Word],
        novel: bool,
    ) -> None:
        options = choice.options
        if len(options) == 1:
            sequence = options[0]
        else:
            x = rng.random() * choice.cumulative[-1]
            sequence = options[next(i for i, c in enumerate(choice.cumulative) if x < c)]
        for node in sequence:
            if not isinstance(node, str):
                self._speak(node, rng, slots, split, out, novel)
            elif node[0] == "<":
                self._speak_rule(node[1:-1], rng, slots, split, out, NOVEL_SHARE)
            elif node[0] == "{":
                out.extend(slots[node[1:-1]])
            elif node in MARKS:
                if out:
                    out[-1].mark = node
            else:
                out.append(Word(node, novel=novel))
