"""What the gate is told of the arm's reach."""

from __future__ import annotations

import pytest

from mmrobot.arm.embedded import arm_model
from mmrobot.arm.reach import ArmReach
from mmrobot.config import config_from_dict
from mmrobot.errors import UnsafeError
from mmrobot.safety.gate import SafetyGate
from mmrobot.types import PlanStep
from tests.support.fake_world import bowl, thing


@pytest.fixture(scope="module")
def reach() -> ArmReach:
    return ArmReach(arm_model())


@pytest.mark.parametrize(("x", "y"), [(0.25, 0.0), (0.45, 0.0), (0.65, 0.35), (0.65, -0.35), (0.25, 0.35)])
def test_the_whole_work_area_is_reached(reach, x, y):
    cube = thing("cube", x, y)
    assert reach(PlanStep(0, "pick", cube)) is None
    assert reach(PlanStep(0, "place", cube, "on", bowl("bowl", x, y), (x, y, 0.08))) is None


def test_what_is_too_far_is_told_with_its_place(reach):
    why = reach(PlanStep(0, "pick", thing("cube", 0.95, 0.6)))
    assert why is not None
    assert "0.950" in why
    assert reach(PlanStep(0, "home")) is None


def test_the_gate_refuses_what_is_out_of_reach(reach):
    """Also where somebody has set the work area wider than the arm reaches."""
    gate = SafetyGate(config_from_dict({"work_area": {"x_max_m": 1.5}}), reachable=reach)
    gate.check_step(PlanStep(0, "pick", thing("cube", 0.6, 0.1)), 0)
    with pytest.raises(UnsafeError, match="cannot reach") as error:
        gate.check_step(PlanStep(0, "pick", thing("cube", 1.2, 0.1)), 0)
    assert error.value.rule == "reachable"
