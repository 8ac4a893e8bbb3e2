"""Florence-2: a label, then four <loc_N> tokens, x first, bins 0 to 999 whose middle is meant.

It is a task model: `<OPEN_VOCABULARY_DETECTION>phrase` grounds, `<DENSE_REGION_CAPTION>` describes. It
neither plans nor answers, and it marks something for every phrase, so it cannot tell what is absent.
Bins: Florence2PostProcessor.dequantize (bin + 0.5) * size / 1000; arXiv:2311.06242, section 3.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from mmrobot.errors import OperationUnsupportedError
from mmrobot.types import PlanDraft, ScoredBox
from mmrobot.vlm import replies
from mmrobot.vlm.chat_vlm import Ask
from mmrobot.vlm.coordinates import Convention
from mmrobot.vlm.families.instructed import DESCRIBE_TOKENS, GROUND_TOKENS
from mmrobot.vlm.families.loc_tokens import plain, read_token_boxes
from mmrobot.vlm.prompts import quoted

CONVENTION = Convention("loc tokens 0 to 999, x first", span=1000, most=999, middle=0.5)

_LOC = re.compile(r"<loc_(\d{1,3})>")


class Florence2:
    """Florence-2 base and large, in the form that transformers loads (florence-community)."""

    name = "florence2"
    convention = CONVENTION
    operations = frozenset({"ground", "describe"})
    repairs = False
    chat = False
    keep_special_tokens = True

    def ask_ground(self, phrase: str, image_rgb: NDArray[np.uint8]) -> Ask:
        """Open-vocabulary detection."""
        return Ask(f"<OPEN_VOCABULARY_DETECTION>{quoted(phrase)}", GROUND_TOKENS)

    def read_ground(self, reply: str, phrase: str, image_rgb: NDArray[np.uint8]) -> tuple[ScoredBox, ...]:
        """All boxes, labelled with the phrase asked for; the model repeats it, or a part of it."""
        return replies.scored([(phrase, box) for _, box in self._read(reply, image_rgb)])

    def ask_describe(self, image_rgb: NDArray[np.uint8]) -> Ask:
        """Regions with their descriptions."""
        return Ask("<DENSE_REGION_CAPTION>", DESCRIBE_TOKENS)

    def read_describe(self, reply: str, image_rgb: NDArray[np.uint8]) -> tuple[ScoredBox, ...]:
        """Each region with its description."""
        found = self._read(reply, image_rgb)
        return replies.scored([(replies.phrase_of(label, "a label"), box) for label, box in found])

    def ask_plan(self, instruction: str, dialogue: Sequence[str]) -> Ask:
        """Not offered."""
        _refuse("plan")

    def read_plan(self, reply: str) -> PlanDraft:
        """Not offered."""
        _refuse("plan")

    def ask_verify(self, statement: str) -> Ask:
        """Not offered."""
        _refuse("verify")

    def read_verify(self, reply: str) -> float:
        """Not offered."""
        _refuse("verify")

    def ask_answer(self, question: str) -> Ask:
        """Not offered."""
        _refuse("answer")

    def read_answer(self, reply: str) -> str:
        """Not offered."""
        _refuse("answer")

    def _read(
        self, reply: str, image_rgb: NDArray[np.uint8]
    ) -> list[tuple[str, tuple[float, float, float, float]]]:
        height, width = image_rgb.shape[:2]
        text = plain(reply)
        if not text:
            return []
        return [
            (label, self.convention.to_pixels(bins, width, height))
            for label, bins in read_token_boxes(text, _LOC, label_first=True)
        ]


def _refuse(operation: str) -> NoReturn:
    raise OperationUnsupportedError(
        f"Florence-2 does not offer '{operation}': it only detects and captions", "use another model for it"
    )
