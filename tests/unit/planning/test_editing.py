"""A person's changes to a plan that waits, and undoing: both become drafts, bound to the very things."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mmrobot.conversation import Conversation
from mmrobot.errors import NotUnderstoodError, StaleError, TargetNotFoundError
from mmrobot.pipeline import Pipeline
from mmrobot.planning.editing import Change, edited
from mmrobot.pointing import pointed_spot, pointed_thing
from mmrobot.types import ActionPlan, Pointing, RgbdFrame
from tests.support.fake_world import CAMERA, FakeWorld, bowl, draft, frame, thing

LEFT, RIGHT = thing("red cube", 0.40, 0.20), thing("red cube", 0.40, -0.25)
GREEN, BOWL = thing("green cube", 0.32, 0.05), bowl("bowl", 0.52, -0.02)
THINGS = {"left": LEFT, "right": RIGHT, "green": GREEN, "bowl": BOWL}
PHRASES = {
    "the red cubes": ["left", "right"],
    "red cube": ["left", "right"],
    "red cube on the left": ["left"],
    "red cube on the right": ["right"],
    "the red cube on the left": ["left"],
    "the red cube on the right": ["right"],
    "the green cube": ["green"],
    "green cube": ["green"],
    "the bowl": ["bowl"],
    "bowl": ["bowl"],
}


class Table(FakeWorld):
    """Plans what the test says."""

    said = draft()

    def plan(self, image_rgb, instruction, dialogue=()):
        self.heard = instruction
        return self.said


def talk() -> tuple[Conversation, Table]:
    world = Table(dict(THINGS), dict(PHRASES))
    return Conversation(Pipeline(world, lifter=world.lifter)), world


def both_in_bowl() -> tuple[Conversation, Table, ActionPlan]:
    conversation, world = talk()
    world.said = draft(
        ("pick", "the red cube on the left"), ("place", "in", "the bowl"),
        ("pick", "the red cube on the right"), ("place", "in", "the bowl"),
    )  # fmt: skip
    plan = conversation.respond(frame(), "put the red cubes in the bowl")
    assert isinstance(plan, ActionPlan)
    return conversation, world, plan


def told(plan: ActionPlan) -> list[tuple[str, float]]:
    return [(s.skill, round((s.target or s.reference).position_m[1], 2)) for s in plan.steps if s.target]


def test_a_pick_that_is_dropped_takes_its_place_along() -> None:
    conversation, _, plan = both_in_bowl()
    made = conversation.edit(frame(), plan, [2, 3])
    assert [s.skill for s in made.steps] == ["pick", "place"]
    assert made.steps[0].target.position_m == RIGHT.position_m
    assert made.digest != plan.digest and made.plan_id != plan.plan_id
    assert [s.skill for s in conversation.edit(frame(), plan, [1, 2, 3]).steps] == ["pick", "place"]


def test_steps_in_another_order() -> None:
    conversation, _, plan = both_in_bowl()
    made = conversation.edit(frame(), plan, [2, 3, 0, 1])
    assert [s.target.position_m[1] for s in made.steps if s.skill == "pick"] == [-0.25, 0.20]


def test_another_thing_by_phrase_and_by_pointing() -> None:
    conversation, _, plan = both_in_bowl()
    made = conversation.edit(frame(), plan, [0, 1], [Change(0, "target", "the green cube")])
    assert made.steps[0].target.position_m == GREEN.position_m
    assert made.steps[1].reference.label == "bowl"
    made = conversation.edit(frame(), plan, [0, 1], [Change(0, "target", thing=RIGHT)])
    assert made.steps[0].target.position_m == RIGHT.position_m


def test_things_of_one_name_keep_names_that_tell_them_apart() -> None:
    _, _, plan = both_in_bowl()
    cubes = [replace(s, target=replace(s.target, label="red cube")) for s in plan.steps if s.skill == "pick"]
    changed, _ = edited(replace(plan, steps=tuple(replace(s, index=i) for i, s in enumerate(cubes))))
    assert [s.target for s in changed.steps] == ["red cube on the left", "red cube on the right"]


@pytest.mark.parametrize(
    ("keep", "changes", "why"),
    [
        ([7], (), "none of index 7"),
        ([0, 0], (), "twice"),
        ([1], (), "no step is left"),
        ((), (Change(9, "target", "x"),), "none of index 9"),
        ((), (Change(0, "reference", "the bowl"),), "has no reference"),
        ((), (Change(1, "target", "the bowl"),), "picked before"),
    ],
)
def test_changes_that_make_no_plan_are_refused(keep, changes, why: str) -> None:
    _, _, plan = both_in_bowl()
    with pytest.raises(NotUnderstoodError, match=why):
        edited(plan, keep, changes)


def test_a_change_names_something() -> None:
    with pytest.raises(ValueError, match="names no other"):
        Change(0, "target")


def test_undo_takes_the_moves_back_in_the_opposite_order() -> None:
    conversation, world, _ = both_in_bowl()
    world.move("left", 0.52, 0.02)
    world.move("right", 0.52, -0.06)
    # As things lie by then, wherever the plan meant them to.
    for (now, _), key in zip(conversation._last, ("left", "right"), strict=True):
        moved = thing("red cube", *now.position_m[:2], bottom=now.bottom_z_m)
        world.things[key] = moved
    back = conversation.respond(frame(), "undo that")
    picks = [s.target.position_m for s in back.steps if s.skill == "pick"]
    goals = [s.goal_position_m[:2] for s in back.steps if s.skill == "place"]
    assert picks == [world.things["right"].position_m, world.things["left"].position_m]
    assert np.allclose(goals, [RIGHT.position_m[:2], LEFT.position_m[:2]], atol=0.02)


def test_nothing_to_undo() -> None:
    conversation, _ = talk()
    with pytest.raises(NotUnderstoodError, match="nothing was moved"):
        conversation.respond(frame(), "undo")


def click(x: float, y: float, stamp_ns: int = 0) -> Pointing:
    return Pointing((x, y, x, y), stamp_ns)


def middle(box) -> tuple[float, float]:
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


def test_what_is_pointed_at_is_what_is_taken() -> None:
    conversation, world = talk()
    world.said = draft(("pick", "the red cube on the right"), ("place", "in", "the bowl"))
    pointed = [click(*middle(RIGHT.box_xyxy)), click(*middle(BOWL.box_xyxy))]
    plan = conversation.respond(frame(), "put this there", pointings=pointed)
    assert world.heard == "put the red cube on the right in the bowl"
    assert plan.steps[0].target.position_m == RIGHT.position_m


def test_a_click_just_beside_a_thing_and_a_drawn_box() -> None:
    things = list(THINGS.values())
    x0, y0, x1, y1 = GREEN.box_xyxy
    assert pointed_thing(frame(), things, click(x0 - 3, y0 + 5)) is GREEN
    assert pointed_thing(frame(), things, Pointing((x0 - 4, y0 - 4, x1 + 4, y1 + 4))) is GREEN
    assert pointed_thing(frame(), things, click(5, 5)) is None
    assert pointed_thing(frame(), things, Pointing((0, 0, 30, 30))) is None


def test_an_old_picture_is_not_pointed_at() -> None:
    conversation, _ = talk()
    with pytest.raises(StaleError, match="old"):
        conversation.respond(
            frame(200_000_000_000), "take this", now_ns=200_000_000_000, pointings=[click(1, 1, 1)]
        )


def looking_down(height_m: float = 1.0) -> RgbdFrame:
    """A camera over (0.45, 0) that looks straight down, its top away from the robot."""
    pose = np.array([[0, -1, 0, 0.45], [-1, 0, 0, 0], [0, 0, -1, height_m], [0, 0, 0, 1.0]])
    return RgbdFrame(np.zeros((480, 640, 3), np.uint8), None, CAMERA, pose, 0)


def test_a_spot_on_the_table_is_where_the_ray_meets_it() -> None:
    from mmrobot.config import Config

    x, y = pointed_spot(looking_down(), click(CAMERA.cx + 60, CAMERA.cy - 30), Config())
    assert (x, y) == pytest.approx((0.45 + 30 / 600, -60 / 600))
    with pytest.raises(TargetNotFoundError, match="no part of the work area"):
        pointed_spot(looking_down(), click(0, 0), Config())


def test_words_beside_a_plan_are_answered_asked_about_or_taken() -> None:
    conversation, world = talk()
    world.said = draft(("pick", "the green cube"))
    assert conversation.aside(frame(), "pick up the green cube") is None
    assert conversation.aside(frame(), "go on").text == "I am at it"
    world.said = draft(("resume",))
    assert conversation.aside(frame(), "are you finished yet?").text == "I am at it"
    world.said = draft()
    with pytest.raises(NotUnderstoodError):
        conversation.aside(frame(), "bla bla")
