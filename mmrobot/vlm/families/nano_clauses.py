"""A long sentence clause by clause: "push the ball away and after that sort the cubes" says two things.

The model was trained on sentences of a few moves. Of a longer one each clause is read by itself too; that
counts where every clause is read more surely than the whole was. What is said of the second thing may lean
on the first ("then put it on the tray"): `joined` settles that, or says that it does not stand by itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from mmrobot.types import DraftStep
from mmrobot.vlm.words import words

_DONE = (
    r"(?:once|when|as\s+soon\s+as)\s+(?:(?:that|this|it|you)(?:\s+(?:is|are|have)|'s|s|'re|re|'ve|ve)\s+)?"
    r"(?:done|finished|ready)(?:\s+(?:with\s+)?(?:that|this|it|so))?"
)
_LATER = r"(?:(?:straight|right|directly|immediately)\s+)?(?:after\s+(?:that|this|which)|afterwards?)"
_JOINING = (
    r"(?:then|next|also|plus|finally|lastly|last|subsequently|thereafter|moreover|furthermore|please|"
    r"followed\s+by(?:\s+this)?|(?:having|after\s+(?:having\s+)?)\s*(?:done|doing)\s+(?:that|this|so)|"
    r"at\s+(?:the\s+end|last|which\s+point)|to\s+finish|in\s+addition|later(?:\s+on)?|from\s+there|"
    r"right\s+after|now|(?:step|task|number)\s+(?:two|2|three|3)|second(?:ly)?|third(?:ly)?|"
    rf"(?:the|your)\s+(?:second|next|last|other)\s+(?:task|job|thing|step)(?:\s+is(?:\s+to)?)?|{_DONE}|{_LATER})"
)
_MORE = r"(?:finally|lastly|also|please|and|at\s+last|now|then|you\s+(?:can|should|may))"
_BOUNDARY = re.compile(
    rf"\s*(?:[.;:]\s+(?:and\s+)?(?:{_JOINING}\b[\s,:]*)?|,?\s*\b(?:and\s+)?(?:only\s+)?{_JOINING}\b[\s,:]*)"
    rf"(?:{_MORE}\b[\s,:]*)*",
    re.IGNORECASE,
)
_AND = re.compile(r",?\s+and\s+|,\s+", re.IGNORECASE)
_OPENING = re.compile(
    r"^\s*(?:(?:two|three)\s+(?:things|tasks|jobs)\b[\s,:]*)?(?:(?:to\s+begin(?:\s+with)?|begin\s+with\s+this|"
    r"first(?:ly)?(?:\s+of\s+all)?|initially|(?:step|task|number)\s+(?:one|1))\b[\s,:]*)?",
    re.IGNORECASE,
)
_IT = frozenset("it that this them they those these".split())
_PRONOUNS = frozenset("it them they".split())
_LEANS = frozenset("one ones other others same".split())
_COUNTS = frozenset("least most exactly only than just every each any fewer more is there no".split())
_GOES_ON = frozenset("otherwise else only but or".split())
_ALONE = ("again", "other", "not_that", "instead", "resume")
_EARLY, _DEPTH, _SHORT = 3, 2, 6
_UNSURE = 0.6
"""Below this a sentence is also cut where it may go on with another thing, and whatever a clause leans on."""


@dataclass(frozen=True)
class Reading:
    """Steps, and the least probability among what was written for them; without steps not understood."""

    steps: tuple[DraftStep, ...]
    confidence: float


def by_clauses(text: str, whole: Reading, read: Callable[[str], Reading], depth: int = _DEPTH) -> Reading:
    """The surest reading of a text: the `whole`, or of its clauses one after the other."""
    best = whole
    if depth == 0 or len(words(text)) < _SHORT:
        return best
    for loosely in (False, True):
        if best is not whole or (loosely and whole.confidence >= _UNSURE):
            break
        for first, second in in_two(text, loosely):
            if takes_noun(second) and whole.confidence >= _UNSURE:
                continue
            before = read(first)
            if not before.steps or before.confidence <= best.confidence:
                continue
            after = by_clauses(second, read(second), read, depth - 1)
            if not after.steps or after.confidence <= best.confidence:
                continue
            steps = joined(before.steps, after.steps, second)
            if steps is not None:
                best = Reading(steps, min(before.confidence, after.confidence))
    return best


def in_two(text: str, loosely: bool = False) -> Iterator[tuple[str, str]]:
    """The text cut in two at each place where another thing begins, without the words that join them;
    `loosely`: where it may begin, at an "and" or a comma.

    >>> list(in_two("push the ball away and then pick up the cup"))
    [('push the ball away', 'pick up the cup')]
    """
    for found in (_AND if loosely else _BOUNDARY).finditer(text):
        first, second = _OPENING.sub("", text[: found.start()]).strip(), text[found.end() :].strip()
        if words(first) and words(second) and words(second)[0] not in _GOES_ON:
            yield first, second


def takes_noun(clause: str) -> bool:
    """Whether a clause may take a noun from the one before it: "then put the red one there"."""
    said = words(clause)
    return any(w in _LEANS and said[i - 1] not in _COUNTS for i, w in enumerate(said) if i)


def joined(
    first: Sequence[DraftStep], second: Sequence[DraftStep], clause: str = ""
) -> tuple[DraftStep, ...] | None:
    """The steps of two clauses one after the other; None where the second, whose words are `clause`, does not
    stand by itself."""
    if not first or not second or first[-1].skill == "if":
        return None
    if any(s.skill in _ALONE for s in (*first, *second)):
        return None
    begins_with_it = not _PRONOUNS.isdisjoint(words(clause)[:_EARLY])
    if begins_with_it and second[0].skill != "place" and second[0].target not in _IT:
        # "It" was taken for something that the clause itself names.
        return None
    moved = next((s for s in reversed(first) if s.target), None)
    last = moved.target if moved is not None and moved.skill in ("pick", "push") else None
    holds = first[-1].skill == "pick"
    if last is None and (second[0].skill == "place" or _says_it(second)):
        return None
    steps = [_named(s, last) for s in second]
    if steps[0].skill == "place" and not holds:
        # "... and then put it on the tray": it is picked up anew.
        steps.insert(0, DraftStep("pick", target=last, confidence=steps[0].confidence))
    elif holds and len(steps) > 1 and (steps[0].skill, steps[0].target) == ("pick", last):
        steps = steps[1:]
    return (*first, *steps)


def _says_it(steps: Sequence[DraftStep]) -> bool:
    return any(p in _IT for s in steps for p in (s.target, s.reference))


def _named(step: DraftStep, last: str | None) -> DraftStep:
    """The step with "it" by its name."""
    return replace(
        step,
        target=last if step.target in _IT else step.target,
        reference=last if step.reference in _IT else step.reference,
    )
