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
from mmrobot.types import DraftStep
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
    return spoken(tuple(_of_draft(s) for s in draft.steps))


def spoken(meaning: Meaning) -> Meaning:
    """Without articles: whether "the" is copied changes nothing."""
    return tuple((what, " ".join(w for w in words(phrase) if w not in _UNSAID)) for what, phrase in meaning)


def meaning_of(text: str, steps: Sequence[Step]) -> Meaning:
    """What a command of the grammar means, as a model should answer."""
    said = words(text)

    def phrase(span: Sequence[int] | None) -> str:
        return " ".join(said[i] for i in span or ())

    return spoken(
        tuple(
            (s.relation or "", phrase(s.reference)) if s.skill == "place" else (s.skill, phrase(s.target))
            for s in steps
        )
    )


def text_of(meaning: Meaning) -> str:
    """For people."""
    return "; ".join(f"{what}: {phrase}" for what, phrase in meaning) or "nothing to do"


def _of_draft(step: DraftStep) -> tuple[str, str]:
    if step.skill == "place":
        return (step.relation or "", step.reference or "")
    return (step.skill, step.target or "")
