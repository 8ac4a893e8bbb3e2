"""Whether words ask something of the robot, rather than tell it to do something."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

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
_RELATIVE = frozenset("which who whose".split())
"""Question words that join as well: "the cylinder whose color is green"."""
_BEFORE_ASKING = frozenset("in on at of to from for with by under behind is are me us".split())
_MODALS = frozenset("can could will would".split())
_IN_PASSING = frozenset("please kindly maybe perhaps just now quickly possibly".split())
_PERCEIVES = frozenset(
    "see tell say describe read count find name identify know spot report check recognise explain".split()
)
"""What a person who begins with "can you" asks about; any other deed is asked for."""
_TAGS = frozenset("right correct true".split())
_ALIKE = 0.75


def is_question(text: str) -> bool:
    """By its mark or its words. Requests may sound so too ("is the cube for me?"): ask the model for a plan
    before this."""
    said = words(text)
    if not said or _requests(said):
        return False
    asks = any(_asks(word) and not _joins(said, i) for i, word in enumerate(said))
    if text.rstrip().endswith("?") or asks or said[-1] in _TAGS:
        return True
    if not _ASKED_FOR.isdisjoint(said[:_OPENING]):
        return True
    first = next((w for w in said if w not in _GREETINGS or w in _EARLY), "")
    return first in _EARLY


def _requests(said: Sequence[str]) -> bool:
    """ "Could you quickly put ...": a deed is asked for, and no answer."""
    rest = list(said)
    while rest and rest[0] in _GREETINGS - _MODALS:
        rest = rest[1:]
    if len(rest) < 3 or rest[0] not in _MODALS or rest[1] != "you":
        return False
    deed = next((w for w in rest[2:] if w not in _IN_PASSING), "")
    return bool(deed) and deed not in _PERCEIVES


def _joins(said: Sequence[str], i: int) -> bool:
    """Whether a word that might ask joins a noun with what is said of it."""
    before = said[i - 1] if i else ""
    return said[i] in _RELATIVE and i > 0 and before not in _GREETINGS | _EARLY | _BEFORE_ASKING


def _asks(word: str) -> bool:
    """Whether it is a question word, or one that was misspelt: it still begins with its letter."""
    near = difflib.get_close_matches(word, _ANYWHERE, 1, _ALIKE) if len(word) > 2 else []
    return bool(near) and near[0][0] == word[0]
