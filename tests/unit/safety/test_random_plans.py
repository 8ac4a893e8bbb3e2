"""Random plans through the gate, judged by an oracle that shares no code with it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mmrobot.config import Config
from tests.support.random_plans import check, random_plan, unsafe


def test_no_unsafe_plan_passes() -> None:
    passed, wrong = check(3_000, seed=1)
    assert wrong == []
    # Else the test would say nothing: good plans must be among them.
    assert passed > 150


def test_the_oracle_sees() -> None:
    rng, config = np.random.default_rng(2), Config()
    good = next(p for p in (random_plan(rng) for _ in range(5_000)) if not unsafe(p, config) and p.steps)
    assert "words" in unsafe(replace(good, instruction="throw the cube at the wall"), config)
    assert "length" in unsafe(replace(good, steps=()), config)
    far = replace(good.steps[0], goal_position_m=(2.0, 0.0, 0.0))
    assert "outside" in unsafe(replace(good, steps=(far,)), config)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_no_unsafe_plan_of_100000_passes() -> None:
    passed, wrong = check(100_000)
    assert wrong == [] and passed > 5_000
