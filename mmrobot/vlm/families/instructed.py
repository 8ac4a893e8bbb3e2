"""What families that follow instructions have in common: plans, yes and no, answers, boxes in JSON."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mmrobot.types import PlanDraft, ScoredBox
from mmrobot.vlm import prompts, replies
from mmrobot.vlm.chat_vlm import Ask
from mmrobot.vlm.coordinates import Convention
from mmrobot.vlm.interface import OPERATIONS

GROUND_TOKENS = 768
DESCRIBE_TOKENS = 1536
PLAN_TOKENS = 768
ANSWER_TOKENS = 64
WORD_TOKENS = 8


class InstructedFamily:
    """All five operations in plain words and JSON; a family's file gives its name and its convention.

    `box_key` is the JSON key that the family writes boxes under, `numbers` tells the model what the
    four numbers are.
    """

    name: str
    convention: Convention
    box_key = "bbox_2d"
    numbers = "[x_min, y_min, x_max, y_max]"
    operations = frozenset(OPERATIONS)
    repairs = True
    chat = True
    keep_special_tokens = False

    def ask_ground(self, phrase: str, image_rgb: NDArray[np.uint8]) -> Ask:
        """Ask for all boxes that a phrase names."""
        text = prompts.ground_json(phrase, self.box_key, self.numbers)
        return Ask(text, GROUND_TOKENS, replies.boxes_schema(self.box_key))

    def read_ground(self, reply: str, phrase: str, image_rgb: NDArray[np.uint8]) -> tuple[ScoredBox, ...]:
        """Boxes labelled with the phrase asked for, whatever the model calls them."""
        return self._boxes(reply, image_rgb, phrase)

    def ask_describe(self, image_rgb: NDArray[np.uint8]) -> Ask:
        """Ask for every object."""
        text = prompts.describe_json(self.box_key, self.numbers)
        return Ask(text, DESCRIBE_TOKENS, replies.boxes_schema(self.box_key))

    def read_describe(self, reply: str, image_rgb: NDArray[np.uint8]) -> tuple[ScoredBox, ...]:
        """Boxes labelled by the model."""
        return self._boxes(reply, image_rgb, None)

    def ask_plan(self, instruction: str, dialogue: Sequence[str]) -> Ask:
        """Ask for a plan of PLAN_SCHEMA."""
        return Ask(prompts.plan(instruction, dialogue), PLAN_TOKENS, replies.PLAN_SCHEMA)

    def read_plan(self, reply: str) -> PlanDraft:
        """A plan, a question or a refusal."""
        return replies.read_plan(reply)

    def ask_verify(self, statement: str) -> Ask:
        """Ask for yes or no."""
        return Ask(prompts.verify(statement), WORD_TOKENS)

    def read_verify(self, reply: str) -> float:
        """1 for yes, 0 for no."""
        return replies.read_yes_no(reply)

    def ask_answer(self, question: str) -> Ask:
        """Ask a question."""
        return Ask(prompts.answer(question), ANSWER_TOKENS)

    def read_answer(self, reply: str) -> str:
        """The answer's text."""
        return replies.read_answer(reply)

    def _boxes(self, reply: str, image_rgb: NDArray[np.uint8], phrase: str | None) -> tuple[ScoredBox, ...]:
        height, width = image_rgb.shape[:2]
        found = []
        for label, numbers in replies.read_boxes(replies.read_json(reply), self.box_key, phrase):
            box = self.convention.to_pixels(numbers, width, height)
            found.append((label if phrase is None else phrase, box))
        return replies.scored(found)
