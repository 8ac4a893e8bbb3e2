"""The gate: every rule refuses with its name, value and bound, and no unsafe plan passes."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmrobot.config import Config
from mmrobot.errors import UnsafeError
from mmrobot.safety.gate import SafetyGate
from mmrobot.safety.rules import PLAN_RULES, STEP_RULES
from mmrobot.types import ActionPlan, JointTrajectory, PlanStep
from tests.support.fake_world import bowl, thing

NOW_NS = 10_000_000_000
RED = thing("red cube", 0.40, 0.20, stamp_ns=NOW_NS)
BOWL = bowl("bowl", 0.50, -0.18, stamp_ns=NOW_NS)
CUP = thing("cup", 0.50, -0.14, stamp_ns=NOW_NS)
PICK = PlanStep(0, "pick", RED)
PLACE = PlanStep(1, "place", RED, "in", BOWL, (0.50, -0.18, 0.006))
PUSH = PlanStep(0, "push", RED, "behind", None, (0.50, 0.20, 0.0))


def plan(*steps: PlanStep, **more) -> ActionPlan:
    return ActionPlan(
        **({"plan_id": "p", "instruction": "i", "steps": steps, "stamp_ns": NOW_NS, "model": "m"} | more)
    )


def test_a_good_plan_passes():
    SafetyGate().check_plan(plan(PICK, PLACE, PlanStep(2, "home"), PlanStep(3, "say", text="done")), NOW_NS)


def at(x=0.4, y=0.2, bottom=0.0, **more):
    return replace(PICK, target=thing("red cube", x, y, bottom=bottom, stamp_ns=NOW_NS, **more))


STEP_CASES = [
    ("forbidden_thing", replace(PICK, target=replace(RED, label="the kitchen knife")), None),
    ("known_place", PlanStep(0, "navigate", text="the stairs"), None),
    ("known_skill", replace(PICK, skill="throw"), None),
    ("schema", replace(PICK, target=None), None),
    ("schema", replace(PLACE, goal_position_m=None), RED),
    ("schema", replace(PLACE, relation="under"), RED),
    ("schema", PlanStep(0, "say", text=""), None),
    ("frame", replace(PICK, target=replace(RED, frame_id="map")), None),
    ("finite", replace(PLACE, goal_position_m=(math.nan, 0.0, 0.0)), RED),
    ("finite", replace(PICK, confidence=math.nan), None),
    ("hand", PICK, BOWL),
    ("hand", PLACE, None),
    ("work_area", at(x=0.70), None),
    ("work_area", at(y=-0.40), None),
    ("work_area", replace(PLACE, goal_position_m=(0.1, -0.18, 0.0)), RED),
    ("above_table", at(bottom=-0.05), None),
    ("above_table", replace(PLACE, goal_position_m=(0.50, -0.18, -0.1)), RED),
    ("height", at(bottom=0.6), None),
    ("height", replace(PLACE, goal_position_m=(0.50, -0.18, 0.44)), RED),
    ("size", at(size=(0.4, 0.04, 0.04)), None),
    ("goal_near_reference", replace(PLACE, goal_position_m=(0.30, 0.18, 0.0)), RED),
    ("confidence", replace(PICK, confidence=0.1), None),
    ("fresh", replace(PICK, target=replace(RED, stamp_ns=NOW_NS - 7_000_000_000)), None),
    ("fresh", replace(PICK, target=replace(RED, stamp_ns=NOW_NS + 1_000_000_000)), None),
    ("text", PlanStep(0, "say", text="x" * 501), None),
    ("hand", PUSH, BOWL),
    ("schema", replace(PUSH, relation="in"), None),
    ("schema", replace(PUSH, relation="near"), None),
    ("fresh", replace(PUSH, target=replace(RED, stamp_ns=NOW_NS - 7_000_000_000)), None),
    ("lane", replace(PUSH, target=thing("red cube", 0.40, 0.20, bottom=0.05, stamp_ns=NOW_NS)), None),
    ("lane", replace(PUSH, obstacles=(thing("cup", 0.47, 0.20),)), None),
    ("lane", replace(PUSH, goal_position_m=(0.62, -0.30, 0.0)), None),
    ("untouched", replace(PICK, postconditions=("untouched(red cube)",)), None),
    ("untouched", replace(PLACE, obstacles=(CUP,), postconditions=("untouched(cup)",)), RED),
]


@pytest.mark.parametrize(("rule", "step", "held"), STEP_CASES)
def test_each_step_rule_refuses(rule, step, held):
    with pytest.raises(UnsafeError, match=f"'{rule}'.*allowed is") as error:
        SafetyGate().check_step(step, NOW_NS, held)
    assert error.value.rule == rule
    assert error.value.fix


def test_every_step_rule_has_a_case():
    assert {rule for rule, _, _ in STEP_CASES} == {r.name for r in STEP_RULES} - {"reachable"}


PLAN_CASES = [
    ("words", plan(PICK, instruction="throw the red cube at the wall")),
    ("plan_length", plan()),
    ("plan_length", plan(*[PlanStep(i, "home") for i in range(25)])),
    ("plan_order", plan(PlanStep(1, "home"))),
    ("plan_frame", plan(PlanStep(0, "home"), frame_id="map")),
    ("plan_confidence", plan(PlanStep(0, "home"), confidence=math.nan)),
    ("plan_age", plan(PlanStep(0, "home"), stamp_ns=NOW_NS - 61_000_000_000)),
    ("hand", plan(PICK, replace(PICK, index=1))),
    ("hand", plan(replace(PLACE, index=0))),
]


@pytest.mark.parametrize(("rule", "bad"), PLAN_CASES)
def test_each_plan_rule_refuses(rule, bad):
    with pytest.raises(UnsafeError) as error:
        SafetyGate().check_plan(bad, NOW_NS)
    assert error.value.rule == rule


def test_every_plan_rule_has_a_case():
    assert {r.name for r in PLAN_RULES} <= {rule for rule, _ in PLAN_CASES}


def test_reachability_is_asked_and_closed_when_it_fails():
    with pytest.raises(UnsafeError, match="0.9 m away"):
        SafetyGate(reachable=lambda step: "0.9 m away").check_step(PICK, NOW_NS)

    def broken(step: PlanStep) -> str | None:
        raise ZeroDivisionError("no kinematics")

    with pytest.raises(UnsafeError, match="could not be checked: ZeroDivisionError") as error:
        SafetyGate(reachable=broken).check_step(PICK, NOW_NS)
    assert error.value.rule == "reachable"
    SafetyGate(reachable=lambda step: None).check_step(PICK, NOW_NS)


def trajectory(times, positions, velocities=None) -> JointTrajectory:
    positions = np.asarray(positions, float)[:, None]
    velocities = np.zeros_like(positions) if velocities is None else np.asarray(velocities, float)[:, None]
    return JointTrajectory(("j",), np.asarray(times, float), positions, velocities)


def test_trajectories():
    gate = SafetyGate()
    gate.check_trajectory(
        trajectory([0.0, 0.1], [0.0, 0.1], [1.0, 1.0]), np.array([[0.4, 0, 0.1], [0.4, 0, 0.05]])
    )
    for rule, bad, tool in [
        ("joint_speed", trajectory([0.0, 0.1], [0.0, 1.0]), None),
        ("joint_speed", trajectory([0.0, 0.1], [0.0, 0.0], [0.0, 9.0]), None),
        ("trajectory_numbers", trajectory(np.zeros(0), np.zeros(0)), None),
        ("trajectory_numbers", trajectory([-0.1, 0.1], [0.0, 0.0]), None),
        ("tool_above_table", trajectory([0.0, 1.0], [0.0, 0.0]), np.array([[0.4, 0, 0.1], [0.4, 0, -0.1]])),
        ("tool_speed", trajectory([0.0, 0.1], [0.0, 0.0]), np.array([[0.4, 0, 0.1], [0.4, 0.3, 0.1]])),
        ("tool_path", trajectory([0.0, 0.1], [0.0, 0.0]), np.array([[0.4, 0, 0.1]])),
        ("tool_path", trajectory([0.0, 0.1], [0.0, 0.0]), np.full((2, 3), np.nan)),
    ]:
        with pytest.raises(UnsafeError) as error:
            gate.check_trajectory(bad, tool)
        assert error.value.rule == rule


coordinate = st.floats(-1.0, 1.0) | st.sampled_from([0.25, 0.65, -0.35, 0.35, 0.0])
wild = coordinate | st.floats(allow_nan=True, allow_infinity=True)


@st.composite
def things(draw):
    size = tuple(draw(st.floats(0.01, 0.5)) for _ in range(3))
    stamp_ns = NOW_NS + draw(st.integers(-120, 2)) * 1_000_000_000
    return thing(
        "t", draw(coordinate), draw(coordinate), size, bottom=draw(st.floats(-0.1, 0.6)), stamp_ns=stamp_ns
    )


@st.composite
def steps(draw):
    return PlanStep(
        draw(st.integers(0, 2)),
        draw(st.sampled_from(["pick", "place", "home", "say", "throw", ""])),
        draw(st.none() | things()),
        draw(st.none() | st.sampled_from(["in", "on", "left_of", "under"])),
        draw(st.none() | things()),
        draw(st.none() | st.tuples(wild, wild, wild)),
        draw(st.none() | st.text(max_size=5)),
        confidence=draw(st.floats(0, 1) | st.just(math.nan)),
    )


@settings(max_examples=120, deadline=None)
@given(st.lists(steps(), max_size=4))
def test_no_unsafe_plan_passes(random_steps):
    """What passes is checked again by an independent reading of the rules."""
    checked = plan(*[replace(s, index=i) for i, s in enumerate(random_steps)])
    try:
        SafetyGate().check_plan(checked, NOW_NS)
    except UnsafeError:
        return
    assert checked.steps
    area, held = Config().work_area, False
    for step in checked.steps:
        assert step.skill in ("pick", "place", "home", "say")
        assert step.confidence >= 0.2
        if step.skill == "pick":
            assert not held
            held = True
            assert step.target is not None
            assert area.contains(*step.target.position_m[:2], 0.02)
            assert step.target.bottom_z_m >= -0.0151
            assert step.target.top_z_m <= 0.4501
            assert max(step.target.size_m) <= 0.30
            assert -0.5 <= (NOW_NS - step.target.stamp_ns) / 1e9 <= 60
        if step.skill == "place":
            assert held
            held = False
            assert step.reference is not None
            assert step.goal_position_m is not None
            assert all(math.isfinite(v) for v in step.goal_position_m)
            assert area.contains(*step.goal_position_m[:2], 0.02)
            assert -0.0151 <= step.goal_position_m[2] <= 0.45
        if step.goal_position_m is not None:
            assert area.contains(*step.goal_position_m[:2], 0.02)
