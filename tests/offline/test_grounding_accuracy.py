"""Centres, heights and yaws of objects in the simulator's own pictures, with its noise and its true boxes.

`pytest -s` prints the table by shape. 25 scenes are looked at in the usual run, 200 in the slow one.
"""

from __future__ import annotations

import math
from collections import defaultdict

import numpy as np
import pytest

from mmrobot.grounding.lifting import lift_all
from mmrobot.simulator.simulator import Simulator
from mmrobot.tabletop.sampling import sample_scene
from mmrobot.tabletop.scene import SceneObject
from mmrobot.types import ScoredBox

Errors = dict[str, list[np.ndarray]]


def true_box(label: str, mask: np.ndarray) -> ScoredBox:
    v, u = np.nonzero(mask)
    edges = (u.min() - 0.5, v.min() - 0.5, u.max() + 0.5, v.max() + 0.5)
    return ScoredBox(label, tuple(float(e) for e in edges), 1.0)  # type: ignore[arg-type]


def yaw_error_deg(yaw: float, quaternion: tuple[float, ...], o: SceneObject) -> float:
    w, x, y, z = quaternion
    truth = math.atan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z))
    period = math.pi / 2 if o.shape == "cube" else math.pi
    return abs(math.degrees((yaw - truth + period / 2) % period - period / 2))


def measure(scenes: int, first_seed: int, nested: float = 0.0) -> tuple[Errors, list[float], int]:
    """Errors (x, y, z) by shape, yaw errors of cubes and bars in degrees, and how many boxes gave nothing."""
    errors: Errors = defaultdict(list)
    yaws: list[float] = []
    failures = 0
    simulator: Simulator | None = None
    for seed in range(first_seed, first_seed + scenes):
        scene = sample_scene(np.random.default_rng(seed), nested_probability=nested)
        if simulator is None:
            simulator = Simulator(scene=scene, seed=first_seed)
        else:
            simulator.reset_scene(scene)
        frame, masks, truth = simulator.render(), simulator.segmentation(), simulator.truth()
        seen = [o for o in scene.objects if o.id in masks and masks[o.id].sum() >= 60]
        boxes = [true_box(o.id, masks[o.id]) for o in seen]
        found, failed = lift_all(frame, boxes)
        failures += len(failed)
        by_id = {thing.label: thing for thing in found}
        for o in seen:
            if o.id not in by_id:
                continue
            thing, state = by_id[o.id], truth.objects[o.id]
            errors[o.shape].append(np.subtract(thing.position_m, state.position_m))
            if o.shape in ("cube", "bar"):
                yaws.append(yaw_error_deg(thing.yaw_rad, state.quaternion_wxyz, o))
    assert simulator is not None
    simulator.close()
    return errors, yaws, failures


def report(errors: Errors, yaws: list[float]) -> None:
    everything = {**errors, "all": [e for values in errors.values() for e in values]}
    for shape, values in everything.items():
        e = np.array(values) * 1000
        d, xy, z = np.linalg.norm(e, axis=1), np.linalg.norm(e[:, :2], axis=1), np.abs(e[:, 2])
        print(
            f"{shape:9s} n {len(d):4d}  centre {np.median(d):5.2f} mm, 95 % {np.quantile(d, 0.95):5.2f}, "
            f"worst {d.max():5.1f}; xy {np.median(xy):5.2f}, {np.quantile(xy, 0.95):5.2f}; "
            f"z {np.median(z):5.2f}, {np.quantile(z, 0.95):5.2f}"
        )
    print(f"yaw of cubes and bars: median {np.median(yaws):.1f} deg, 95 % {np.quantile(yaws, 0.95):.1f} deg")


def check(errors: Errors, yaws: list[float], failures: int) -> None:
    report(errors, yaws)
    e = np.array([value for values in errors.values() for value in values])
    for distance in (np.linalg.norm(e, axis=1), np.linalg.norm(e[:, :2], axis=1), np.abs(e[:, 2])):
        assert np.median(distance) < 0.01
        assert np.quantile(distance, 0.95) < 0.02
    assert np.quantile(yaws, 0.95) < 6
    assert failures == 0


def test_centres_in_25_scenes() -> None:
    check(*measure(25, 5000))


def test_things_in_and_on_each_other() -> None:
    errors, yaws, failures = measure(15, 6000, nested=1.0)
    report(errors, yaws)
    distance = np.linalg.norm([value for values in errors.values() for value in values], axis=1)
    assert np.median(distance) < 0.01
    assert np.quantile(distance, 0.9) < 0.02
    assert failures <= 2


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_centres_in_200_scenes() -> None:
    check(*measure(200, 5000))
