"""The change gate on the simulator's pictures, its noise included."""

from __future__ import annotations

import pytest

from mmrobot.evals.bench.gate import measure_gate
from mmrobot.tabletop.objects import SHAPES

pytestmark = pytest.mark.slow


def test_a_centimetre_is_always_noticed_and_noise_hardly_ever() -> None:
    figures = measure_gate(4, 6, distances_m=(0.01,), moves=5, seed=1_500_000)
    noticed = figures["noticed"]["10 mm"]
    assert noticed["n"] == 120
    assert noticed["passed"] == 120
    assert set(figures["noticed_by_shape"]) == set(SHAPES)
    again = figures["looked_again_though_still"]
    assert again["passed"] <= 0.05 * again["n"]
