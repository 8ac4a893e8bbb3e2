"""What the hand holds when a skill ends half way."""

from __future__ import annotations

import pytest

from mmrobot.errors import ErrorCode
from mmrobot.execution.events import EventKind, RunnerEvent
from mmrobot.execution.hand import HandFollower
from mmrobot.types import GroundedObject, PlanStep
from tests.support.fake_world import bowl, thing

CUBE = thing("red cube", 0.4, 0.2)
PICK = PlanStep(0, "pick", CUBE)
PLACE = PlanStep(1, "place", CUBE, "in", bowl("bowl", 0.5, -0.1), (0.5, -0.1, 0.006))


class Memory:
    """The part of a runner that is told."""

    def __init__(self, held: GroundedObject | None) -> None:
        self.held = held

    def remember_held(self, thing: GroundedObject) -> None:
        self.held = thing

    def forget_held(self) -> None:
        self.held = None


@pytest.mark.parametrize(
    ("step", "phases", "before", "after"),
    [
        (PICK, ("approach", "close", "lift", "rise"), None, CUBE),
        (PICK, ("approach", "close", "lift"), None, CUBE),
        (PICK, ("approach", "close", "lift", "release", "observe"), None, None),
        (PICK, ("approach",), None, None),
        (PLACE, ("carry", "lower", "release", "retreat"), CUBE, None),
        (PLACE, ("carry",), CUBE, CUBE),
    ],
)
def test_a_stop_half_way_leaves_the_hand_known(
    step: PlanStep,
    phases: tuple[str, ...],
    before: GroundedObject | None,
    after: GroundedObject | None,
) -> None:
    memory = Memory(before)
    hand = HandFollower(memory)  # type: ignore[arg-type]
    hand.follow(RunnerEvent(EventKind.STEP_STARTED, 0.0, step.summary, 0, step))
    for phase in phases:
        hand.follow(RunnerEvent(EventKind.PHASE, 0.0, phase, 0, step))
    hand.follow(RunnerEvent(EventKind.STOPPED, 0.0, "stop", 0, step, ErrorCode.STOPPED))
    assert memory.held is after
