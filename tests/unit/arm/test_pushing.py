"""Pushes on true physics: the thing goes where it is pushed, upright, and stays on the table."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mmrobot.arm.embedded import embedded_skills, run_until_done
from mmrobot.arm.hand import HAND
from mmrobot.arm.pushing import LIFT_M, plan_push
from mmrobot.config import Config
from mmrobot.errors import ErrorCode, UnreachableError
from mmrobot.planning.pushing import push_goal
from mmrobot.simulator.simulator import Simulator
from mmrobot.tabletop.scene import Scene, SceneObject
from mmrobot.types import PlanStep
from tests.support.fake_world import thing
from tests.support.truth_objects import grounded

DIRECTIONS = {"left_of": 90.0, "right_of": -90.0, "behind": 0.0, "in_front_of": 180.0}
CASES = [
    ("cube", "small", "left_of"), ("ball", "large", "right_of"), ("ball", "small", "behind"),
    ("ball", "large", "behind"), ("cylinder", "large", "in_front_of"), ("bar", "small", "behind"),
    ("cup", "large", "left_of"),
]  # fmt: skip


@pytest.mark.parametrize(("shape", "size", "relation"), CASES)
def test_pushed_things_go_that_way(shape: str, size: str, relation: str) -> None:
    scene = Scene(0, (SceneObject("thing", shape, "red", size, (0.45, 0.05), 0.3),))
    with Simulator(scene=scene) as simulator:
        skills = embedded_skills(simulator)
        seen = grounded(simulator, "thing", np.random.default_rng(5))
        before = simulator.truth().objects["thing"]
        goal = push_goal(relation, seen, None, [], Config())
        skills.start(PlanStep(0, "push", target=seen, relation=relation, goal_position_m=goal))
        status = run_until_done(simulator, skills)
        simulator.step(1.0)
        after = simulator.truth().objects["thing"]
    assert status.code is ErrorCode.NONE, status.message
    dx, dy = (after.position_m[k] - before.position_m[k] for k in (0, 1))
    turn = math.degrees(math.atan2(dy, dx)) - DIRECTIONS[relation]
    assert math.hypot(dx, dy) >= 0.05
    assert abs((turn + 180) % 360 - 180) <= 35
    assert after.position_m[2] == pytest.approx(before.position_m[2], abs=0.005), "upright, on the table"


def test_the_hand_leans_back_and_keeps_off_the_table() -> None:
    ball = thing("ball", 0.45, 0.0)
    push = plan_push(ball, (0.55, 0.0, 0.0), (), 0.0)[0]
    pose = push.pose(push.behind_m)
    assert np.linalg.det(pose[:3, :3]) == pytest.approx(1.0)
    assert pose[0, 2] > 0.3, "the finger ends are ahead"
    half = HAND.finger_width_m / 2
    corners = [pose @ (x, 0.0, HAND.tip_m, 1.0) for x in (-half, half)]
    assert min(c[2] for c in corners) == pytest.approx(LIFT_M)
    assert max(c[0] for c in corners) < 0.43, "behind the ball"


def test_no_room_behind_is_said() -> None:
    ball, wall = thing("ball", 0.45, 0.0), thing("cup", 0.40, 0.0, (0.05, 0.05, 0.07))
    with pytest.raises(UnreachableError, match="no room behind 'ball'"):
        plan_push(ball, (0.55, 0.0, 0.0), [wall], 0.0)
    with pytest.raises(UnreachableError, match="is where it is to be pushed to"):
        plan_push(ball, (0.45, 0.0, 0.0), (), 0.0)
