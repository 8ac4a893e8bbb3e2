"""InternVL3: <ref>label</ref><box>[[x1, y1, x2, y2], ...]</box>, x first, from 0 to 1000.

Decoding may have dropped the tags, which are special tokens of the tokenizer, so each is optional; the
double brackets are not. Convention: InternVL's documentation (chat data format, grounding).
"""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from mmrobot.types import ScoredBox
from mmrobot.vlm import replies
from mmrobot.vlm.chat_vlm import Ask
from mmrobot.vlm.coordinates import Convention
from mmrobot.vlm.families.instructed import DESCRIBE_TOKENS, GROUND_TOKENS, InstructedFamily
from mmrobot.vlm.prompts import quoted

CONVENTION = Convention("0 to 1000, x first", span=1000)

_TAGS = re.compile(r"</?(?:ref|box)>")
_NUMBER = r"-?\d{1,9}(?:\.\d{1,9})?"
_BOX = rf"\[\s*{_NUMBER}(?:\s*,\s*{_NUMBER}){{3}}\s*\]"
_GROUP = re.compile(rf"\[\s*({_BOX}(?:\s*,\s*{_BOX})*)\s*\]")
_NONE = frozenset({"none", "no", "nothing"})


def read_groups(reply: str) -> list[tuple[str, list[list[float]]]]:
    """(label, boxes) of each group in double brackets; the label is the line's text before it.

    Raises ModelReplyInvalidError for brackets that are left over, and for a reply with no group that
    is not the word none.
    """
    if len(reply) > replies.LONGEST_REPLY:
        replies.invalid(f"the reply has {len(reply)} characters, more than {replies.LONGEST_REPLY}")
    text = _TAGS.sub(" ", reply).strip()
    if text.lower().strip(" .!") in _NONE:
        return []
    groups, end = [], 0
    for match in _GROUP.finditer(text):
        label = text[end : match.start()].strip().rsplit("\n", 1)[-1].strip(" ,;:.-*`")
        boxes = [[float(n) for n in re.findall(_NUMBER, box)] for box in re.findall(_BOX, match[1])]
        groups.append((label, boxes))
        end = match.end()
    left = _GROUP.sub("", text)
    if "[" in left or "]" in left:
        replies.invalid(f"the reply {replies.brief(reply)} holds brackets that are not [[x1, y1, x2, y2]]")
    if not groups:
        replies.invalid(
            f"the reply {replies.brief(reply)} holds neither [[x1, y1, x2, y2]] nor the word none"
        )
    if sum(len(boxes) for _, boxes in groups) > replies.MOST_OBJECTS:
        replies.invalid(f"the reply holds more than {replies.MOST_OBJECTS} boxes")
    return groups


class InternVl3(InstructedFamily):
    """InternVL3 and InternVL3.5 in the form that transformers loads (repositories that end in -hf)."""

    name = "internvl3"
    convention = CONVENTION

    def ask_ground(self, phrase: str, image_rgb: NDArray[np.uint8]) -> Ask:
        """The question that the model was trained on, and a way to say none."""
        return Ask(
            "Please provide the bounding box coordinate of each region this sentence describes: "
            f"<ref>{quoted(phrase)}</ref> in the form [[x1, y1, x2, y2]]. "
            "If there is no such thing in the picture, reply none.",
            GROUND_TOKENS,
        )

    def read_ground(self, reply: str, phrase: str, image_rgb: NDArray[np.uint8]) -> tuple[ScoredBox, ...]:
        """All boxes, labelled with the phrase asked for."""
        height, width = image_rgb.shape[:2]
        return replies.scored(
            [
                (phrase, self.convention.to_pixels(box, width, height))
                for _, boxes in read_groups(reply)
                for box in boxes
            ]
        )

    def ask_describe(self, image_rgb: NDArray[np.uint8]) -> Ask:
        """Every object, one a line."""
        return Ask(
            "Please detect and label every object on the table in the picture and mark its position. "
            "Leave out the table, the robot and the background. One line for each: "
            "<ref>short phrase</ref><box>[[x1, y1, x2, y2]]</box>. If there is none, reply none.",
            DESCRIBE_TOKENS,
        )

    def read_describe(self, reply: str, image_rgb: NDArray[np.uint8]) -> tuple[ScoredBox, ...]:
        """All boxes, each with the label written before it."""
        height, width = image_rgb.shape[:2]
        return replies.scored(
            [
                (replies.phrase_of(label, "a label"), self.convention.to_pixels(box, width, height))
                for label, boxes in read_groups(reply)
                for box in boxes
            ]
        )
