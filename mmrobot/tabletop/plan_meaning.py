"""What a plan means, as pairs of what is done and to what; alike for plans that a person would call the same.

A plan of the model and one of the grammar come out equal where skills, relations and phrases are equal:
articles say nothing, and moves that commute stand in one order.
"""

from __future__ import annotations

from collections.abc import Sequence

from mmrobot.tabletop.language.drafts import Step
from mmrobot.types import RELATIONS, DraftStep
from mmrobot.vlm.words import words

_UNSAID = frozenset({"the", "a", "an"})

Meaning = tuple[tuple[str, str], ...]
"""A plan as ((skill or relation, phrase), ...), as HANDWRITTEN has it; empty for nothing to do."""


def meaning_of_draft(steps: Sequence[DraftStep]) -> Meaning:
    """What a model's steps mean.

    >>> meaning_of_draft([DraftStep("pick", "the red cube"), DraftStep("place", None, "in", "blue bowl")])
    (('pick', 'red cube'), ('in', 'blue bowl'))
    """
    return spoken(_meaning(steps))


def meaning_of(text: str, steps: Sequence[Step]) -> Meaning:
    """What a command of the grammar means, as a model should answer."""
    said = words(text)

    def phrase(span: Sequence[int] | None) -> str | None:
        return None if span is None else " ".join(said[i] for i in span)

    def draft(s: Step) -> DraftStep:
        of_claim = s.skill == "if"
        return DraftStep(
            s.skill,
            None if of_claim else phrase(s.target),
            s.relation,
            phrase(s.reference),
            phrase(s.target) if of_claim else None,
            count=s.count,
            match=s.match,
            parts=tuple(phrase(p) or "" for p in s.parts),
            then=tuple(map(draft, s.then)),
            otherwise=tuple(map(draft, s.otherwise)),
        )

    return meaning_of_draft(tuple(map(draft, steps)))


def spoken(meaning: Meaning) -> Meaning:
    """Without articles, since whether "the" is copied changes nothing; moves that commute in one order."""
    bare = tuple((what, " ".join(w for w in words(phrase) if w not in _UNSAID)) for what, phrase in meaning)
    return _ordered(bare)


def text_of(meaning: Meaning) -> str:
    """For people."""
    return "; ".join(f"{what}: {phrase}" for what, phrase in meaning) or "nothing to do"


def _meaning(steps: Sequence[DraftStep]) -> Meaning:
    """Each step, and what belongs to it, as pairs."""
    pairs: list[tuple[str, str]] = []
    for step in steps:
        what = " ".join(str(w) for w in (step.skill, step.count, step.match, step.relation) if w is not None)
        if step.skill == "place":
            what = " ".join(w for w in (step.relation or "", step.match) if w)
            pairs.append((what, step.reference or ""))
        elif step.skill == "if":
            branches = (("else", step.otherwise),) if step.otherwise else ()
            pairs.append(("if", step.text or ""))
            for name, part in (("then", step.then), *branches):
                pairs += [(f"{name} {inner}", phrase) for inner, phrase in _meaning(part)]
        else:
            said = [p for p in (step.target, step.reference, *step.parts) if p]
            pairs.append((what, " and ".join(said)))
    return tuple(pairs)


def _ordered(meaning: Meaning) -> Meaning:
    """Neighbouring moves that share no phrase may change places: the lesser one comes first. What belongs to
    a condition, and the way home, stay where they are."""
    moves: list[list[tuple[str, str]]] = []
    for pair in meaning:
        if moves and _belongs(pair[0]):
            moves[-1].append(pair)
        else:
            moves.append([pair])
    for end in range(len(moves) - 1, 0, -1):
        for k in range(end):
            if _commute(moves[k], moves[k + 1]) and moves[k + 1] < moves[k]:
                moves[k], moves[k + 1] = moves[k + 1], moves[k]
    return tuple(pair for move in moves for pair in move)


def _belongs(what: str) -> bool:
    """Whether a pair continues the move before it: a place, a branch."""
    return what.split(" ")[0] in (*RELATIONS, "then", "else")


def _commute(a: Sequence[tuple[str, str]], b: Sequence[tuple[str, str]]) -> bool:
    """A pick whose thing stays in the hand, a place of what was held, and home hold their order."""
    whole = all(move[0][0].split(" ")[0] in ("pick", "each") and len(move) > 1 for move in (a, b))
    return whole and not {phrase for _, phrase in a} & {phrase for _, phrase in b}
