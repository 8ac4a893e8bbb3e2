"""One picture that is looked at: the things in it, and what a phrase names there, in metres of the base."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from mmrobot.config import Config
from mmrobot.errors import AmbiguousError, NoDepthError
from mmrobot.planning.planner import distance_m, like_size
from mmrobot.planning.referents import describe_places, not_found, present
from mmrobot.types import GroundedObject, RgbdFrame, ScoredBox, Vector3
from mmrobot.vlm.interface import VisionLanguageModel

# One picture's geometry is worked out once, with the boxes of all that is seen, since things may touch;
# then boxes of it become things.
Lift = Callable[[ScoredBox], GroundedObject]
Lifter = Callable[[RgbdFrame, Sequence[ScoredBox]], Lift]


class Look:
    """What the model and the geometry tell of one frame. `things` are all that lie on or near the work area;
    those that cannot be located are left out."""

    def __init__(
        self, frame: RgbdFrame, vlm: VisionLanguageModel, lifter: Lifter, config: Config
    ) -> None:
        """Raises TransformUnavailableError and errors of the model."""
        self.frame, self.config = frame, config
        self.timings_ms: dict[str, float] = {}
        self._vlm = vlm
        with timed(self.timings_ms, "describe"):
            boxes = vlm.describe(frame.rgb) if "describe" in vlm.operations else ()
        with timed(self.timings_ms, "geometry"):
            self._lift = lifter(frame, boxes)
            self.things = self._located(boxes)

    def holds(self, claim: str) -> float:
        """The probability that a statement is true of the picture."""
        return self._vlm.verify(self.frame.rgb, claim)

    def _located(self, boxes: Sequence[ScoredBox]) -> tuple[GroundedObject, ...]:
        things: list[GroundedObject] = []
        for box in boxes:
            try:
                things.append(self._lift(box))
            except NoDepthError:
                continue  # not a target, only an obstacle that cannot be placed in space
        return tuple(t for t in things if self._in_reach(t.position_m))

    def find(self, phrase: str) -> list[GroundedObject]:
        """What a phrase names, lifted, on or near the work area; best first.

        Raises NoDepthError when it names something and nothing of that can be located.
        """
        with timed(self.timings_ms, "ground"):
            boxes = present(self._vlm.ground(self.frame.rgb, phrase), self.config.grounding)
        things: list[GroundedObject] = []
        failure: NoDepthError | None = None
        with timed(self.timings_ms, "lift"):
            for box in boxes:
                try:
                    things.append(replace(self._lift(box), label=phrase))
                except NoDepthError as error:
                    failure = error
        if failure is not None and not things:
            raise failure
        return [t for t in things if self._in_reach(t.position_m)]

    def again(self, known: GroundedObject) -> GroundedObject:
        """A known thing in this picture.

        The phrase is grounded anew. Who answers to it and stands where the thing was is it; else the
        only one who answers, wherever it stands now. A phrase may fit no longer because of what the
        plan did ("the leftmost cube"): then a thing of its size in its place is it.

        Raises TargetNotFoundError, AmbiguousError, NoDepthError.
        """
        limits = self.config.grounding
        found = self.find(known.label)
        near = [f for f in found if distance_m(f.position_m, known.position_m) <= limits.same_place_m]
        if near:
            return min(near, key=lambda f: distance_m(f.position_m, known.position_m))
        staying = [
            t
            for t in self.things
            if distance_m(t.position_m, known.position_m) <= limits.same_place_m and like_size(t, known)
        ]
        if staying and not found:
            best = min(staying, key=lambda t: distance_m(t.position_m, known.position_m))
            return replace(best, label=known.label, score=max(best.score, limits.threshold))
        if len(found) == 1:
            return found[0]
        if not found:
            raise not_found(known.label, [t.label for t in self.things])
        described = describe_places(known.label, found)
        raise AmbiguousError(
            f"'{known.label}' has gone from where it was, and {len(found)} things fit: "
            f"{'; '.join(described)}",
            "say which one is meant",
            candidates=described,
        )

    def _in_reach(self, position_m: Vector3) -> bool:
        margin = self.config.grounding.outside_margin_m
        return self.config.work_area.contains(position_m[0], position_m[1], margin)


@contextmanager
def timed(timings: dict[str, float], stage: str) -> Iterator[None]:
    """Adds the wall time of its body to a stage, milliseconds."""
    begin = time.perf_counter()
    try:
        yield
    finally:
        timings[stage] = timings.get(stage, 0.0) + (time.perf_counter() - begin) * 1000
