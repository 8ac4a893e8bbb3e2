"""Things as a perfect look would ground them, from the simulator's truth. For tests only."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from mmrobot.simulator.simulator import Simulator
from mmrobot.types import GroundedObject


def grounded(simulator: Simulator, object_id: str, rng: np.random.Generator | None = None) -> GroundedObject:
    """An object of the scene as it is now; with `rng`, as noisily as the camera sees it (about 3 mm)."""
    thing = simulator.scene.by_id[object_id]
    state = simulator.truth().objects[object_id]
    w, x, y, z = state.quaternion_wxyz
    yaw = Rotation.from_quat((x, y, z, w)).as_euler("zyx")[0]
    size = np.array(thing.dims.size_m)
    position = np.array(state.position_m)
    if rng is not None:
        position = position + rng.normal(0.0, (0.003, 0.003, 0.001))
        size = size + rng.normal(0.0, 0.002, 3)
        yaw += rng.normal(0.0, 0.05)
    surface = position[2] - size[2] / 2 + thing.dims.surface_height_m
    return GroundedObject(
        object_id, (0.0, 0.0, 1.0, 1.0), 1.0, tuple(position), tuple(size),
        float((yaw + np.pi / 2) % np.pi - np.pi / 2), float(surface), np.eye(3) * 1e-5,
        int(simulator.time_s * 1e9),
    )
