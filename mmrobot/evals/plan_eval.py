"""Whether a sentence became the plan that was meant: exact match of skills, relations and phrases."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmrobot.errors import ModelReplyInvalidError
from mmrobot.evals.statistics import Rate
from mmrobot.simulator.scene_pool import Randomisation, ScenePool
from mmrobot.tabletop.language.drafts import Step
from mmrobot.tabletop.language.handwritten import HANDWRITTEN
from mmrobot.tabletop.levels import sample_scene_for_level
from mmrobot.types import RELATIONS, DraftStep
from mmrobot.vlm.interface import VisionLanguageModel
from mmrobot.vlm.words import words

_UNSAID = frozenset({"the", "a", "an"})
_SALT = 0x91A7

Meaning = tuple[tuple[str, str], ...]
"""A plan as ((skill or relation, phrase), ...), as HANDWRITTEN has it; empty for nothing to do."""


def evaluate_handwritten(
    vlm: VisionLanguageModel, seed: int, progress: Callable[[int, int], None] | None = None
) -> dict[str, Any]:
    """The sentences written by hand, each over a picture of an unseen scene; a rate and up to 40 `misses`."""
    hits: list[bool] = []
    misses: list[dict[str, str]] = []
    with ScenePool(size=(320, 240)) as pool:
        for i, (said, meant) in enumerate(HANDWRITTEN):
            rng = np.random.default_rng([seed + i, _SALT])
            picture, _ = pool.render(sample_scene_for_level("L0", rng), Randomisation(arm_random=0.0), rng)
            got = reply(vlm, picture, said)
            hits.append(got == spoken(meant))
            if not hits[-1] and len(misses) < 40:
                misses.append({"said": said, "meant": text_of(spoken(meant)), "got": text_of(got)})
            if progress is not None:
                progress(i + 1, len(HANDWRITTEN))
    return {**Rate(sum(hits), len(hits)).as_dict(), "misses": misses}


def reply(vlm: VisionLanguageModel, picture: NDArray[np.uint8], said: str) -> Meaning:
    """The model's plan as a meaning; a reply that is no plan means nothing that anybody would mean."""
    try:
        draft = vlm.plan(picture, said)
    except ModelReplyInvalidError:
        return (("invalid", ""),)
    return spoken(_meaning(draft.steps))


def spoken(meaning: Meaning) -> Meaning:
    """Without articles, since whether "the" is copied changes nothing; moves that commute in one order."""
    bare = tuple((what, " ".join(w for w in words(phrase) if w not in _UNSAID)) for what, phrase in meaning)
    return _ordered(bare)


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

    return spoken(_meaning(tuple(map(draft, steps))))


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
