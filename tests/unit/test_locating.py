"""A vessel under what was put in it is still there, though the model tells it no more."""

from __future__ import annotations

import pytest

from mmrobot import locating
from mmrobot.errors import TargetNotFoundError
from mmrobot.pipeline import Pipeline
from mmrobot.types import ActionPlan
from tests.support.fake_world import FakeWorld, draft, frame, thing

FLOOR_M = 0.006


def two_in_a_tray() -> tuple[Pipeline, FakeWorld, ActionPlan]:
    things = {
        "red": thing("red cube", 0.40, 0.20),
        "blue": thing("blue cube", 0.40, 0.10),
        "tray": thing("tray", 0.50, -0.15, (0.2, 0.16, 0.02), surface=FLOOR_M),
    }
    phrases = {"the red cube": ["red"], "the blue cube": ["blue"], "the tray": ["tray"]}
    world = FakeWorld(things, phrases)
    put = [("place", "in", "the tray")]
    world.answer_draft = draft(("pick", "the red cube"), *put, ("pick", "the blue cube"), *put)
    pipeline = Pipeline(world, lifter=world.lifter)
    return pipeline, world, pipeline.plan(frame(), "put both in the tray")


def second_place(heights_m: float | None, monkeypatch: pytest.MonkeyPatch, *, put: bool = True) -> object:
    """The second place, looked for when the tray is told no more; `put`: the first cube lies in it."""
    pipeline, world, plan = two_in_a_tray()
    del world.things["tray"]
    if put:
        world.things["red"] = thing("red cube", 0.50, -0.15, bottom=FLOOR_M)
    monkeypatch.setattr(locating, "height_at", lambda *_: heights_m)
    place = plan.steps[3]
    return pipeline.locate(frame(7), place, held=place.target)


def test_a_tray_whose_floor_is_seen_about_what_lies_in_it_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    step = second_place(FLOOR_M, monkeypatch)
    assert step.reference.position_m[:2] == (0.50, -0.15)  # type: ignore[attr-defined]
    assert step.reference.stamp_ns == 7  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("heights_m", "put"),
    [(0.0005, True), (None, True), (FLOOR_M, False)],
    ids=["table seen", "nothing seen", "nothing in it"],
)
def test_otherwise_it_is_gone(heights_m: float | None, put: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TargetNotFoundError, match="tray"):
        second_place(heights_m, monkeypatch, put=put)

