"""Gaps between footprints, against points sampled on their edges."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from mmrobot.tabletop.footprint import Footprint, gap_m

coordinate = st.floats(-0.3, 0.3)
half = st.floats(0.01, 0.1)
footprints = st.builds(
    lambda x, y, hx, hy, yaw, round_: Footprint((x, y), (hx, hx if round_ else hy), yaw, round_),
    coordinate,
    coordinate,
    half,
    half,
    st.floats(-math.pi, math.pi),
    st.booleans(),
)


def _edge(f: Footprint, count: int = 200) -> np.ndarray:
    if f.round:
        a = np.linspace(0, 2 * math.pi, count)
        return np.stack([f.center_m[0] + f.half_m[0] * np.cos(a), f.center_m[1] + f.half_m[0] * np.sin(a)], 1)
    c = np.array([*f.corners(), f.corners()[0]])
    t = np.linspace(0, 1, count // 4)[:, None]
    return np.concatenate([c[i] + t * (c[i + 1] - c[i]) for i in range(4)])


@settings(max_examples=80, deadline=None)
@given(footprints, footprints)
def test_gap_is_the_distance_between_edges(a: Footprint, b: Footprint) -> None:
    pa, pb = _edge(a), _edge(b)
    nearest = float(np.min(np.linalg.norm(pa[:, None] - pb[None], axis=-1)))
    gap = gap_m(a, b)
    if gap > 0:
        assert abs(gap - nearest) < 0.006
    else:
        inside = any(b.distance_m((x, y)) <= 0 for x, y in pa) or any(
            a.distance_m((x, y)) <= 0 for x, y in pb
        )
        assert inside or nearest < 0.006


@settings(max_examples=100, deadline=None)
@given(footprints, footprints)
def test_gap_is_symmetric(a: Footprint, b: Footprint) -> None:
    assert math.isclose(gap_m(a, b), gap_m(b, a), abs_tol=1e-9)


@settings(max_examples=100, deadline=None)
@given(footprints)
def test_edge_lies_within_extent_and_reach(f: Footprint) -> None:
    offset = np.abs(_edge(f) - np.array(f.center_m))
    assert (offset.max(0) <= np.array(f.extent_m) + 1e-9).all()
    assert np.hypot(offset[:, 0], offset[:, 1]).max() <= f.reach_m + 1e-9
