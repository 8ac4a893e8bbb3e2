from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mmrobot.simulator.spline import HermiteSpline

values = st.floats(-3, 3)


@given(st.lists(st.tuples(st.floats(0.05, 1.0), values, values), min_size=2, max_size=6))
def test_it_passes_through_all_points_with_their_velocities(points: list[tuple[float, float, float]]) -> None:
    times = np.cumsum([0.0] + [p[0] for p in points[1:]])
    positions, velocities = (np.array([[p[i]] for p in points]) for i in (1, 2))
    spline = HermiteSpline(times, positions, velocities)
    for i, time in enumerate(times[:-1]):
        position, velocity, _ = spline.at(float(time))
        assert np.allclose(position, positions[i])
        assert np.allclose(velocity, velocities[i], atol=1e-9)
    position, velocity, _ = spline.at(float(times[-1]) + 1.0)
    assert np.allclose(position, positions[-1])
    assert np.array_equal(velocity, [0.0])


@given(values, values, st.floats(0.02, 0.9))
def test_velocity_and_acceleration_are_its_derivatives(start: float, speed: float, time: float) -> None:
    spline = HermiteSpline(np.array([0.0, 1.0]), np.array([[start], [1.0]]), np.array([[speed], [0.0]]))
    step = 1e-5
    before, here, after = (spline.at(time + d) for d in (-step, 0.0, step))
    assert np.allclose((after[0] - before[0]) / (2 * step), here[1], atol=1e-5)
    assert np.allclose((after[1] - before[1]) / (2 * step), here[2], atol=1e-5)
