"""Whether words ask something of the robot, rather than tell it to do something."""

from __future__ import annotations

from mmrobot.vlm.words import words

_ANYWHERE = frozenset("what which who whose where how what's where's whats wheres".split())
_EARLY = frozenset(
    """is are was were does do did has have can could would will isn't aren't doesn't tell say describe
    identify read count name""".split()
)
_GREETINGS = frozenset(
    """hello hey hi robot so and now please excuse me um uh er ah ok okay well then also just you to i want
    need would like let""".split()
)


def is_question(text: str) -> bool:
    """By its mark or its words. Requests that sound so ("could you put ...?") are plans first: ask the
    model for one before this."""
    said = words(text)
    if not said:
        return False
    if text.rstrip().endswith("?") or not _ANYWHERE.isdisjoint(said):
        return True
    first = next((w for w in said if w not in _GREETINGS or w in _EARLY), "")
    return first in _EARLY
