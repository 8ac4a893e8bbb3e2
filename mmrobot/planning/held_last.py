"""What is to stay in the hand is taken last: "pick up the cup, then put the ball in the bowl"."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from mmrobot.types import DraftStep

_TAKES = ("pick", "each", "swap", "push", "pyramid", "if")
_PRONOUNS = frozenset("it that this them".split())


def held_last(steps: Sequence[DraftStep]) -> tuple[DraftStep, ...]:
    """The steps with a thing that is picked up and not put down picked up after the others, which need the
    hand. As they are where a later step is about that thing, or is to hold another.

    >>> cup, ball = DraftStep("pick", "cup"), DraftStep("pick", "ball")
    >>> [s.target for s in held_last([cup, ball, DraftStep("place", None, "in", "bowl")])]
    ['ball', None, 'cup']
    """
    for i, (step, following) in enumerate(itertools.pairwise(steps)):
        later = steps[i + 1 :]
        if step.skill == "pick" and following.skill in _TAKES:
            if _ends_holding(later) or _concerns(step.target or "", later):
                return tuple(steps)
            return (*steps[:i], *later, step)
    return tuple(steps)


def _ends_holding(steps: Sequence[DraftStep]) -> bool:
    """Whether a thing is picked up by them and not put down."""
    for i, step in enumerate(steps):
        if step.skill == "if" and (_ends_holding(step.then) or _ends_holding(step.otherwise)):
            return True
        if step.skill == "pick" and (i + 1 == len(steps) or steps[i + 1].skill != "place"):
            return True
    return False


def _concerns(phrase: str, steps: Sequence[DraftStep]) -> bool:
    said = {phrase, *_PRONOUNS}
    return any(
        not said.isdisjoint({s.target, s.reference, *s.parts})
        or _concerns(phrase, s.then)
        or _concerns(phrase, s.otherwise)
        for s in steps
    )
