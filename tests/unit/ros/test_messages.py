"""Types to messages and back: equal, and defects refused."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rclpy.serialization import deserialize_message, serialize_message

from mmrobot.errors import ErrorCode
from mmrobot.ros import messages as m
from mmrobot.types import ActionPlan, GroundedObject, JointTrajectory, PlanStep, ScoredBox

finite = st.floats(-10, 10)
positive = st.floats(0.001, 1)
words = st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=20)


@st.composite
def objects(draw) -> GroundedObject:
    return GroundedObject(
        label=draw(words),
        box_xyxy=(1.0, 2.0, 30.5, 40.25),
        score=draw(st.floats(0, 1)),
        position_m=(draw(finite), draw(finite), draw(finite)),
        size_m=(draw(positive), draw(positive), draw(positive)),
        yaw_rad=draw(st.floats(-1.57, 1.57)),
        surface_z_m=draw(finite),
        covariance=np.diag([draw(positive), draw(positive), draw(positive)]),
        stamp_ns=draw(st.integers(0, 2**31 * 10**9 - 1)),
    )


@st.composite
def steps(draw, index: int = 0) -> PlanStep:
    return PlanStep(
        index=index,
        skill=draw(st.sampled_from(["pick", "place", "home", "say"])),
        target=draw(st.none() | objects()),
        relation=draw(st.none() | st.sampled_from(["in", "left_of"])),
        reference=draw(st.none() | objects()),
        goal_position_m=draw(st.none() | st.tuples(finite, finite, finite)),
        text=draw(st.none() | words),
        obstacles=tuple(draw(st.lists(objects(), max_size=2))),
        preconditions=("hand is empty",),
        postconditions=tuple(draw(st.lists(words, max_size=2))),
        confidence=draw(st.floats(0, 1)),
    )


def same_object(a: GroundedObject | None, b: GroundedObject | None) -> bool:
    if a is None or b is None:
        return a is b
    fields = (
        "label",
        "box_xyxy",
        "score",
        "position_m",
        "size_m",
        "yaw_rad",
        "surface_z_m",
        "stamp_ns",
        "frame_id",
    )
    return all(getattr(a, f) == getattr(b, f) for f in fields) and np.array_equal(a.covariance, b.covariance)


def same_step(a: PlanStep, b: PlanStep) -> bool:
    fields = (
        "index",
        "skill",
        "relation",
        "goal_position_m",
        "text",
        "preconditions",
        "postconditions",
        "confidence",
    )
    return (
        all(getattr(a, f) == getattr(b, f) for f in fields)
        and same_object(a.target, b.target)
        and same_object(a.reference, b.reference)
        and len(a.obstacles) == len(b.obstacles)
        and all(same_object(x, y) for x, y in zip(a.obstacles, b.obstacles, strict=True))
    )


@settings(max_examples=40, deadline=None)
@given(st.lists(steps(), max_size=3), words, st.floats(0, 1))
def test_plan_survives_the_wire(plan_steps, instruction, confidence) -> None:
    plan = ActionPlan(
        "p1", instruction, tuple(plan_steps), 12_345_678_901, "nano-1", confidence, timings_ms={"plan": 3.5}
    )
    wire = serialize_message(m.plan_to_message(plan))
    back = m.plan_from_message(deserialize_message(wire, m.ActionPlanMsg))
    assert back.digest == plan.digest
    assert (back.plan_id, back.instruction, back.stamp_ns, back.model, back.confidence, back.timings_ms) == (
        plan.plan_id,
        plan.instruction,
        plan.stamp_ns,
        plan.model,
        plan.confidence,
        plan.timings_ms,
    )
    assert all(same_step(a, b) for a, b in zip(plan.steps, back.steps, strict=True))


def make_plan() -> ActionPlan:
    return ActionPlan("p1", "go home", (PlanStep(0, "home"),), 5, "nano-1")


def test_changed_plan_is_refused() -> None:
    message = m.plan_to_message(make_plan())
    message.instruction = "something else"
    with pytest.raises(ValueError, match="says digest"):
        m.plan_from_message(message)


def test_other_schema_is_refused() -> None:
    message = m.plan_to_message(make_plan())
    message.schema_version = 9
    with pytest.raises(ValueError, match="schema 9"):
        m.plan_from_message(message)


def test_object_that_is_not_located_is_refused() -> None:
    message = m.box_to_message(ScoredBox("cube", (0, 0, 5, 5), 0.5), 7)
    assert not message.located and message.header.stamp.nanosec == 7
    with pytest.raises(ValueError, match="'cube' has no position"):
        m.object_from_message(message)


def test_nan_object_is_refused() -> None:
    thing = GroundedObject("cube", (0, 0, 5, 5), 0.5, (0, 0, 0), (1, 1, 1), 0, 0, np.eye(3), 0)
    message = m.object_to_message(thing)
    message.position.x = math.nan
    with pytest.raises(ValueError, match="cube"):
        m.object_from_message(message)


def test_trajectory_survives_the_wire() -> None:
    trajectory = JointTrajectory(
        ("a", "b"), np.array([0.0, 0.1, 0.25]), np.arange(6.0).reshape(3, 2), np.ones((3, 2)) * 0.5
    )
    back = m.trajectory_from_message(m.trajectory_to_message(trajectory))
    assert back.joint_names == trajectory.joint_names
    for name in ("times_s", "positions", "velocities"):
        np.testing.assert_array_equal(getattr(back, name), getattr(trajectory, name))


@pytest.mark.parametrize("defect", ["no points", "short positions", "times fall", "nan"])
def test_defective_trajectory_is_refused(defect: str) -> None:
    good = JointTrajectory(("a", "b"), np.array([0.0, 0.1]), np.zeros((2, 2)), np.zeros((2, 2)))
    message = m.trajectory_to_message(good)
    if defect == "no points":
        message.points = []
    elif defect == "short positions":
        message.points[1].positions = [0.0]
    elif defect == "times fall":
        message.points[1].time_from_start = m.to_duration(0.0)
    else:
        message.points[1].positions = [0.0, math.nan]
    with pytest.raises(ValueError):
        m.trajectory_from_message(message)


@given(st.integers(0, 2**31 * 10**9 - 1))
def test_time_is_exact(stamp_ns: int) -> None:
    assert m.from_time(m.to_time(stamp_ns)) == stamp_ns


def test_codes_equal_every_interface() -> None:
    from mmrobot_msgs.action import ExecutePlan, ExecuteSkill, FollowInstruction
    from mmrobot_msgs.srv import ApprovePlan, Ask, Ground, Locate

    results = [ExecutePlan.Result, ExecuteSkill.Result, FollowInstruction.Result]
    responses = [ApprovePlan.Response, Ask.Response, Ground.Response, Locate.Response]
    for kind in results + responses:
        assert {code.name: getattr(kind, code.name) for code in ErrorCode} == {
            c.name: c.value for c in ErrorCode
        }


def test_unknown_code_is_internal() -> None:
    assert m.error_code(13) is ErrorCode.GRASP_FAILED
    assert m.error_code(77) is ErrorCode.INTERNAL
