"""What the decoder may write next, so that no reply can be malformed.

A grammar in prefix notation: each token that is written opens the slots that must be filled after it. A
stack of open slots says which tokens may follow; when none is open, only the end.

    PLAN      not_understood | step+        step: home | (pick | place_*) word+
    GROUND    not_understood | EXPR
    VERIFY    not_understood | CLAIM
    ANSWER    not_understood | (yes_no CLAIM) | ((count | color | ...) EXPR)
    EXPR      [size] [color] [marked word] noun | order [rank] EXPR | middle EXPR
              | (relation | nearest | without | both) EXPR EXPR
    CLAIM     test number EXPR | (is | relation | comparison) EXPR EXPR | not CLAIM
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mmrobot.vlm.models.nano import vocabulary as v
from mmrobot.vlm.models.nano.vocabulary import CONTROL, CONTROL_ID

Slots = tuple[str, ...]
Rules = dict[str, Slots]

WORD, STEP, WORDS_OR_STEP = "word", "step", "words or step"
EXPR, COLORED, MARKED, NOUN, RANKED = "expr", "colored", "marked", "noun", "ranked"
CLAIM, NUMBER, QUESTION = "claim", "number", "question"


def _each(names: dict, slots: Slots) -> Rules:
    return dict.fromkeys(names.values(), slots)


_NOUN: Rules = _each(v.NOUN, ())
_MARKED: Rules = {v.MARKED: (WORD, NOUN), **_NOUN}
_COLORED: Rules = {**_each(v.COLOR, (MARKED,)), **_MARKED}
_TWO = (EXPR, EXPR)
_EXPR: Rules = {
    **_each(v.SIZE, (COLORED,)), **_COLORED, **_each(v.ORDER, (RANKED,)), v.MIDDLE: (EXPR,),
    **_each(v.RELATION, _TWO), v.NEAREST: _TWO, v.WITHOUT: _TWO, v.BOTH: _TWO,
}  # fmt: skip
_CLAIM: Rules = {
    **_each(v.TEST, (NUMBER, EXPR)), v.IS: _TWO, **_each(v.RELATION, _TWO), **_each(v.COMPARISON, _TWO),
    v.NOT: (CLAIM,),
}  # fmt: skip
_STEP: Rules = {v.HOME: (STEP,), **dict.fromkeys(sorted(v.NEEDS_PHRASE), (WORD, WORDS_OR_STEP))}
_STEP_OR_END: Rules = {**_STEP, v.END: ()}
_NOT: Rules = {v.NOT_UNDERSTOOD: ()}
RULES: dict[str, Rules] = {
    v.PLAN: {**_STEP, **_NOT},
    STEP: _STEP_OR_END,
    WORDS_OR_STEP: _STEP_OR_END,
    v.GROUND: {**_EXPR, **_NOT},
    v.VERIFY: {**_CLAIM, **_NOT},
    v.ANSWER: {
        **dict.fromkeys(v.QUESTION.values(), (EXPR,)),
        v.QUESTION["yes_no"]: (CLAIM,),
        **_NOT,
    },
    EXPR: _EXPR,
    COLORED: _COLORED,
    MARKED: _MARKED,
    NOUN: _NOUN,
    RANKED: {**_each(v.RANK, (EXPR,)), **_EXPR},
    CLAIM: _CLAIM,
    NUMBER: _each(v.NUMBER, ()),
    WORD: {},
}  # fmt: skip
"""What may fill a slot, and the slots that this opens."""
COPIES = frozenset({WORD, WORDS_OR_STEP})
"""Slots that a copied word may fill."""
_CONTROL_MASK = {
    slot: np.array([token in rules for token in CONTROL], np.bool_) for slot, rules in RULES.items()
}
_COPYING = np.array(
    [any(WORD in rules.get(token, ()) for rules in RULES.values()) for token in CONTROL], np.bool_
)
_END_ONLY = np.array([token == v.END for token in CONTROL], np.bool_)


class OpenSlots:
    """The slots that are still open after what was written for a task (of TASKS)."""

    def __init__(self, task: str) -> None:
        if task not in v.TASKS:
            raise ValueError(f"unknown task '{task}', known: {', '.join(v.TASKS)}")
        self._stack = [task]
        self.done = False

    def allowed(self, words: int) -> NDArray[np.bool_]:
        """Which of len(CONTROL) + `words` ids may be written next; where no words are, none that copies."""
        if self.done:
            return np.zeros(len(CONTROL) + words, np.bool_)
        control = _CONTROL_MASK[self._stack[-1]] if self._stack else _END_ONLY
        if not words:
            control = control & ~_COPYING
        copies = bool(self._stack) and self._stack[-1] in COPIES
        return np.concatenate([control, np.full(words, copies)])

    def write(self, token_id: int) -> None:
        """Fill the next slot. Raises ValueError for what does not fit it."""
        copied = token_id >= len(CONTROL)
        token = "a copied word" if copied else CONTROL[token_id]
        if self.done or (not self._stack and token != v.END):
            raise ValueError(f"{token} was written after the end")
        if not self._stack:
            self.done = True
            return
        slot = self._stack.pop()
        if copied and slot in COPIES:
            if slot == WORDS_OR_STEP:
                self._stack.append(slot)
        elif not copied and token in RULES[slot]:
            self._stack += reversed(RULES[slot][token])
            # A plan's steps end where the model says, and nothing follows what was not understood.
            self.done = token in (v.END, v.NOT_UNDERSTOOD)
        else:
            raise ValueError(f"{token} cannot fill the slot '{slot}'")


def fits(task: str, ids: Sequence[int]) -> bool:
    """Whether `ids` are a whole reply to a task, its end included."""
    slots = OpenSlots(task)
    try:
        for i in ids:
            slots.write(i)
    except ValueError:
        return False
    return slots.done


TASK_ID = {task: CONTROL_ID[task] for task in v.TASKS}
