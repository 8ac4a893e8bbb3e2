"""How fast the simulator runs here: python -m mmrobot.simulator.benchmark

Prints a table and one line of JSON. Times are of the processor, so that other programs count little;
`real_time_factor` is simulated time over them.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import numpy as np

from mmrobot.simulator.scene_pool import ScenePool
from mmrobot.simulator.simulator import Simulator
from mmrobot.tabletop.sampling import sample_scene

OBJECTS = 8


def _cpu_s(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def measure(simulated_s: float = 5.0, pictures: int = 20) -> dict[str, float]:
    """Physics with the arm and 8 objects, pictures, both at 10 Hz, and the pool's scenes."""
    rng = np.random.default_rng(1)
    scenes = [sample_scene(rng, count=OBJECTS) for _ in range(pictures)]
    results: dict[str, float] = {}
    with Simulator(scene=scenes[0]) as simulator:
        simulator.render()
        simulator.segmentation()
        step_s = _cpu_s(lambda: simulator.step(simulated_s))
        results["step_real_time_factor"] = simulated_s / step_s
        picture_s = _cpu_s(lambda: [simulator.render() for _ in range(pictures)]) / pictures
        results["rgbd_ms"] = picture_s * 1e3
        results["camera_10hz_real_time_factor"] = 1.0 / (step_s / simulated_s + 10 * picture_s)
        results["segmentation_ms"] = _cpu_s(simulator.segmentation) * 1e3
    for label, size in (("640x480", (640, 480)), ("320x240", (320, 240))):
        with ScenePool(size=size) as pool:
            pool.render(scenes[0])
            seconds = _cpu_s(lambda pool=pool: [pool.render(scene) for scene in scenes])  # type: ignore[misc]
            results[f"pool_{label}_scenes_per_s"] = pictures / seconds
    return results


if __name__ == "__main__":
    figures = measure()
    for name, value in figures.items():
        print(f"{name:32s} {value:8.1f}")
    print(json.dumps(figures))
