"""A grammar of what may be said, as data: rendered as JSGF for a recogniser, matched against text, sampled.

`put <thing> (in|into) <thing>` words, rules and choices; `[up]` may be left out. No recursion: a rule is
made of the rules before it, so every sentence is finite and a recogniser's graph is too.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

_TOKEN = re.compile(r"<\w+>|[()\[\]|]|[a-z'\-]+")


@dataclass(frozen=True)
class Choice:
    """One of several sequences; a string in them is a word or a "<rule>"."""

    options: tuple[tuple[str | Choice, ...], ...]


class SpokenGrammar:
    """Named rules, the last of which is what may be said. Raises ValueError for a rule that is none."""

    def __init__(self, rules: Mapping[str, str]) -> None:
        self._rules: dict[str, Choice] = {}
        for name, text in rules.items():
            tokens = _TOKEN.findall(text)
            if "".join(tokens) != re.sub(r"\s+", "", text):
                raise ValueError(
                    f"rule '{name}' holds more than small letters, <rules> and brackets: {text!r}"
                )
            for token in tokens:
                if token[0] == "<" and token[1:-1] not in self._rules:
                    raise ValueError(f"rule '{name}' uses {token}, which stands not before it")
            choice, end = _parse(tokens, 0)
            if end != len(tokens):
                raise ValueError(f"rule '{name}' has an unmatched '{tokens[end]}': {text!r}")
            self._rules[name] = choice
        self.top = list(self._rules)[-1]

    def words(self) -> frozenset[str]:
        """Every word that can be said."""
        return frozenset(w for rule in self._rules.values() for w in _words(rule))

    def jsgf(self, name: str = "commands") -> str:
        """The JSpeech Grammar Format (W3C note of 2000), its last rule public."""
        lines = ["#JSGF V1.0;", f"grammar {name};"]
        for rule, choice in self._rules.items():
            public = "public " if rule == self.top else ""
            lines.append(f"{public}<{rule}> = {_jsgf(choice)};")
        return "\n".join(lines) + "\n"

    def takes(self, text: str) -> bool:
        """Whether the words of a text are a whole sentence of the grammar."""
        said = text.split()
        return len(said) in self._ends(self._rules[self.top], said, 0, {})

    def sample(self, rng: random.Random, rule: str = "") -> str:
        """A random sentence of a rule, each choice as likely as its fellows."""
        return " ".join(self._speak(self._rules[rule or self.top], rng))

    def _speak(self, choice: Choice, rng: random.Random) -> Iterator[str]:
        for node in rng.choice(choice.options):
            if isinstance(node, Choice):
                yield from self._speak(node, rng)
            elif node[0] == "<":
                yield from self._speak(self._rules[node[1:-1]], rng)
            else:
                yield node

    def _ends(
        self, choice: Choice, said: Sequence[str], start: int, known: dict[tuple[int, int], frozenset[int]]
    ) -> frozenset[int]:
        key = (id(choice), start)
        if key in known:
            return known[key]
        found: set[int] = set()
        for option in choice.options:
            ends = {start}
            for node in option:
                after: set[int] = set()
                for i in ends:
                    if isinstance(node, Choice):
                        after |= self._ends(node, said, i, known)
                    elif node[0] == "<":
                        after |= self._ends(self._rules[node[1:-1]], said, i, known)
                    elif i < len(said) and said[i] == node:
                        after.add(i + 1)
                ends = after
                if not ends:
                    break
            found |= ends
        known[key] = frozenset(found)
        return known[key]


def _parse(tokens: Sequence[str], i: int) -> tuple[Choice, int]:
    options: list[tuple[str | Choice, ...]] = []
    sequence: list[str | Choice] = []
    while True:
        token = tokens[i] if i < len(tokens) else None
        if token in (None, "|", ")", "]"):
            options.append(tuple(sequence))
            sequence = []
            if token != "|":
                return Choice(tuple(options)), i
        elif token in ("(", "["):
            inner, i = _parse(tokens, i + 1)
            if i >= len(tokens) or tokens[i] != {"(": ")", "[": "]"}[token or ""]:
                raise ValueError(f"a rule lacks a closing bracket: {' '.join(tokens)!r}")
            sequence.append(Choice((*inner.options, ())) if token == "[" else inner)
        else:
            assert token is not None
            sequence.append(token)
        i += 1


def _words(choice: Choice) -> Iterator[str]:
    for option in choice.options:
        for node in option:
            if isinstance(node, Choice):
                yield from _words(node)
            elif node[0] != "<":
                yield node


def _jsgf(choice: Choice) -> str:
    optional = () in choice.options
    options = [" ".join(_node(n) for n in option) for option in choice.options if option]
    body = " | ".join(options)
    return f"[{body}]" if optional else body


def _node(node: str | Choice) -> str:
    if isinstance(node, str):
        return node
    inner = _jsgf(node)
    return inner if inner[0] == "[" and () in node.options else f"({inner})"
