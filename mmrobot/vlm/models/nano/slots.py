"""What the decoder may write next, so that no reply can be malformed.

A grammar in prefix notation: each token that is written opens the slots that must be filled after it. A
stack of open slots says which tokens may follow; when none is open, only the end.

    PLAN      not_understood | act | step+ | [step+] if words [step+] [else step+]
    step      home | (pick | each | some number | put_back | avoid | push_*) words
              | place_* [own_color | different] words | (push_near | swap) words and words
              | pyramid words (and words)*
    act       again words | instead (words | place_* words) | other | not_that | resume
    words     word+
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

WORD, WORDS_OR_END, PLACED = "word", "words or end", "placed"
STEP, WORDS_OR_STEP, PAIRED, LISTED = "step", "words or step", "words or and", "words, step or and"
CORRECTION, FINISHED = "correction", "finished"
_IN_IF = " within if"
"""Slots of steps after an `if`: the `else` may follow there."""
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


def _steps(within: str) -> Rules:
    """What a step may begin with, and what must come then; `within` "" or _IN_IF."""
    more = WORDS_OR_STEP + within
    place = dict.fromkeys(v.PLACE.values(), (PLACED + within,))
    one = (v.PICK, v.EACH, v.PUT_BACK, v.AVOID, *(t for r, t in v.PUSH.items() if r != "near"))
    return {
        v.HOME: (STEP + within,), **dict.fromkeys(one, (WORD, more)), **place, v.SOME: (NUMBER, WORD, more),
        **dict.fromkeys((v.PUSH["near"], v.SWAP), (WORD, PAIRED + within)),
        v.PYRAMID: (WORD, LISTED + within),
    }  # fmt: skip


def _of_steps(within: str) -> dict[str, Rules]:
    """The slots of steps."""
    more = WORDS_OR_STEP + within
    other = {v.ELSE: (ELSE_STEP,)} if within else {v.IF: (WORD, WORDS_OR_STEP + _IN_IF)}
    following = {**_steps(within), **other, v.END: ()}
    return {
        STEP + within: following,
        more: following,
        PLACED + within: dict.fromkeys(v.MATCHES.values(), (WORD, more)),
        PAIRED + within: {v.AND: (WORD, more)},
        LISTED + within: {**following, v.AND: (WORD, LISTED + within)},
    }


ELSE_STEP = "step of else"
_ACT: Rules = {
    v.AGAIN: (WORD, WORDS_OR_END), v.INSTEAD: (CORRECTION,),
    **dict.fromkeys((v.OTHER, v.NOT_THAT, v.RESUME), (FINISHED,)),
}  # fmt: skip
_BEGIN: Rules = {**_steps(""), v.IF: (WORD, WORDS_OR_STEP + _IN_IF), **_ACT}
_NOT: Rules = {v.NOT_UNDERSTOOD: ()}
RULES: dict[str, Rules] = {
    v.PLAN: {**_BEGIN, **_NOT},
    **_of_steps(""),
    **_of_steps(_IN_IF),
    ELSE_STEP: _steps(""),
    CORRECTION: dict.fromkeys(v.PLACE.values(), (WORD, WORDS_OR_END)),
    WORDS_OR_END: {v.END: ()},
    FINISHED: {v.END: ()},
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
AFTER_WORD: dict[str, Slots] = {
    WORD: (), WORDS_OR_END: (WORDS_OR_END,), CORRECTION: (WORDS_OR_END,),
    **{
        slot + within: (after + within,)
        for within in ("", _IN_IF)
        for slot, after in (
            (WORDS_OR_STEP, WORDS_OR_STEP), (PLACED, WORDS_OR_STEP), (PAIRED, PAIRED), (LISTED, LISTED),
        )
    },
}  # fmt: skip
"""Slots that a copied word may fill, and those that are open then."""
_CONTROL_MASK = {
    slot: np.array([token in rules for token in CONTROL], np.bool_) for slot, rules in RULES.items()
}
_COPYING = np.array([token in v.NEEDS_PHRASE or token == v.MARKED for token in CONTROL], np.bool_)
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
        copies = bool(self._stack) and self._stack[-1] in AFTER_WORD
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
        if copied and slot in AFTER_WORD:
            self._stack += AFTER_WORD[slot]
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
