"""Words defined on the spot: "a dax is a white bar; put the dax in the bowl" says what a dax is.

The new word is replaced by what it stands for, so that no model has to know it. It counts as new because the
rest of the sentence uses it: "the cube is red, pick it up" defines nothing.
"""

from __future__ import annotations

import re

_ARTICLE = r"(?:an?|the|this|that|my|our)\s+"
_NAME = rf"(?:{_ARTICLE})?[\"']?(?P<name>[a-z]+)[\"']?"
_MEANING = rf"(?:{_ARTICLE})?(?P<meaning>[a-z0-9 -]+?)"
_END = r"\s*[;,.:!]+\s*(?:so |now |then |and )?(?P<rest>.+)"
_IS = r"(?:is|means|denotes|stands for|is called|is (?:a|another|my|our) (?:word|name) for|refers to)"
_FORMS = tuple(
    re.compile(form + _END, re.IGNORECASE | re.DOTALL)
    for form in (
        rf"{_NAME}\s+{_IS}\s+{_MEANING}",
        rf"by\s+{_NAME}\s+(?:i|we)\s+mean\s+{_MEANING}",
        rf"(?:let us|lets|let's|i|we)?\s*call\s+{_MEANING}\s+{_ARTICLE}(?P<name>[a-z]+)",
        rf"{_MEANING}\s+is\s+called\s+{_NAME}",
        rf"{_NAME}\s+is\s+what\s+(?:i|we)\s+call\s+{_MEANING}",
    )
)


def define(text: str) -> tuple[str, dict[str, str]]:
    """The text without its definition and with the word's meaning in its place, and what was defined.

    >>> define("A dax is a white bar; put the dax in the bowl")
    ('put the white bar in the bowl', {'dax': 'white bar'})
    >>> define("put the ball in the bowl")
    ('put the ball in the bowl', {})
    """
    for form in _FORMS:
        match = form.fullmatch(text.strip())
        if match is None:
            continue
        name, meaning, rest = (match[k].strip() for k in ("name", "meaning", "rest"))
        new = replaced(rest, {name.lower(): meaning.lower()})
        if new != rest and name.lower() not in meaning.lower().split():
            return new, {name.lower(): meaning.lower()}
    return text, {}


def replaced(text: str, known: dict[str, str]) -> str:
    """The text with each known word, or its plural, replaced by what it stands for."""
    for name, meaning in known.items():
        text = re.sub(rf"\b{re.escape(name)}\b", meaning, text, flags=re.IGNORECASE)
        text = re.sub(rf"\b{re.escape(name)}(?:s|es)\b", meaning + "s", text, flags=re.IGNORECASE)
    return text
