"""PaliGemma 2 (mix checkpoints): four <locNNNN> tokens, y first, 0 to 1023, then the label, parted by ';'.

Its tasks are prefixes, not conversation: `detect a ; b`, `answer en ...`. It writes no plans. It names
only what it is asked for, so `describe` needs the nouns of the setting (`nouns` in the model's YAML) and
is not offered without them. The picture is stretched to a square, which bins from 0 to 1024 over each
axis do not notice. Source: arXiv:2412.03555 and the model card's detection example.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mmrobot.errors import OperationUnsupportedError
from mmrobot.types import PlanDraft, ScoredBox
from mmrobot.vlm import replies
from mmrobot.vlm.chat_vlm import Ask
from mmrobot.vlm.coordinates import Convention
from mmrobot.vlm.families.instructed import ANSWER_TOKENS, DESCRIBE_TOKENS, GROUND_TOKENS, WORD_TOKENS
from mmrobot.vlm.families.loc_tokens import plain, read_token_boxes
from mmrobot.vlm.prompts import quoted

CONVENTION = Convention("loc tokens 0 to 1023, y first", order="yx", span=1024, most=1023)

_LOC = re.compile(r"<loc(\d{4})>")


class PaliGemma2:
    """PaliGemma and PaliGemma 2 mix checkpoints."""

    name = "paligemma2"
    convention = CONVENTION
    repairs = False
    chat = False
    keep_special_tokens = True

    def __init__(self, nouns: Sequence[str] = ()) -> None:
        self._nouns = tuple(quoted(noun).replace(";", " ") for noun in nouns)
        described = {"describe"} if self._nouns else set()
        self.operations = frozenset({"ground", "verify", "answer"} | described)

    def ask_ground(self, phrase: str, image_rgb: NDArray[np.uint8]) -> Ask:
        """The detection prefix; ';' would part the phrase into two things."""
        return Ask(f"detect {_noun(phrase)}", GROUND_TOKENS)

    def read_ground(self, reply: str, phrase: str, image_rgb: NDArray[np.uint8]) -> tuple[ScoredBox, ...]:
        """Boxes whose label is the phrase; an empty reply says that there is none."""
        found = self._read(reply, image_rgb)
        for label, _ in found:
            if label.lower() != _noun(phrase).lower():
                replies.invalid(f"asked for {replies.brief(phrase)}, the model marks {replies.brief(label)}")
        return replies.scored([(phrase, box) for _, box in found])

    def ask_describe(self, image_rgb: NDArray[np.uint8]) -> Ask:
        """All nouns of the setting at once."""
        return Ask(f"detect {' ; '.join(self._nouns)}", DESCRIBE_TOKENS)

    def read_describe(self, reply: str, image_rgb: NDArray[np.uint8]) -> tuple[ScoredBox, ...]:
        """Boxes labelled with the nouns that were asked for."""
        found = self._read(reply, image_rgb)
        for label, _ in found:
            if label not in self._nouns:
                replies.invalid(f"the model marks {replies.brief(label)}, which it was not asked for")
        return replies.scored(found)

    def ask_verify(self, statement: str) -> Ask:
        """A yes or no question in the form of the VQA data."""
        return Ask(f"answer en is it true that {quoted(statement)}?", WORD_TOKENS)

    def read_verify(self, reply: str) -> float:
        """1 for yes, 0 for no."""
        return replies.read_yes_no(plain(reply))

    def ask_answer(self, question: str) -> Ask:
        """The VQA prefix."""
        return Ask(f"answer en {quoted(question)}", ANSWER_TOKENS)

    def read_answer(self, reply: str) -> str:
        """The answer's text."""
        return replies.read_answer(plain(reply))

    def ask_plan(self, instruction: str, dialogue: Sequence[str]) -> Ask:
        """Not offered."""
        raise OperationUnsupportedError("PaliGemma 2 writes no plans", "use another model to plan")

    def read_plan(self, reply: str) -> PlanDraft:
        """Not offered."""
        raise OperationUnsupportedError("PaliGemma 2 writes no plans", "use another model to plan")

    def _read(
        self, reply: str, image_rgb: NDArray[np.uint8]
    ) -> list[tuple[str, tuple[float, float, float, float]]]:
        height, width = image_rgb.shape[:2]
        text = plain(reply)
        if not text:
            return []
        return [
            (replies.phrase_of(label, "a label"), self.convention.to_pixels(bins, width, height))
            for label, bins in read_token_boxes(text, _LOC, label_first=False)
        ]


def _noun(phrase: str) -> str:
    return " ".join(quoted(phrase).replace(";", " ").split())
