"""The VisionLanguageModel interface: five operations, whatever the model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mmrobot.errors import InvalidImageError
from mmrobot.types import PlanDraft, ScoredBox

OPERATIONS = ("ground", "plan", "verify", "answer", "describe")


class VisionLanguageModel(Protocol):
    """A model that looks at a picture and reads words.

    Pictures are (H, W, 3) uint8 RGB, C-contiguous or not. Boxes are pixels of that picture.
    Each call may take long: run it on a thread of its own. Not safe for concurrent calls.
    An operation that is not in `operations` raises OperationUnsupportedError.
    """

    @property
    def name(self) -> str:
        """The model's name and version, as it goes into plans."""

    @property
    def operations(self) -> frozenset[str]:
        """Those of OPERATIONS that this model offers."""

    def ground(self, image_rgb: NDArray[np.uint8], phrase: str) -> tuple[ScoredBox, ...]:
        """Boxes of all things that the phrase names, best first; empty when there are none."""

    def plan(self, image_rgb: NDArray[np.uint8], instruction: str, dialogue: Sequence[str] = ()) -> PlanDraft:
        """Steps over referring phrases for an instruction; `dialogue` holds earlier turns, oldest first."""

    def verify(self, image_rgb: NDArray[np.uint8], statement: str) -> float:
        """Probability that the statement holds in the picture."""

    def answer(self, image_rgb: NDArray[np.uint8], question: str) -> str:
        """A short answer to a question about the picture."""

    def describe(self, image_rgb: NDArray[np.uint8]) -> tuple[ScoredBox, ...]:
        """Every object in the picture, each labelled with a phrase that names it."""


def check_picture(image_rgb: NDArray[np.uint8]) -> None:
    """Raises InvalidImageError unless this is a (H, W, 3) uint8 picture with pixels."""
    shape = image_rgb.shape
    if image_rgb.dtype != np.uint8 or len(shape) != 3 or shape[2] != 3 or 0 in shape:
        raise InvalidImageError(
            f"a picture must be (H, W, 3) uint8, got {shape} {image_rgb.dtype}", "pass RGB bytes"
        )
