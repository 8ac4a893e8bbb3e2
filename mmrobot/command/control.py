"""Words about the task itself, told without a model: go on, undo, approve, and what is to come after it."""

from __future__ import annotations

import re

from mmrobot.vlm.words import words

_PADDING = frozenset("please robot now ok okay yes alright thanks thank you and just then so well".split())
_GO_ON = frozenset(
    (
        "go on|continue|resume|carry on|proceed|keep going|go ahead|keep on|go on with it|continue with it|"
        "carry on with it|you can go on|you may go on|you can continue|resume it|as you were"
    ).split("|")
)
_UNDO = frozenset(
    (
        "undo|undo it|undo that|undo this|undo the last step|undo the last move|undo the last one|"
        "take it back|take that back|revert|revert that|revert it"
    ).split("|")
)
_APPROVE = frozenset("approve approved accept accepted confirm confirmed".split())
_REJECT = frozenset("reject rejected decline declined deny denied".split())
_ABOUT = frozenset("it that this the plan i".split())

# "Then the ball" answers, or corrects; "then put ..." comes after.
_AFTER = re.compile(
    r"""^\s*(?:(?:and|ok|okay|please)[\s,]+)*
    (?:
        (?:then|afterwards?|next(?!\s+to\b))
        |after\s+(?:that|this)
        |(?:when|once|as\s+soon\s+as)\s+(?:you\s+(?:are|have)|you're|you've|that\s+is|that's|it\s+is|it's)
         \s+(?:done|finished|ready|through|over)(?:\s+with\s+(?:that|this|it))?
    )[\s,:;]+(?P<rest>(?!(?:the|a|an)\s)\S.*)$""",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
_READ_CHARACTERS = 400


def goes_on(text: str) -> bool:
    """Whether words tell only to go on.

    >>> goes_on("OK, go on please"), goes_on("go on with the green cube")
    (True, False)
    """
    return _bare(text) in _GO_ON


def undoes(text: str) -> bool:
    """Whether words ask only that what was done last be undone.

    >>> undoes("undo that, please"), undoes("undo the red cube")
    (True, False)
    """
    return _bare(text) in _UNDO


def decides(text: str) -> bool | None:
    """Whether words approve (True) or reject (False) a plan, and nothing else.

    >>> decides("approve"), decides("I reject the plan"), decides("yes")
    (True, False, None)
    """
    said = [w for w in words(text[:_READ_CHARACTERS]) if w not in _PADDING | _ABOUT]
    if len(said) != 1:
        return None
    return True if said[0] in _APPROVE else False if said[0] in _REJECT else None


def queued(text: str) -> str | None:
    """What is to be done after the task under way, where words say that it is; else None.

    >>> queued("then put the ball in the bowl"), queued("put the ball in the bowl, then go home")
    ('put the ball in the bowl', None)
    """
    found = _AFTER.match(text[:_READ_CHARACTERS])
    return None if found is None or len(text) > _READ_CHARACTERS else found["rest"].strip()


def _bare(text: str) -> str:
    said = list(words(text[:_READ_CHARACTERS]))
    while said and said[0] in _PADDING:
        said = said[1:]
    while said and said[-1] in _PADDING:
        said = said[:-1]
    return " ".join(said)
