"""The vlm node with the shipped model, which can be kept busy: a phrase that begins with "busily".

It computes in Python, holding the interpreter's lock, as badly as a model can behave.
Run as `python -m tests.support.busy_model_node`.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmrobot.config import Config
from mmrobot.pipeline import Pipeline
from mmrobot.ros import model_holder, vlm_node
from mmrobot.types import PlanDraft, ScoredBox
from mmrobot.vlm.interface import VisionLanguageModel

BUSY_S = 2.0
WORD = "busily "


class BusyModel:
    """The real model behind a delay that the words ask for; all else is its own."""

    def __init__(self, model: VisionLanguageModel) -> None:
        self._model = model

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def ground(self, image_rgb: NDArray[np.uint8], phrase: str) -> tuple[ScoredBox, ...]:
        return self._model.ground(image_rgb, _computed(phrase))

    def plan(self, image_rgb: NDArray[np.uint8], instruction: str, dialogue: Sequence[str] = ()) -> PlanDraft:
        return self._model.plan(image_rgb, _computed(instruction), dialogue)


def _computed(words: str) -> str:
    if not words.startswith(WORD):
        return words
    end_s = time.monotonic() + BUSY_S
    while time.monotonic() < end_s:
        sum(range(1000))
    return words.removeprefix(WORD)


def _pipeline(model: VisionLanguageModel, config: Config) -> Pipeline:
    return Pipeline(BusyModel(model), config)


if __name__ == "__main__":
    model_holder.Pipeline = _pipeline  # type: ignore[assignment,misc]
    raise SystemExit(vlm_node.main())
