"""The demo's verdict on plans of its own: by physics, over the objects that stood nearest."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mmrobot.cli.demo_judge import judge_plan
from mmrobot.config import Config
from mmrobot.planning.table_top import table_top
from mmrobot.tabletop.goals import ObjectState, initial_world
from mmrobot.tabletop.scene import Scene, SceneObject
from mmrobot.types import ActionPlan, PlanStep
from tests.support.fake_world import thing

SCENE = Scene(0, (SceneObject("red_cube", "cube", "red", "small", (0.40, 0.20)),))
BEFORE = initial_world(SCENE)
RED = thing("the red cube", 0.40, 0.20)


def verdict(x: float, y: float, *steps: PlanStep):
    there = replace(BEFORE.objects["red_cube"], position_m=(x, y, 0.02))
    assert isinstance(there, ObjectState)
    after = replace(BEFORE, objects={"red_cube": there})
    return judge_plan(ActionPlan("p", "words", steps, 0, "m"), SCENE, BEFORE, after)


@pytest.mark.parametrize(("x", "y", "done"), [(0.50, 0.20, True), (0.46, 0.23, True), (0.42, 0.20, False)])
def test_a_push_is_judged_by_where_the_thing_is(x: float, y: float, done: bool) -> None:
    push = PlanStep(0, "push", RED, "behind", None, (0.50, 0.20, 0.0))
    assert verdict(x, y, push).success is done


@pytest.mark.parametrize(("x", "done"), [(0.32, True), (0.40, False)])
def test_what_is_put_on_the_table_is_judged_by_its_spot(x: float, done: bool) -> None:
    top = table_top(Config(), 0)
    place = PlanStep(1, "place", RED, "on", top, (0.30, 0.20, 0.0))
    assert verdict(x, 0.20, PlanStep(0, "pick", RED), place).success is done
