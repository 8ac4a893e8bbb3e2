"""Where a phrase names its thing: "cube" of "the red cube on the left" and of "a cube that is red"."""

from __future__ import annotations

_ENDS_NAME = frozenset(
    """that thats which whose who having of with in on at to near next beside behind under left right from
    marked labelled labeled closest nearest furthest farthest standing lying sitting by inside but""".split()
)
_UNSAID = frozenset({"the", "a", "an", "other"})
ANY_NOUN = frozenset({"one", "thing", "object"})
"""Nouns of whatever there is."""


def named(phrase: str) -> list[str]:
    """The words up to the noun, without articles.

    >>> named("the other red cube that is small")
    ['red', 'cube']
    >>> named("the orange one of the balls")
    ['orange', 'balls']
    """
    said = [word for word in phrase.lower().split() if word not in _UNSAID]
    end = next((k for k, word in enumerate(said) if k and word in _ENDS_NAME), len(said))
    if said[end - 1 : end] == ["one"] and said[end : end + 1] == ["of"] and said[end + 1 :]:
        return said[: end - 1] + named(" ".join(said[end + 1 :]))
    return said[:end]
