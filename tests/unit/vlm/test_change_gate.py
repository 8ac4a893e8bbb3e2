"""The change gate on made pictures: what it must notice, what it must let pass, and doubt that asks again.

How it does on the simulator's pictures: tests/offline/test_change_gate.py.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mmrobot.types import CameraModel, RgbdFrame
from mmrobot.vlm.change_gate import ChangeGate, pixel_noise

CAMERA = CameraModel(320, 240, 380.0, 380.0, 159.5, 119.5)


def scene(x: int = 150, color: int = 60, height_m: float = 0.04) -> tuple[np.ndarray, np.ndarray]:
    """A thing of 24 x 24 pixels on a table 1.2 m away."""
    rgb = np.full((240, 320, 3), 150.0)
    depth = np.full((240, 320), 1.2)
    rgb[100:124, x : x + 24] = color
    depth[100:124, x : x + 24] = 1.2 - height_m
    return rgb, depth


def frame(seed: int, sigma: float = 2.0, stamp_ns: int = 0, **what: float) -> RgbdFrame:
    rng = np.random.default_rng(seed)
    rgb, depth = scene(**what)
    noisy = np.clip(np.rint(rgb + rng.normal(0, sigma, rgb.shape)), 0, 255).astype(np.uint8)
    deep = (depth + rng.normal(0, 0.0015 * 1.44, depth.shape)).astype(np.float32)
    deep[rng.random(deep.shape) < 0.01] = np.nan
    return RgbdFrame(noisy, deep, CAMERA, np.eye(4), stamp_ns)


def gate_after(first: RgbdFrame) -> ChangeGate:
    gate = ChangeGate(max_age_s=2.0)
    assert gate.unchanged(first) is None
    return gate


@pytest.mark.parametrize("sigma", [0.0, 1.0, 2.0, 6.0])
def test_noise_is_no_motion(sigma: float) -> None:
    first = frame(0, sigma)
    gate = gate_after(first)
    for seed in range(1, 9):
        seen = gate.unchanged(frame(seed, sigma, stamp_ns=seed))
        assert seen is not None, gate.reason
        assert np.array_equal(seen.rgb, first.rgb)
    assert (gate.reused, gate.looked) == (8, 1)


@pytest.mark.parametrize("sigma", [0.0, 2.0, 6.0])
@pytest.mark.parametrize(
    "what",
    [{"x": 154}, {"x": 146, "color": 140}, {"x": 153, "color": 150}, {"color": 75}, {"height_m": 0.06}],
)
def test_small_moves_are_noticed(sigma: float, what: dict[str, float]) -> None:
    gate = gate_after(
        frame(0, sigma, **({"color": what["color"]} if "x" in what and "color" in what else {}))
    )
    assert gate.unchanged(frame(1, sigma, stamp_ns=1, **what)) is None
    assert "block" in gate.reason


def test_the_new_picture_is_the_one_to_compare_with() -> None:
    gate = gate_after(frame(0))
    assert gate.unchanged(frame(1, x=170)) is None
    assert gate.unchanged(frame(2, x=170)) is not None
    assert gate.unchanged(frame(3)) is None


def test_slow_drift_adds_up() -> None:
    gate = gate_after(frame(0))
    answers = []
    for step in range(1, 40):
        rgb, depth = scene()
        rgb += 0.2 * step
        noisy = np.rint(rgb + np.random.default_rng(step).normal(0, 2, rgb.shape)).astype(np.uint8)
        answers.append(gate.unchanged(RgbdFrame(noisy, depth.astype(np.float32), CAMERA, np.eye(4), step)))
    assert None in answers


def test_doubt_asks_for_a_new_look() -> None:
    base = frame(0)
    still = frame(1, stamp_ns=1)
    shifted = np.eye(4)
    shifted[0, 3] = 0.001
    turned = np.eye(4)
    turned[0, 1] = 0.002
    rng = np.random.default_rng(9)
    all_over = np.clip(base.rgb + rng.normal(0, 25, base.rgb.shape), 0, 255).astype(np.uint8)
    shaken = np.roll(rng.integers(0, 255, base.rgb.shape, dtype=np.uint8), 3, 1)
    holes = still.depth_m.copy()
    holes[40:80, 40:80] = np.nan
    doubts = {
        "s old": replace(still, stamp_ns=3_000_000_000),
        "-": replace(still, stamp_ns=-1),
        "camera moved": replace(still, T_base_camera=shifted),
        "moved": replace(still, T_base_camera=turned),
        "pose is unknown": replace(still, T_base_camera=None),
        "camera is another": replace(still, camera=replace(CAMERA, fx=381.0)),
        "depth is there in one": replace(still, depth_m=None),
        "lost or found": replace(still, depth_m=holes),
        "block": replace(still, rgb=all_over),
        "changed": replace(still, rgb=shaken),
        "all over": replace(
            still, depth_m=still.depth_m + rng.normal(0, 0.05, (240, 320)).astype(np.float32)
        ),
    }
    for reason, doubtful in doubts.items():
        gate = gate_after(base)
        assert gate.unchanged(doubtful) is None, reason
        assert reason in gate.reason, (reason, gate.reason)
    gate = gate_after(base)
    assert gate.unchanged(still, key="the red cube") is None
    assert gate.reason == "the robot or its hand is another"
    nan = np.eye(4)
    nan[0, 0] = np.nan
    gate = gate_after(base)
    assert gate.unchanged(replace(still, T_base_camera=nan)) is None


def test_all_depth_invalid_or_a_tiny_picture_cannot_be_compared() -> None:
    nothing = np.full((240, 320), np.nan, np.float32)
    gate = gate_after(replace(frame(0), depth_m=nothing))
    assert gate.unchanged(replace(frame(1), depth_m=nothing)) is None
    assert gate.reason == "no depth is valid"
    small = RgbdFrame(
        np.zeros((8, 8, 3), np.uint8), None, CameraModel(8, 8, 9.0, 9.0, 4.0, 4.0), np.eye(4), 0
    )
    gate = gate_after(small)
    assert gate.unchanged(small) is None
    assert "too small" in gate.reason


def test_without_any_depth_colour_decides() -> None:
    gate = gate_after(replace(frame(0), depth_m=None))
    assert gate.unchanged(replace(frame(1), depth_m=None)) is not None
    assert gate.unchanged(replace(frame(2, x=154), depth_m=None)) is None


def test_buffers_that_are_filled_anew_and_forgetting() -> None:
    first = frame(0)
    gate = gate_after(first)
    first.rgb[:] = 0
    first.depth_m[:] = 1.0
    assert gate.unchanged(first) is None
    gate.forget()
    assert gate.unchanged(first) is None
    assert gate.reason == "nothing was looked at before"


def test_the_grain_is_measured() -> None:
    for sigma in (1.0, 3.0, 8.0):
        assert pixel_noise(frame(3, sigma).rgb) == pytest.approx(sigma, rel=0.35)
