"""Answers: to "which one?", "the left one" of "the red cube" is "the left red cube"; to "did you mean?"."""

from __future__ import annotations

from mmrobot.vlm.words import words

_COURTESY = frozenset(
    "please thanks thank you no yes well um uh er i mean meant want it's its it is was that's ok okay".split()
)
_ARTICLES = frozenset("the a an any some that this".split())
_AFTER = frozenset(
    """on at in by near next behind beside under above left-most closest nearest furthest farthest to with
    between further closer""".split()
)
_ONE = frozenset({"one", "ones"})
_FIRST = frozenset(
    """left right leftmost rightmost middle front back first second third last big bigger biggest large larger
    largest small smaller smallest red green blue yellow orange purple white black cyan pink brown grey gray
    near far other upper lower one""".split()
)

# Who says these asks for a move of their own, even where the words begin as an answer would.
_MOVING = frozenset(
    """into onto goes go belongs belong put place move pick stack push swap instead too also back should
    must""".split()
)


_AGREES = frozenset("yes yeah yep yup sure right correct exactly ok okay do ahead".split())
_YES = _AGREES | frozenset("indeed it that that's go".split())
_NO = frozenset("no nope not wrong nah don't dont".split())


def yes_or_no(text: str) -> bool | None:
    """Whether an answer says yes or no and nothing else; None where it says something of its own.

    >>> yes_or_no("yes please"), yes_or_no("No."), yes_or_no("no, the green one")
    (True, False, None)
    """
    said = [w for w in words(text) if w not in ("please", "thanks", "thank", "you", "robot", "is")]
    if said and not _AGREES.isdisjoint(said) and _YES.issuperset(said):
        return True
    if said and not _NO.isdisjoint(said) and (_NO | {"that", "that's", "it"}).issuperset(said):
        return False
    return None


def _bare(text: str) -> list[str]:
    said = list(words(text))
    while said and said[0] in _COURTESY:
        said = said[1:]
    while said and said[-1] in _COURTESY:
        said = said[:-1]
    return said


def names_thing(text: str) -> bool:
    """Whether a reply names a thing or tells it from others, so that it may answer a question. A whole
    command
    is none, though it may begin with a thing: "the red cube into the bowl"."""
    said = _bare(text)
    return (
        bool(said)
        and _MOVING.isdisjoint(said)
        and (said[0] in _ARTICLES or said[0] in _AFTER or said[0] in _FIRST)
    )


def narrowed(phrase: str, answer: str) -> str:
    """The phrase with what the answer adds; an answer with a noun of its own stands for itself.

    >>> narrowed("the red cube", "the one on the left, please")
    'the red cube on the left'
    >>> narrowed("a cube", "red")
    'the red cube'
    """
    thing = [w for w in words(phrase) if w not in _ARTICLES]
    said = _bare(answer)
    at = next((i for i, w in enumerate(said) if w in _ONE), None)
    if at is not None:
        before = [w for w in said[:at] if w not in _ARTICLES]
        return " ".join(["the", *before, *(w for w in thing if w not in before), *said[at + 1 :]])
    if said and said[0] in _AFTER:
        return " ".join(["the", *thing, *said])
    own = [w for w in said if w not in _ARTICLES]
    if own and all(w in _FIRST for w in own):
        return " ".join(["the", *own, *(w for w in thing if w not in own)])
    return " ".join(said)
