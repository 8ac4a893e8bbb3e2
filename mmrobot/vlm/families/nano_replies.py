"""Replies of mmrobot-nano: written token by token into slots, so that none can be malformed; and plans."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mmrobot.types import DraftStep
from mmrobot.vlm.families.nano_parts import WriteStep
from mmrobot.vlm.models.nano.slots import TASK_ID, OpenSlots
from mmrobot.vlm.models.nano.vocabulary import (
    CONTROL,
    CONTROL_ID,
    HOME,
    NOT_UNDERSTOOD,
    PICK,
    PLAN,
    RELATION_OF,
)


def write_greedily(step: WriteStep, task: str, words: int, limit: int) -> tuple[list[int], float]:
    """Ids of the reply to a task (of TASKS), its end included, at most `limit`; and the least probability
    among them. `words` were said. A logical form that does not end was not understood; a plan is cut off."""
    slots = OpenSlots(task)
    ids = [TASK_ID[task]]
    confidence = 1.0
    while len(ids) < limit and not slots.done:
        logits = step(ids[-1], len(ids) - 1)[: len(CONTROL) + words].astype(np.float64)
        logits[~slots.allowed(words)] = -np.inf
        weights = np.exp(logits - logits.max())
        choice = int(weights.argmax())
        confidence = min(confidence, float(weights[choice] / weights.sum()))
        slots.write(choice)
        ids.append(choice)
    if not slots.done and task != PLAN:
        return [CONTROL_ID[NOT_UNDERSTOOD]], 0.0
    return ids[1:], confidence


def parse_plan(ids: Sequence[int], said: Sequence[str], confidence: float) -> tuple[DraftStep, ...]:
    """Token ids to steps: a control token opens a step, the copied words after it are its phrase."""
    steps: list[DraftStep] = []
    groups: list[tuple[str, list[str]]] = []
    for i in ids:
        if i < len(CONTROL):
            groups.append((CONTROL[i], []))
        elif groups:
            groups[-1][1].append(said[i - len(CONTROL)])
    for token, phrase_words in groups:
        phrase = " ".join(phrase_words)
        if token == PICK:
            steps.append(DraftStep("pick", target=phrase, confidence=confidence))
        elif token in RELATION_OF:
            steps.append(
                DraftStep("place", relation=RELATION_OF[token], reference=phrase, confidence=confidence)
            )
        elif token == HOME:
            steps.append(DraftStep("home", confidence=confidence))
    return tuple(steps)
