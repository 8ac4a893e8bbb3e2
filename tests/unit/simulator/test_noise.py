from __future__ import annotations

import numpy as np
import pytest

from mmrobot.simulator.noise import NoiseModel

SHAPE = (240, 320)


def _flat(distance: float) -> np.ndarray:
    return np.full(SHAPE, distance, dtype=np.float32)


@pytest.mark.parametrize("distance", [0.5, 1.0, 2.0])
def test_depth_noise_grows_with_the_square_of_the_distance(distance: float) -> None:
    noisy = NoiseModel().depth(_flat(distance), np.random.default_rng(0))
    error = noisy[np.isfinite(noisy)] - distance
    assert error.std() == pytest.approx(0.0015 * distance**2, rel=0.05)
    assert abs(error.mean()) < 1e-4
    assert noisy.dtype == np.float32


def test_depth_is_lost_at_edges_and_speckles_only() -> None:
    depth = _flat(1.0)
    depth[:, 160:] = 1.3
    lost = np.isnan(NoiseModel().depth(depth, np.random.default_rng(1)))
    assert lost[:, 159:161].mean() > 0.7
    assert 0.0005 < np.delete(lost, (159, 160), axis=1).mean() < 0.004


def test_what_had_no_depth_gets_none() -> None:
    depth = _flat(1.0)
    depth[10:20] = np.nan
    assert np.isnan(NoiseModel().depth(depth, np.random.default_rng(2))[10:20]).all()


def test_color_grain_has_its_sigma_and_stays_in_range() -> None:
    grey = np.full((*SHAPE, 3), 128, dtype=np.uint8)
    noisy = NoiseModel().color(grey, np.random.default_rng(0)).astype(float)
    assert noisy.std() == pytest.approx(2.0, rel=0.05)
    assert noisy.mean() == pytest.approx(128, abs=0.05)
    for extreme in (0, 255):
        flat = np.full((*SHAPE, 3), extreme, dtype=np.uint8)
        assert np.abs(NoiseModel().color(flat, np.random.default_rng(0)).astype(int) - extreme).max() < 20


def test_the_same_seed_gives_the_same_noise_and_another_gives_other() -> None:
    first, same, other = (NoiseModel().depth(_flat(1.0), np.random.default_rng(s)) for s in (3, 3, 4))
    assert np.array_equal(first, same, equal_nan=True)
    assert not np.array_equal(first, other, equal_nan=True)


def test_a_picture_larger_than_the_noise_bank_is_noisy_all_over() -> None:
    large = np.full((2000, 2000, 3), 128, dtype=np.uint8)
    assert NoiseModel().color(large, np.random.default_rng(0))[-100:].std() > 1.5
