"""A table in thought, for tests: things with places, a model that answers from a table of phrases, a lift
that needs no depth. One pixel is one millimetre: column = 320 - 1000 y, row = 480 - 1000 (x - 0.2).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from mmrobot.types import CameraModel, DraftStep, GroundedObject, PlanDraft, RgbdFrame, ScoredBox

CAMERA = CameraModel(640, 480, 600.0, 600.0, 319.5, 239.5)


def thing(
    label: str,
    x: float,
    y: float,
    size: tuple[float, float, float] = (0.04, 0.04, 0.04),
    *,
    bottom: float = 0.0,
    surface: float | None = None,
    score: float = 0.95,
    yaw: float = 0.0,
    stamp_ns: int = 0,
) -> GroundedObject:
    """A grounded object that stands at (x, y)."""
    column, row = 320 - 1000 * y, 480 - 1000 * (x - 0.2)
    half = 500 * size[0], 500 * size[1]
    return GroundedObject(
        label=label,
        box_xyxy=(column - half[1], row - half[0], column + half[1], row + half[0]),
        score=score,
        position_m=(x, y, bottom + size[2] / 2),
        size_m=size,
        yaw_rad=yaw,
        surface_z_m=bottom + size[2] if surface is None else surface,
        covariance=np.eye(3) * 1e-6,
        stamp_ns=stamp_ns,
    )


def bowl(label: str, x: float, y: float, **more: float) -> GroundedObject:
    """A hollow thing: its surface is its floor."""
    return thing(label, x, y, (0.16, 0.16, 0.055), surface=0.006, **more)  # type: ignore[arg-type]


def frame(stamp_ns: int = 0, *, depth: bool = True) -> RgbdFrame:
    """An empty picture; the fakes do not look at it."""
    depth_m = np.ones((480, 640), np.float32) if depth else None
    return RgbdFrame(np.zeros((480, 640, 3), np.uint8), depth_m, CAMERA, np.eye(4), stamp_ns)


def draft(*steps: tuple[str, ...], **more: str) -> PlanDraft:
    """Steps such as ("pick", "the red cube"), ("place", "in", "the bowl"), ("say", "hello"), ("home",)."""
    made = []
    for skill, *rest in steps:
        names = {"pick": ["target"], "place": ["relation", "reference"], "say": ["text"], "home": []}
        made.append(DraftStep(skill, **dict(zip(names.get(skill, []), rest, strict=False))))
    return PlanDraft(tuple(made), **more)


@dataclass
class FakeWorld:
    """Things by key, and which things each phrase names. A VisionLanguageModel and a lift in one."""

    things: dict[str, GroundedObject]
    phrases: dict[str, Sequence[str]]
    answer_draft: PlanDraft = field(default_factory=lambda: PlanDraft(()))
    asked: list[str] = field(default_factory=list)
    name: str = "fake-1"
    operations: frozenset[str] = frozenset({"ground", "plan", "describe"})

    def ground(self, image_rgb: NDArray[np.uint8], phrase: str) -> tuple[ScoredBox, ...]:
        self.asked.append(phrase)
        return tuple(self._box(self.things[k]) for k in self.phrases.get(phrase, ()) if k in self.things)

    def plan(self, image_rgb: NDArray[np.uint8], instruction: str, dialogue: Sequence[str] = ()) -> PlanDraft:
        return self.answer_draft

    def describe(self, image_rgb: NDArray[np.uint8]) -> tuple[ScoredBox, ...]:
        return tuple(self._box(t) for t in self.things.values())

    def verify(self, image_rgb: NDArray[np.uint8], statement: str) -> float:
        raise AssertionError("not asked for in these tests")

    def answer(self, image_rgb: NDArray[np.uint8], question: str) -> str:
        raise AssertionError("not asked for in these tests")

    def lifter(
        self, frame: RgbdFrame, boxes: Sequence[ScoredBox] = ()
    ) -> Callable[[ScoredBox], GroundedObject]:
        def lift(box: ScoredBox) -> GroundedObject:
            found = min(
                self.things.values(), key=lambda t: float(np.abs(np.subtract(t.box_xyxy, box.box_xyxy)).sum())
            )
            return replace(found, score=box.score, stamp_ns=frame.stamp_ns)

        return lift

    def move(self, key: str, x: float, y: float) -> None:
        old = self.things[key]
        self.things[key] = thing(old.label, x, y, old.size_m, surface=old.surface_z_m, score=old.score)

    @staticmethod
    def _box(t: GroundedObject) -> ScoredBox:
        return ScoredBox(t.label, t.box_xyxy, t.score)
