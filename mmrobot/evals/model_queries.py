"""What a model is asked about one scene of a level, with the true answers: phrases, commands, statements,
questions. The same for the same generator.

Things that cannot be seen are not spoken of. At L1 whatever is asked is about a pair kept out of training. At
L2 the words are those kept out. At L3 nothing is said of sizes, which have no names there, and nothing that a
distractor would make true or false.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Literal, TypeVar

from mmrobot.tabletop.language import (
    CLEAN,
    KINDS,
    POLITE,
    TRAINING,
    Command,
    Expression,
    Extreme,
    Kind,
    Question,
    Statement,
    Thing,
    make_command,
    make_expression,
    make_question,
    make_statement,
    referents,
)
from mmrobot.tabletop.language.claims import Compared, PresuppositionError, subject_ids, true_of
from mmrobot.tabletop.plan_meaning import Meaning, meaning_of
from mmrobot.tabletop.sampling import HELD_OUT

Operation = Literal["ground", "plan", "verify", "answer"]
PER_SCENE: dict[Operation, int] = {"ground": 4, "plan": 2, "verify": 2, "answer": 2}
_TRIES = 60
_SIZE_WORDS = re.compile(
    r"\b(small|smaller|smallest|large|larger|largest|big|bigger|biggest|little|tiny|huge|size|sized)\b"
)
_GENERIC_WORDS = re.compile(
    r"\b(things?|objects?|items?|anything|something|everything|nothing|ones?|what is)\b"
)

T = TypeVar("T")


@dataclass(frozen=True)
class Query:
    """One question to the model. `truth`, by operation: ids meant, the plan, whether it holds, the answer."""

    operation: Operation
    text: str
    kind: str
    truth: frozenset[str] | Meaning | bool | str

    @property
    def want(self) -> str:
        """Of phrases: none, one or several things are meant."""
        count = len(self.truth) if isinstance(self.truth, frozenset) else 1
        return {0: "none", 1: "one"}.get(count, "several")


def make_queries(
    level: str, things: Sequence[Thing], distractors: Sequence[Thing], rng: random.Random
) -> list[Query]:
    """PER_SCENE of each operation, or fewer where the scene has nothing for one. `things` are those seen."""
    maker = _Maker(level, tuple(things), tuple(distractors), rng)
    made = [
        *(maker.phrase() for _ in range(PER_SCENE["ground"])),
        *(maker.command() for _ in range(PER_SCENE["plan"])),
        *(maker.statement() for _ in range(PER_SCENE["verify"])),
        *(maker.question() for _ in range(PER_SCENE["answer"])),
    ]
    return [q for q in made if q is not None]


class _Maker:
    def __init__(
        self, level: str, things: tuple[Thing, ...], distractors: tuple[Thing, ...], rng: random.Random
    ) -> None:
        self._level, self._things, self._distractors, self._rng = level, things, distractors, rng
        self._pairs = {t.id: (t.color, t.shape) for t in things}
        self._split: Literal["train", "heldout"] = "heldout" if level == "L2" else "train"
        self._kinds = {k: v for k, v in KINDS.items() if not (level == "L3" and k == "size")}

    def phrase(self) -> Query | None:
        def make() -> Expression:
            noise = TRAINING if self._level == "L2" else CLEAN
            return make_expression(self._rng, self._things, kinds=self._kinds, split=self._split, noise=noise)

        def fits(e: Expression) -> bool:
            return self._about(e.referents) and self._plain(e.expr) and self._same(e)

        e = self._first(make, fits)
        return None if e is None else Query("ground", e.text, e.kind, e.referents)

    def command(self) -> Query | None:
        def make() -> Command | None:
            noise = TRAINING if self._level == "L2" else POLITE
            return make_command(self._rng, self._things, split=self._split, noise=noise)

        def fits(c: Command) -> bool:
            ids = [i for s in c.steps for i in (*s.target_ids, *s.reference_ids)]
            return self._about(frozenset(ids))

        c = self._first(make, fits)
        return None if c is None else Query("plan", c.text, c.kind, meaning_of(c.text, c.steps))

    def statement(self) -> Query | None:
        def make() -> Statement:
            noise = TRAINING if self._level == "L2" else CLEAN
            return make_statement(self._rng, self._things, split=self._split, noise=noise)

        def fits(s: Statement) -> bool:
            return self._about(subject_ids(s.claim, self._things)) and self._plain(s.claim) and self._holds(s)

        s = self._first(make, fits)
        return None if s is None else Query("verify", s.text, s.kind, s.holds)

    def question(self) -> Query | None:
        def make() -> Question:
            noise = TRAINING if self._level == "L2" else CLEAN
            return make_question(self._rng, self._things, split=self._split, noise=noise)

        def fits(q: Question) -> bool:
            if not self._about(q.referent_ids):
                return False
            # A question carries no tree: its words must do.
            return self._level != "L3" or not (
                _SIZE_WORDS.search(q.text.lower()) or _GENERIC_WORDS.search(q.text.lower())
            )

        q = self._first(make, fits)
        return None if q is None else Query("answer", q.text, q.answer_kind, q.answer)

    def _first(self, make: Callable[[], T | None], fits: Callable[[T], bool]) -> T | None:
        for _ in range(_TRIES):
            made = make()
            if made is not None and fits(made):
                return made
        return None

    def _about(self, ids: frozenset[str]) -> bool:
        """At L1: at least one thing of a pair kept out, or nothing at all."""
        return (
            self._level != "L1" or not ids or any(self._pairs[i] in HELD_OUT for i in ids if i in self._pairs)
        )

    def _plain(self, tree: object) -> bool:
        return self._level != "L3" or not speaks_of_size(tree)

    def _same(self, e: Expression) -> bool:
        return not self._distractors or referents(e.expr, self._everything()) == e.referents

    def _holds(self, s: Statement) -> bool:
        try:
            return not self._distractors or true_of(s.claim, self._everything()) == s.holds
        except PresuppositionError:
            return False

    def _everything(self) -> tuple[Thing, ...]:
        return (*self._things, *self._distractors)


def speaks_of_size(tree: object) -> bool:
    """Whether an expression or claim compares or names sizes."""
    if isinstance(tree, Kind):
        return tree.size is not None
    if isinstance(tree, Extreme) and tree.order in ("large", "small"):
        return True
    if isinstance(tree, Compared) and tree.comparison in ("larger", "smaller"):
        return True
    return any(speaks_of_size(part) for part in _parts(tree))


def _parts(tree: object) -> list[Any]:
    if isinstance(tree, tuple):
        return list(tree)
    return [getattr(tree, f.name) for f in fields(tree)] if is_dataclass(tree) else []
