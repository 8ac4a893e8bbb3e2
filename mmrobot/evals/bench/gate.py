"""How the change gate errs: moves of every shape that it must notice, and still scenes that it must let pass.

Nothing but the embedded simulator's pictures, its noise included; a move of `distance_m` in any direction.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from mmrobot.evals.statistics import Rate
from mmrobot.simulator.simulator import Simulator
from mmrobot.tabletop.families import EVALUATION_SEED
from mmrobot.tabletop.objects import SHAPES, TRAINED_COLORS
from mmrobot.tabletop.scene import Scene, SceneObject
from mmrobot.vlm.change_gate import ChangeGate

_SALT = 0x6A7E
# Things on this grid neither touch nor hide each other when they move.
_XS, _YS = (0.32, 0.58), (-0.26, 0.0, 0.26)
_ROOM_M = 0.012
MOVES_M = (0.002, 0.003, 0.005, 0.01)


def measure_gate(
    scenes: int = 4,
    still: int = 20,
    *,
    distances_m: tuple[float, ...] = MOVES_M,
    moves: int = 1,
    seed: int = EVALUATION_SEED,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """In each scene: `still` pictures of nothing moving, then every thing pushed `moves` times a distance.

    `noticed` by distance (mm), `noticed_by_shape` of the longest one, `looked_again` of the still pictures.
    """
    noticed: dict[float, list[tuple[str, bool]]] = {d: [] for d in distances_m}
    again: list[bool] = []
    for index in range(scenes):
        rng = np.random.default_rng([seed + index, _SALT])
        scene = grid_scene(rng, seed + index)
        with Simulator(scene=scene, seed=seed + index) as simulator:
            gate = ChangeGate()
            gate.unchanged(simulator.render())
            again += [gate.unchanged(simulator.render()) is None for _ in range(still)]
            for thing in scene.objects:
                for distance_m in distances_m * moves:
                    seen = push_is_noticed(simulator, gate, thing, distance_m, rng)
                    noticed[distance_m].append((thing.shape, seen))
        if progress is not None:
            progress(index + 1, scenes)
    longest = noticed[max(distances_m)]
    return {
        "noticed": {
            f"{1000 * d:g} mm": Rate(sum(s for _, s in rows), len(rows)).as_dict()
            for d, rows in noticed.items()
        },
        "noticed_by_shape": {
            shape: Rate(
                sum(s for n, s in longest if n == shape), sum(n == shape for n, _ in longest)
            ).as_dict()
            for shape in sorted({n for n, _ in longest})
        },
        "looked_again_though_still": Rate(sum(again), len(again)).as_dict(),
    }


def grid_scene(rng: np.random.Generator, seed: int) -> Scene:
    """Six of the shapes in turn, apart from each other, at any angle, of any colour."""
    shapes = np.roll(SHAPES, -6 * (seed % len(SHAPES)))
    spots = [(x, y) for x in _XS for y in _YS]
    colors = rng.choice(list(TRAINED_COLORS), len(spots))
    objects = [
        SceneObject(
            id=f"thing_{i}",
            shape=str(shapes[i % len(shapes)]),
            color=str(colors[i]),
            position=(float(x), float(y), 0.0),
            yaw=float(rng.uniform(-3, 3)),
        )
        for i, (x, y) in enumerate(spots)
    ]
    return Scene(seed=seed, objects=tuple(objects))


def push_is_noticed(
    simulator: Simulator,
    gate: ChangeGate,
    thing: SceneObject,
    distance_m: float,
    rng: np.random.Generator,
) -> bool:
    """Whether a gate that knows how all stands looks again when a thing was pushed in a random direction.

    It stays near its place in the scene; the next push goes on from where it is.
    """
    home = np.asarray(thing.position[:2])
    where = np.asarray(simulator.truth().objects[thing.id].position_m[:2])
    angle = rng.uniform(-np.pi, np.pi)
    step = distance_m * np.array([np.cos(angle), np.sin(angle)])
    # Outward pushes are turned round, so that nothing ever touches anything.
    target = where + step if np.linalg.norm(where + step - home) <= _ROOM_M else where - step
    simulator.move_object(thing.id, (float(target[0]), float(target[1])))
    if gate.unchanged(simulator.render()) is None:
        return True
    gate.forget()
    gate.unchanged(simulator.render())
    return False
