"""The table in the planner's mind: what the picture shows, and where things stand by the time of each
step."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

from mmrobot.errors import TargetNotFoundError
from mmrobot.planning.nouns import named
from mmrobot.planning.referents import box_iou, leaves_choice, not_found, the_one
from mmrobot.planning.relative_size import clearly, without_size
from mmrobot.types import GroundedObject, Vector3

Find = Callable[[str], Sequence[GroundedObject]]

_PRONOUNS = frozenset({"it", "that", "this", "them", "that one", "this one"})
_OTHER = frozenset({"other", "remaining"})
_UNSAID = frozenset({"the", "a", "an"})
_ONE_BOX_IOU, _SAME_BOX_IOU = 0.8, 0.5
_SAME_PLACE_M = 0.015
_SIZE_TOLERANCE = 0.35


def same_thing(a: GroundedObject, b: GroundedObject) -> bool:
    """Whether two groundings in one picture are of one thing."""
    overlap = box_iou(a.box_xyxy, b.box_xyxy)
    if overlap > _ONE_BOX_IOU:
        return True
    # A cup in the middle of a tray, or a bar across a plate, is another thing; so is the upper of two cubes.
    at_one_place = math.dist(a.position_m, b.position_m) < _SAME_PLACE_M
    return (overlap > _SAME_BOX_IOU or at_one_place) and like_size(a, b)


def like_size(a: GroundedObject, b: GroundedObject) -> bool:
    """Whether two sizes agree within what depth noise and other sides to the camera do."""
    pairs = zip(sorted(a.size_m[:2]) + [a.size_m[2]], sorted(b.size_m[:2]) + [b.size_m[2]], strict=True)
    return all(abs(p - q) <= _SIZE_TOLERANCE * max(p, q) for p, q in pairs)


def no_larger(a: GroundedObject, b: GroundedObject) -> bool:
    """Whether `a` may be `b`, half hidden: no side of it is longer, but for depth noise."""
    pairs = zip(sorted(a.size_m[:2]) + [a.size_m[2]], sorted(b.size_m[:2]) + [b.size_m[2]], strict=True)
    return all(p <= (1 + _SIZE_TOLERANCE) * q for p, q in pairs)


def distance_m(a: Vector3, b: Vector3) -> float:
    """Distance over the table, without height."""
    return ((a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2) ** 0.5


def excludes_last(phrase: str) -> str | None:
    """ "Cube" for "the other cube": what is meant besides the thing last spoken of; None for other
    phrases."""
    said = [w for w in phrase.lower().split() if w not in _UNSAID]
    return " ".join(said[1:]) if len(said) > 1 and said[0] in _OTHER else None


class Table:
    """Things by index. `find` grounds a phrase; `recent` is what was spoken of before these words."""

    def __init__(
        self,
        find: Find,
        things: Sequence[GroundedObject],
        held: GroundedObject | None = None,
        recent: GroundedObject | None = None,
    ) -> None:
        self._find = find
        self._seen = tuple(things)  # by the model's own names
        self.original: list[GroundedObject] = list(things)  # as the picture shows them
        self.now: list[GroundedObject] = list(things)  # as they will be by then; same order
        self.held: int | None = None if held is None else self.index_of(held)
        # What "it" means.
        self.last: int | None = self.held if recent is None or held is not None else self.index_of(recent)

    def one(self, phrase: str, likely: Callable[[GroundedObject], bool] | None = None) -> int:
        """The thing that a phrase means; of several that fit it those that are `likely`, if any are. Raises
        TargetNotFoundError, AmbiguousError."""
        if phrase.lower().strip() in _PRONOUNS and self.last is not None:
            return self.last
        besides = excludes_last(phrase)
        candidates = list(self._find(phrase)) if besides is None else self._besides_last(besides)
        if not candidates and (plain := without_size(phrase)) is not None:
            candidates = [replace(c, label=phrase) for c in clearly(phrase, self._find(plain))]
        if self.held is not None and (len(candidates) > 1 or leaves_choice(phrase)):
            # What is in the hand cannot be a second referent; alone, it is reported as the same thing.
            candidates = [c for c in candidates if not same_thing(c, self.original[self.held])] or candidates
        if likely is not None and len(candidates) > 1:
            candidates = [c for c in candidates if likely(c)] or candidates
        names = [self.name_of(c) for c in candidates]
        return self.index_of(the_one(phrase, candidates, self._labels(), names))

    def _besides_last(self, phrase: str) -> list[GroundedObject]:
        """Those that a phrase means but what was last spoken of.

        Where a thing of exactly that kind is not left, what follows its noun is dropped, then adjectives one
        by one: the other one beside the red cube is a cube."""
        name = named(phrase)
        shorter = [" ".join(name[start:]) for start in range(len(name))]
        for said in dict.fromkeys([phrase, *shorter]):
            found = self._find(said)
            left = [c for c in found if self.last is None or not same_thing(c, self.original[self.last])]
            if left:
                return left
        return []

    def all(self, phrase: str) -> list[int]:
        """Every thing that a phrase means, each once, by the model's own names. Raises
        TargetNotFoundError."""
        found = [replace(c, label=self.name_of(c) or phrase) for c in self._find(phrase)]
        indices = list(dict.fromkeys(self.index_of(c) for c in found))
        if not indices:
            raise not_found(phrase, self._labels())
        return indices

    def missing(self, phrase: str) -> TargetNotFoundError:
        """The error for a phrase that nothing is left of."""
        return not_found(phrase, self._labels())

    def move(self, i: int, goal: Vector3) -> None:
        """The thing stands on `goal` by then."""
        x, y, z = goal
        height = self.now[i].size_m[2]
        self.now[i] = replace(self.now[i], position_m=(x, y, z + height / 2), surface_z_m=z + height)

    def others(self, *indices: int) -> tuple[GroundedObject, ...]:
        """All but those, and but what the hand holds."""
        return tuple(o for k, o in enumerate(self.now) if k not in indices and k != self.held)

    def index_of(self, thing: GroundedObject) -> int:
        """Where a grounding stands in the lists; added when it is new. The phrase becomes its label."""
        matches = [i for i, o in enumerate(self.original) if same_thing(o, thing)]
        if not matches:
            self.original.append(thing)
            self.now.append(thing)
            return len(self.now) - 1
        i = max(matches, key=lambda k: box_iou(self.original[k].box_xyxy, thing.box_xyxy))
        moved = self.now[i].position_m != self.original[i].position_m
        # A thing not yet moved is better known by its own grounding than by the overview's.
        self.now[i] = replace(self.now[i], label=thing.label, score=thing.score) if moved else thing
        if not moved:
            self.original[i] = thing
        return i

    def name_of(self, thing: GroundedObject) -> str:
        """What the model calls it, "" where it has no name for it."""
        return next((o.label for o in self._seen if same_thing(o, thing)), "")

    def _labels(self) -> list[str]:
        return [o.label for o in self.original]
