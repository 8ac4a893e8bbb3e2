"""Stops at random moments of a pick, in simulated time alone: skill to controller, no ROS between.

`MMROBOT_TEST_STOPS=200 pytest -s tests/integration/test_stop_moments.py` is the full measurement.
test_stop_latency.py measures the same through the whole graph.
"""

from __future__ import annotations

import os

import numpy as np

from mmrobot.arm.embedded import embedded_skills
from mmrobot.simulator.simulator import Simulator
from mmrobot.tabletop.scene import Scene
from mmrobot.types import PlanStep
from tests.support.graph import SCENE
from tests.support.truth_objects import grounded

STOPS = int(os.environ.get("MMROBOT_TEST_STOPS", "20"))
LIMIT_S = 0.1
STILL_RAD_S = 1e-6


def test_a_stop_at_any_moment_commands_rest_in_time() -> None:
    rng = np.random.default_rng(1)
    scene = Scene.from_dict(SCENE)
    latencies: list[float] = []
    moving = 0
    with Simulator(scene=scene) as simulator:
        for _ in range(STOPS):
            simulator.reset_scene(scene)
            skills = embedded_skills(simulator)
            skills.start(PlanStep(0, "pick", target=grounded(simulator, "red_cube")))
            stop_s = simulator.time_s + rng.uniform(0.05, 4.8)
            while simulator.time_s < stop_s:
                skills.poll()
                simulator.step(0.02)
            moving += bool(np.abs(simulator.commanded_velocity).max() > STILL_RAD_S)
            skills.stop()
            said_s = simulator.time_s
            while np.abs(simulator.commanded_velocity).max() > STILL_RAD_S:
                simulator.step(0.002)
                assert simulator.time_s - said_s <= LIMIT_S
            latencies.append(simulator.time_s - said_s)
    worst_ms, median_ms = 1000 * max(latencies), 1000 * float(np.median(latencies))
    print(f"{STOPS} stops, {moving} of them in motion: median {median_ms:.0f} ms, worst {worst_ms:.0f} ms")
    assert moving > STOPS / 2
