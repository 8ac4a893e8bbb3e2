"""The person of an episode: says truthfully whether what the robot read back is what was said."""

from __future__ import annotations

from collections.abc import Sequence

from mmrobot.tabletop.language import Kind, Thing, referents, things_of
from mmrobot.tabletop.language.lexicon import COLOR_WORDS, GENERIC_WORDS, NOUNS, SIZE_WORDS
from mmrobot.tabletop.plan_meaning import Meaning, meaning_of_draft, spoken
from mmrobot.tabletop.scene import Scene
from mmrobot.types import PlanDraft

_FLAT = frozenset("tray trays plate plates".split())
_EMPTY = frozenset(
    "is are that which whose who has have having of color colour colored coloured painted looking my your "
    "this these those please".split()
)
_SHAPES = {name: shapes for shapes, (nouns, _) in NOUNS.items() for forms in nouns for name in forms}
_COLORS = {name: color for color, (words, _) in COLOR_WORDS.items() for (name,) in words}
_SIZES = {name: size for size, (words, _) in SIZE_WORDS.items() for (name,) in words}


def agrees(read: PlanDraft, meant: Meaning, scene: Scene) -> bool:
    """Whether a draft does what was meant: the same acts in the same order, where order matters, each with
    the same words, but for those that say nothing of a thing, or with others that name the same things by
    colour, shape and size. What is put in a tray or a plate is put on it."""
    got, meant = meaning_of_draft(read.steps), spoken(meant)
    if not meant or len(got) != len(meant):
        return False
    things = things_of(scene)
    return all(_like(a, b) and _same(a[1], b[1], things) for a, b in zip(got, meant, strict=True))


def _like(read: tuple[str, str], said: tuple[str, str]) -> bool:
    """Whether two acts are the same, whatever with."""
    if _FLAT.isdisjoint(said[1].split()):
        return read[0] == said[0]
    one, other = (["on" if w == "in" else w for w in what.split()] for what in (read[0], said[0]))
    return one == other


def _same(read: str, said: str, things: Sequence[Thing]) -> bool:
    if _bare(read) == _bare(said):
        return True
    first, second = _by_attributes(read), _by_attributes(said)
    if first is None or second is None:
        return False
    named = referents(first, things)
    return bool(named) and named == referents(second, things)


def _bare(phrase: str) -> list[str]:
    return [w for w in phrase.split() if w not in _EMPTY]


def _by_attributes(phrase: str) -> Kind | None:
    """What words of colour, size and one noun mean; None where there are others."""
    *before, noun = phrase.split() or [""]
    color = size = None
    for word in before:
        if color is None and word in _COLORS:
            color = _COLORS[word]
        elif size is None and word in _SIZES:
            size = _SIZES[word]
        else:
            return None
    if noun not in _SHAPES and noun not in GENERIC_WORDS:
        return None
    return Kind(_SHAPES.get(noun), color, size)
