"""Whether a model's reply can be one at all: boxes in the picture, probabilities, words of a sensible length.

Weights that were mixed up, or a decoder that does not end, give replies of the right type and no sense.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmrobot.errors import ModelReplyInvalidError
from mmrobot.types import DraftStep, PlanDraft, ScoredBox

MAX_TEXT, MAX_ANSWER, MAX_RAW = 500, 4_000, 20_000
MAX_THINGS = 1_000
_FIX = "give the instruction again; when it stays so, check the model's files: mmrobot doctor"


def checked(operation: str, reply: Any, image_rgb: NDArray[np.uint8]) -> Any:
    """The reply, its raw text cut to what is worth keeping; raises ModelReplyInvalidError for one without
    sense."""
    if operation in ("ground", "describe"):
        _check_boxes(operation, reply, image_rgb.shape[0], image_rgb.shape[1])
    elif operation == "verify" and not 0.0 <= float(reply) <= 1.0:
        raise _nonsense(operation, f"{reply} is no probability")
    elif operation == "answer":
        _check_text(operation, reply, MAX_ANSWER)
    elif operation == "plan":
        return _checked_plan(reply)
    return reply


def _check_boxes(operation: str, boxes: Sequence[ScoredBox], height: int, width: int) -> None:
    if len(boxes) > MAX_THINGS:
        raise _nonsense(operation, f"{len(boxes)} boxes")
    for box in boxes:
        _check_text(operation, box.label, MAX_TEXT)
        x0, y0, x1, y1 = box.box_xyxy
        if x1 <= 0 or y1 <= 0 or x0 >= width or y0 >= height:
            told = ", ".join(f"{v:.4g}" for v in box.box_xyxy)
            raise _nonsense(operation, f"the box ({told}) lies outside of the picture, {width}x{height}")


def _checked_plan(draft: PlanDraft) -> PlanDraft:
    steps = [*_all_steps(draft.steps), *_all_steps(draft.guess)]
    if len(steps) > MAX_THINGS:
        raise _nonsense("plan", f"{len(steps)} steps")
    for step in steps:
        for text in (step.skill, step.target, step.relation, step.reference, step.text, *step.parts):
            _check_text("plan", text or "", MAX_TEXT)
    for told in (draft.question, draft.refusal):
        _check_text("plan", told or "", MAX_ANSWER)
    return replace(draft, raw=draft.raw[:MAX_RAW]) if len(draft.raw) > MAX_RAW else draft


def _all_steps(steps: Sequence[DraftStep]) -> Iterator[DraftStep]:
    for step in steps:
        yield step
        yield from _all_steps(step.then)
        yield from _all_steps(step.otherwise)


def _check_text(operation: str, text: str, limit: int) -> None:
    if len(text) > limit:
        raise _nonsense(operation, f"a text of {len(text)} characters, allowed are {limit}")
    odd = next((c for c in text if c == "\ufffd" or (not c.isprintable() and c not in "\n\t")), None)
    if odd is not None:
        raise _nonsense(operation, f"a text with {odd!r} in it")


def _nonsense(operation: str, what: str) -> ModelReplyInvalidError:
    return ModelReplyInvalidError(f"the model's reply to '{operation}' makes no sense: {what}", _FIX)
