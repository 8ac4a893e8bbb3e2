"""A command on its way: spoken words and steps over those very words, before noise and indices."""

from __future__ import annotations

from dataclasses import dataclass, field

from mmrobot.tabletop.language.grammar import Word

WordSpan = tuple[int, ...]


@dataclass(frozen=True)
class Step:
    """An atomic skill. `target` and `reference` are the words of their phrases, as indices into
    `words(command.text)`: read in this order they are the phrase, and need not lie together.

    pick: target. place: relation (types.RELATIONS) and reference; what the hand holds is placed.
    home: none. Others as types.DraftStep has them; of an `if`, `target` are the words of the claim and
    `holds`
    whether it is so. `target_ids` and `reference_ids` are the things truly meant (none when absent),
    `part_ids`
    those of the parts in their order.
    """

    skill: str
    target: WordSpan | None = None
    relation: str | None = None
    reference: WordSpan | None = None
    target_ids: frozenset[str] = frozenset()
    reference_ids: frozenset[str] = frozenset()
    count: int | None = None
    match: str | None = None
    parts: tuple[WordSpan, ...] = ()
    part_ids: tuple[str, ...] = ()
    then: tuple[Step, ...] = ()
    otherwise: tuple[Step, ...] = ()
    holds: bool | None = None


@dataclass(frozen=True)
class Command:
    """What somebody says, and the plan that is meant. `kind` is its family; "none" has no steps."""

    text: str
    steps: tuple[Step, ...]
    kind: str
    split: str = "train"


@dataclass
class DraftStep:
    """A step over Word objects."""

    skill: str
    target: list[Word] | None = None
    relation: str | None = None
    reference: list[Word] | None = None
    target_ids: frozenset[str] = frozenset()
    reference_ids: frozenset[str] = frozenset()
    count: int | None = None
    match: str | None = None
    parts: list[list[Word]] = field(default_factory=list)
    part_ids: tuple[str, ...] = ()
    then: list[DraftStep] = field(default_factory=list)
    otherwise: list[DraftStep] = field(default_factory=list)
    holds: bool | None = None


@dataclass
class Draft:
    """`imperative`: "could you" may stand before it."""

    words: list[Word]
    steps: list[DraftStep] = field(default_factory=list)
    kind: str = "none"
    imperative: bool = True


def finish(draft: Draft, text: str, spans: dict[int, WordSpan], split: str) -> Command:
    """The command with its phrases as word indices."""

    def span(phrase: list[Word] | None) -> WordSpan | None:
        return None if phrase is None else tuple(i for w in phrase for i in spans[id(w)])

    def indexed(s: DraftStep) -> Step:
        return Step(
            s.skill, span(s.target), s.relation, span(s.reference), s.target_ids, s.reference_ids, s.count,
            s.match, tuple(span(p) or () for p in s.parts), s.part_ids, tuple(map(indexed, s.then)),
            tuple(map(indexed, s.otherwise)), s.holds,
        )  # fmt: skip

    return Command(text, tuple(map(indexed, draft.steps)), draft.kind, split)
