"""What the writer learns to write: plans of instructions; of all else that is said, what it means."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmrobot.learn.foreign_words import foreign_noun, made_up_word, with_strange_words
from mmrobot.learn.logical_forms import NOT_UNDERSTOOD_IDS, FormWriter, UnsayableError, form_ids, plan_ids
from mmrobot.tabletop.language import (
    FAULTS,
    KINDS,
    MIXED_KINDS,
    TRAINING,
    Command,
    Noise,
    Split,
    Thing,
    cubes_of_many_colors,
    make_command,
    make_expression,
    make_question,
    make_statement,
    random_things,
)
from mmrobot.tabletop.language.lexicon import COLOR_WORDS, NOUNS, SIZE_WORDS, pick_word
from mmrobot.tabletop.sampling import HELD_OUT
from mmrobot.vlm.models.nano import vocabulary as v
from mmrobot.vlm.models.nano.configuration import NanoConfig
from mmrobot.vlm.models.nano.processing import NanoProcessor
from mmrobot.vlm.words import words

SHARES = (0.46, 0.27, 0.12, 0.15)
"""Of instructions, phrases, statements and questions."""
HARD_KINDS = {**KINDS, "extreme": 6.0, "rank": 5.0, "middle": 2.5, "nearest": 3.0, "relation": 5.0}
FAULTY_FAMILIES = ("pick", "put_in", "put_beside", "stack")
ARTICLES = frozenset({"the", "a", "an", "that", "this", "my"})
FOREIGN = 0.05
"""Of phrases, those with a noun that the model has no word for."""
NOUN_WORDS = frozenset(
    name for nouns, _ in NOUNS.values() for names in nouns for name in names if " " not in name
)
UNCHANGED = frozenset({"nonsense", "foreign", "none"})
NONSENSE = 0.015
STRANGERS = 0.06
"""Of commands, those that name a thing of another world: the plan stands, and grounding says it is not
there."""
PYRAMIDS = 0.015
"""Of commands: six cubes on one table are rare by chance."""
STRANGE = 0.3
"""Of all that is said, sentences with a word or two that nobody knows."""


@dataclass(frozen=True, eq=False)
class Sample:
    """What is said (max_words, word_bytes), what is asked of it (of TASKS), and the ids to be written."""

    word_bytes: NDArray[np.int64]
    task: str
    ids: list[int]
    kind: str = ""
    """Of a phrase: what makes it mean what it means; of the others: their kind. For figures by kind."""


class SentenceMaker:
    """Speaks over scenes. Training only ever uses the grammar's training split and never a held-out pair."""

    def __init__(self, config: NanoConfig, split: Split = "train", noise: Noise = TRAINING) -> None:
        self.config = config
        self.split = split
        self.noise = noise
        self._avoid = HELD_OUT if split == "train" else ()
        self.processor = NanoProcessor.of(config)

    def samples(self, things: Sequence[Thing], rng: random.Random, count: int) -> list[Sample]:
        """About `count` samples; none where the scene is empty."""
        made: list[Sample] = []
        asks = (self.instruction, self.phrase, self.statement, self.question)
        while things and len(made) < count:
            try:
                x = rng.random()
                sample = self.nonsense(rng) if x < NONSENSE else rng.choices(asks, SHARES)[0](things, rng)
            except UnsayableError:
                continue
            if sample is not None:
                made.append(sample)
        return made

    def nonsense(self, rng: random.Random) -> Sample | None:
        """Words without a sense, whatever is asked of them."""
        said = tuple(made_up_word(rng) for _ in range(rng.randint(2, 8)))
        return self._sample(said, rng.choice(v.TASKS), NOT_UNDERSTOOD_IDS, "nonsense", rng)

    def phrase(self, things: Sequence[Thing], rng: random.Random) -> Sample | None:
        """A referring expression; often without articles, as plans copy it."""
        if rng.random() < FOREIGN:
            return self._foreign(rng)
        e = make_expression(
            rng,
            things,
            split=self.split,
            noise=self.noise,
            kinds=rng.choice((MIXED_KINDS, KINDS, HARD_KINDS)),
            avoid_pairs=self._avoid,
        )
        said = words(e.text)
        if rng.random() < 0.5:
            said = tuple(w for w in said if w not in ARTICLES) or said
        return self._sample(said, v.GROUND, form_ids(FormWriter(said).expr(e.expr)), e.kind, rng)

    def _foreign(self, rng: random.Random) -> Sample | None:
        """A thing that is none of those of the table; now and then no phrase at all."""
        form: list[str | int] = []
        said: list[str] = ["the"] if rng.random() < 0.5 else []
        if rng.random() < 0.3:
            size = rng.choice(list(v.SIZE))
            said += pick_word(SIZE_WORDS[size], rng, False)[0].split()
            form.append(v.SIZE[size])
        if rng.random() < 0.6:
            color = rng.choice(list(v.COLOR))
            said += pick_word(COLOR_WORDS[color], rng, False)[0].split()
            form.append(v.COLOR[color])
        said.append(foreign_noun(rng))
        return self._sample(tuple(said), v.GROUND, form_ids([*form, v.NOUN["unknown"]]), "foreign", rng)

    def statement(self, things: Sequence[Thing], rng: random.Random) -> Sample | None:
        """Something said of the scene that holds or does not."""
        s = make_statement(rng, things, split=self.split, noise=self.noise, avoid_pairs=self._avoid)
        said = words(s.text)
        return self._sample(said, v.VERIFY, form_ids(FormWriter(said).claim(s.claim)), s.kind, rng)

    def question(self, things: Sequence[Thing], rng: random.Random) -> Sample | None:
        """A question: what it wants to know, and of what."""
        q = make_question(rng, things, split=self.split, noise=self.noise, avoid_pairs=self._avoid)
        said = words(q.text)
        return self._sample(said, v.ANSWER, form_ids(FormWriter(said).question(q)), q.answer_kind, rng)

    def instruction(self, things: Sequence[Thing], rng: random.Random) -> Sample | None:
        """A command with its plan."""
        faulty = rng.random() < 0.1
        if rng.random() < PYRAMIDS:
            faulty = False
            many = cubes_of_many_colors(rng, self._avoid)
            things = (
                many
                if rng.random() < 0.7
                else random_things(rng, 8, shapes=("cube",), avoid_pairs=self._avoid)
            )
        command = make_command(
            rng,
            things,
            fault=rng.choice(FAULTS) if faulty else None,
            family=rng.choice(FAULTY_FAMILIES) if faulty else "pyramid" if _all_cubes(things) else None,
            split=self.split,
            noise=self.noise,
            avoid_pairs=self._avoid,
            mixed=True,
        )
        if command is None:
            return None
        said = words(command.text)
        if self.split == "train" and rng.random() < STRANGERS:
            said = _with_stranger(said, command, rng)
        return self._sample(said, v.PLAN, plan_ids(command), command.kind, rng)

    def _sample(
        self, said: Sequence[str], task: str, ids: list[int], kind: str, rng: random.Random
    ) -> Sample | None:
        if kind not in UNCHANGED and self.split == "train" and rng.random() < STRANGE:
            said = with_strange_words(tuple(said), rng)
        if len(said) > self.config.max_words or len(ids) >= self.config.max_plan_tokens:
            return None
        return Sample(self.processor.words(said), task, ids, kind)


def _all_cubes(things: Sequence[Thing]) -> bool:
    return len(things) > 5 and all(t.shape == "cube" for t in things)


def _with_stranger(said: tuple[str, ...], command: Command, rng: random.Random) -> tuple[str, ...]:
    """The noun of one phrase of a command replaced by one of another world; every word keeps its place."""
    spans = [span for step in command.steps for span in (step.target, step.reference) if span]
    nouns = {i for span in spans for i in span if said[i] in NOUN_WORDS}
    if not nouns:
        return said
    at = rng.choice(sorted(nouns))
    stranger = foreign_noun(rng)
    return tuple(stranger if i == at else w for i, w in enumerate(said))
