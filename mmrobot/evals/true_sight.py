"""What mmrobot-nano would believe of a picture if it saw everything as it is: for evaluation only."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from mmrobot.evals.oracle import true_boxes
from mmrobot.simulator.simulator import Simulator
from mmrobot.tabletop.goals import Goal, holds
from mmrobot.tabletop.scene import SceneObject
from mmrobot.vlm.families.nano_beliefs import SeenScene
from mmrobot.vlm.models.nano.configuration import NanoConfig
from mmrobot.vlm.models.nano.denotation import Beliefs
from mmrobot.vlm.models.nano.processing import NanoProcessor


def true_eyes(simulator: Simulator, config: NanoConfig) -> Callable[[NDArray[np.uint8]], SeenScene]:
    """Eyes that look at the simulator's state instead of the picture (H, W, 3)."""
    processor = NanoProcessor.of(config)

    def see(image_rgb: NDArray[np.uint8]) -> SeenScene:
        _, letterbox = processor.fit(image_rgb)
        seen = {name: box for name, box in true_boxes(simulator).items() if simulator.scene.by_id[name].named}
        things = [simulator.scene.by_id[name] for name in seen]
        edges = np.array([seen[t.id] for t in things], np.float64).reshape(-1, 4) + 0.5
        offset = np.array([letterbox.left, letterbox.top] * 2)
        size = np.array([config.image_width, config.image_height] * 2)
        boxes = ((edges * letterbox.scale + offset) / size).astype(np.float32)
        labels = tuple(t.label or "" for t in things)
        return SeenScene(_beliefs(simulator, things, config), boxes, labels, letterbox)

    return see


def _beliefs(simulator: Simulator, things: list[SceneObject], config: NanoConfig) -> Beliefs:
    world, scene = simulator.truth(), simulator.scene
    places = [world.objects[t.id].position_m[:2] for t in things]

    def rests(a: SceneObject, b: SceneObject) -> bool:
        return a is not b and any(holds(Goal(p, (a.id, b.id)), world, scene) for p in ("in", "on"))

    return Beliefs(
        real=np.ones(len(things)),
        colors=_one_hot([t.color for t in things], config.colors),
        shapes=_one_hot([t.shape for t in things], config.shapes),
        sizes=_one_hot([t.size for t in things], config.sizes),
        places_m=np.array(places, np.float64).reshape(-1, 2),
        log_volumes=np.array([math.log(math.prod(t.dims.size_m)) for t in things], np.float64),
        rests=np.array([[rests(a, b) for b in things] for a in things], np.float64).reshape(
            len(things), len(things)
        ),
        prints=np.stack([_print(t.label, config) for t in things])
        if things
        else np.zeros((0, config.label_length, 1 + len(config.label_characters))),
        label_characters=config.label_characters,
    )


def _one_hot(values: list[str], known: tuple[str, ...]) -> NDArray[np.float64]:
    """(K, n); nothing of a value that is not known."""
    return np.array([[float(v == k) for k in known] for v in values], np.float64).reshape(-1, len(known))


def _print(label: str | None, config: NanoConfig) -> NDArray[np.float64]:
    """(label_length, 1 + characters): zeros where nothing is printed, or more than it reads."""
    out = np.zeros((config.label_length, 1 + len(config.label_characters)))
    at = [config.label_characters.find(c) + 1 for c in label or ""]
    if label and len(at) <= config.label_length and 0 not in at:
        for place in range(config.label_length):
            out[place, at[place] if place < len(at) else 0] = 1.0
    return out
