"""Whether words ask something of the robot, rather than tell it to do something."""

from __future__ import annotations

import difflib

from mmrobot.vlm.words import words

_ANYWHERE = frozenset("what which who whose where how what's where's whats wheres".split())
_EARLY = frozenset(
    """is are was were does do did has have can could would will isn't aren't doesn't tell say describe
    identify read count name report check find list wonder know""".split()
)
_GREETINGS = frozenset(
    """hello hey hi robot so and now please excuse me um uh er ah ok okay well then also just you to i want
    need would like let quick question""".split()
)
_ASKED_FOR = frozenset("number total amount count color colour shape size kind name".split())
_OPENING = 6
"""So early "the number of cubes" is what is wanted, not a word about what is to be moved."""
_TAGS = frozenset("right correct true".split())
_ALIKE = 0.75


def is_question(text: str) -> bool:
    """By its mark or its words. Requests that sound so ("could you put ...?") are plans first: ask the
    model for one before this."""
    said = words(text)
    if not said:
        return False
    if text.rstrip().endswith("?") or any(_asks(word) for word in said) or said[-1] in _TAGS:
        return True
    if not _ASKED_FOR.isdisjoint(said[:_OPENING]):
        return True
    first = next((w for w in said if w not in _GREETINGS or w in _EARLY), "")
    return first in _EARLY


def _asks(word: str) -> bool:
    """Whether it is a question word, or one that was misspelt: it still begins with its letter."""
    near = difflib.get_close_matches(word, _ANYWHERE, 1, _ALIKE) if len(word) > 2 else []
    return bool(near) and near[0][0] == word[0]
