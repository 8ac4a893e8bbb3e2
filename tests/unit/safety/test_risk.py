"""Which plans are worth a look, and why."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mmrobot.config import Config
from mmrobot.safety.risk import risks
from mmrobot.types import ActionPlan, PlanStep
from tests.support.fake_world import bowl, thing

CUBE, BOWL = thing("red cube", 0.40, 0.10), bowl("bowl", 0.45, -0.10)
PICK, PLACE = PlanStep(0, "pick", CUBE), PlanStep(1, "place", CUBE, "in", BOWL, (0.45, -0.10, 0.006))


def plan(*steps: PlanStep, confidence: float = 0.99) -> ActionPlan:
    return ActionPlan("p", "words", steps, 0, "fake", confidence)


def test_a_plain_plan_has_none() -> None:
    assert risks(plan(PICK, PLACE), Config()) == ()


@pytest.mark.parametrize(
    ("steps", "confidence", "why"),
    [
        ((PICK, PLACE), 0.6, "60% sure"),
        ((replace(PICK, target=replace(CUBE, covariance=np.eye(3) * 4e-4)),), 0.99, "20 mm"),
        ((replace(PICK, target=replace(CUBE, covariance=np.eye(3) * np.nan)),), 0.99, "located to within"),
        ((PICK, replace(PLACE, goal_position_m=(0.45, 0.0, 0.16))), 0.99, "16 cm above"),
        ((PICK, replace(PLACE, goal_position_m=(0.64, 0.0, 0.0))), 0.99, "edge"),
        ((PlanStep(0, "push", CUBE, "behind", None, (0.5, 0.1, 0.0)),), 0.99, "pushed"),
        ((PICK, PLACE) * 5, 0.99, "10 moves"),
    ],
)
def test_each_reason_is_told_once(steps: tuple[PlanStep, ...], confidence: float, why: str) -> None:
    said = risks(plan(*steps, confidence=confidence), Config())
    assert len([s for s in said if why in s]) == 1
