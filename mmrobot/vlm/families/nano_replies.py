"""Replies of mmrobot-nano: written token by token into slots, so that none can be malformed; and plans."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from mmrobot.types import DraftStep
from mmrobot.vlm.families.nano_parts import WriteStep
from mmrobot.vlm.models.nano import vocabulary as v
from mmrobot.vlm.models.nano.slots import TASK_ID, OpenSlots
from mmrobot.vlm.models.nano.vocabulary import CONTROL, CONTROL_ID, NOT_UNDERSTOOD, PLAN


def write_greedily(
    step: WriteStep, task: str, words: int, limit: int, understood: bool = False
) -> tuple[list[int], float]:
    """Ids of the reply to a task (of TASKS), its end included, at most `limit`; and the least probability
    among them. `words` were said; `understood`: as if they were, whatever the model makes of them. A logical
    form that does not end was not understood; a plan is cut off."""
    slots = OpenSlots(task)
    ids = [TASK_ID[task]]
    confidence = 1.0
    while len(ids) < limit and not slots.done:
        logits = step(ids[-1], len(ids) - 1)[: len(CONTROL) + words].astype(np.float64)
        logits[~slots.allowed(words)] = -np.inf
        if understood:
            logits[CONTROL_ID[NOT_UNDERSTOOD]] = -np.inf
        weights = np.exp(logits - logits.max())
        choice = int(weights.argmax())
        confidence = min(confidence, float(weights[choice] / weights.sum()))
        slots.write(choice)
        ids.append(choice)
    if not slots.done and task != PLAN:
        return [CONTROL_ID[NOT_UNDERSTOOD]], 0.0
    return ids[1:], confidence


def parse_plan(ids: Sequence[int], said: Sequence[str], confidence: float) -> tuple[DraftStep, ...]:
    """Token ids that fit their slots (slots.py) to steps: a control token opens a step, the copied words
    after
    it are its phrase."""
    copied: list[tuple[str, list[int]]] = []
    for i in ids:
        if i < len(CONTROL):
            copied.append((CONTROL[i], []))
        elif copied:
            copied[-1][1].append(i - len(CONTROL))
    groups = [(token, [said[i] for i in _without_holes(indices, said)]) for token, indices in copied]
    return _steps(groups, confidence)


_GLUE = frozenset(
    "is are that which whose who of with in has have having a the color colour colored coloured".split()
)
_HOLE = 2


def _without_holes(indices: Sequence[int], said: Sequence[str]) -> list[int]:
    """A copied phrase with the words that hold it together, where one or two of them were left out: "bowl
    whose is yellow" of "the bowl whose color is yellow"."""
    whole = list(indices[:1])
    for before, after in itertools.pairwise(indices):
        between = range(before + 1, after)
        if len(between) <= _HOLE and all(said[i] in _GLUE for i in between):
            whole += between
        whole.append(after)
    return whole


_Group = tuple[str, list[str]]
_ONE_PHRASE = {v.PICK: "pick", v.EACH: "each", v.PUT_BACK: "put_back", v.AVOID: "avoid", v.AGAIN: "again"}
_MATCH_OF = {token: name for name, token in v.MATCHES.items()}
_NUMBER_OF = {token: n for n, token in v.NUMBER.items()}


def _steps(groups: Sequence[_Group], confidence: float) -> tuple[DraftStep, ...]:
    steps: list[DraftStep] = []
    i = 0
    while i < len(groups):
        token, phrase = groups[i][0], " ".join(groups[i][1])
        i += 1
        if token == v.IF:
            ends = [j for j in range(i, len(groups)) if groups[j][0] == v.ELSE]
            end = ends[0] if ends else len(groups)
            then, otherwise = (_steps(part, confidence) for part in (groups[i:end], groups[end + 1 :]))
            steps.append(DraftStep("if", text=phrase, then=then, otherwise=otherwise, confidence=confidence))
            break
        step = _step(token, phrase)
        if step is None:
            continue
        while i < len(groups) and groups[i][0] in (
            v.AND,
            *_MATCH_OF,
            *_NUMBER_OF,
            *_CORRECTED.get(token, ()),
        ):
            step = _with(step, groups[i][0], " ".join(groups[i][1]))
            i += 1
        steps.append(replace(step, confidence=confidence))
    return tuple(steps)


_CORRECTED = {v.INSTEAD: tuple(v.RELATION_OF)}
"""A place after a correction says where instead."""


def _step(token: str, phrase: str) -> DraftStep | None:
    """The step that a token opens; None for those that open none."""
    if token in _ONE_PHRASE:
        return DraftStep(_ONE_PHRASE[token], target=phrase)
    if token in v.RELATION_OF:
        return DraftStep("place", relation=v.RELATION_OF[token], reference=phrase or None)
    if token in v.PUSH_OF:
        return DraftStep("push", target=phrase, relation=v.PUSH_OF[token])
    if token in v.ACTS:
        return DraftStep(v.ACTS[token], target=phrase or None)
    if token == v.PYRAMID:
        return DraftStep("pyramid", parts=(phrase,))
    if token == v.SWAP:
        return DraftStep("swap", target=phrase)
    return {v.HOME: DraftStep("home"), v.SOME: DraftStep("each")}.get(token)


def _with(step: DraftStep, token: str, phrase: str) -> DraftStep:
    """A step with what a further token of it says."""
    if token in _NUMBER_OF:
        return replace(step, count=_NUMBER_OF[token], target=phrase)
    if token in _MATCH_OF:
        return replace(step, match=_MATCH_OF[token], reference=phrase)
    if token in v.RELATION_OF:
        return replace(step, relation=v.RELATION_OF[token], reference=phrase)
    if step.skill == "pyramid":
        return replace(step, parts=(*step.parts, phrase))
    return replace(step, reference=phrase)
