"""Whether a sentence became the plan that was meant: exact match of skills, relations and phrases."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmrobot.errors import ModelReplyInvalidError
from mmrobot.evals.statistics import Rate
from mmrobot.simulator.scene_pool import Randomisation, ScenePool
from mmrobot.tabletop.language.handwritten import HANDWRITTEN
from mmrobot.tabletop.levels import sample_scene_for_level
from mmrobot.tabletop.plan_meaning import Meaning, meaning_of_draft, spoken, text_of
from mmrobot.vlm.interface import VisionLanguageModel

_SALT = 0x91A7


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
    return meaning_of_draft(draft.steps)
