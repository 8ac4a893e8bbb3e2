"""Scenes as training knows them, and those of each level: what is new in it against training.

Trained: sizes within a few per cent of the named ones, 3 to 14 objects, distractors of TRAINED_DISTRACTORS
and ODDMENTS, labels, things in and on others. L3 leaves these ranges; L1 shows pairs that training never
does; what L2 and L4 change is not the scene. The ranges stand here, so that one place decides what training
never sees.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from mmrobot.errors import InvalidConfigError
from mmrobot.tabletop.labels import sample_label
from mmrobot.tabletop.objects import (
    COLORS,
    HELD_OUT_DISTRACTORS,
    LABELLED,
    ODDMENTS,
    SIZES,
    TRAINED_COLORS,
    TRAINED_DISTRACTORS,
    Stretch,
    dimensions,
    nearest_name,
)
from mmrobot.tabletop.sampling import (
    HELD_OUT,
    SHAPE_WEIGHTS,
    Kind,
    NoRoomError,
    carries,
    free_position,
    nest,
    sample_scene,
)
from mmrobot.tabletop.scene import Scene, SceneObject

LEVELS = ("L0", "L1", "L2", "L3", "L4")
# Small and large stay apart with these ...
TRAINED_SCALE, TRAINED_ASPECT = (0.96, 1.04), (0.98, 1.02)
# ... and may meet with these, of which training shows a third.
WIDE_SCALE, WIDE_ASPECT = (0.88, 1.13), (0.96, 1.04)
# What has no name may have any proportions: the more kinds of nothing are shown, the less looks like a thing.
DISTRACTOR_SCALE, DISTRACTOR_ASPECT = (0.80, 1.25), (0.75, 1.30)
# L3: smaller or larger than ever seen, and flatter, longer or higher.
UNSEEN_SCALES = ((0.74, 0.84), (1.18, 1.30))
UNSEEN_ASPECTS = ((0.76, 0.88), (1.14, 1.28))
# What the gripper takes between its fingers: the narrower side of a thing.
MAX_GRASP_M = 0.068
MAX_LABELS = 4
# With many things on the table containers would fill it.
_CROWD_WEIGHTS = {**SHAPE_WEIGHTS, "bowl": 0.35, "plate": 0.2, "tray": 0.2}


def trained_stretch(rng: np.random.Generator, shape: str) -> Stretch:
    """A few per cent larger or smaller, and a little out of proportion."""
    return _stretch(rng, shape, TRAINED_SCALE, TRAINED_ASPECT)


def wide_stretch(rng: np.random.Generator, shape: str) -> Stretch:
    """The most that training shows."""
    return _stretch(rng, shape, WIDE_SCALE, WIDE_ASPECT)


def distractor_stretch(rng: np.random.Generator, shape: str) -> Stretch:
    """What training shows of things that no word names."""
    return _stretch(rng, shape, DISTRACTOR_SCALE, DISTRACTOR_ASPECT)


def _stretch(
    rng: np.random.Generator, shape: str, scales: tuple[float, float], aspects: tuple[float, float]
) -> Stretch:
    scale = float(rng.uniform(*scales))
    x, y, z = (scale * float(v) for v in rng.uniform(*aspects, 3))
    return _allowed(shape, x, y, z)


def unseen_stretch(rng: np.random.Generator, shape: str) -> Stretch:
    """Outside of training in size, and in half of all things in proportion as well."""
    scale = _outside(rng, UNSEEN_SCALES)
    factors = [scale] * 3
    if shape != "ball" and rng.random() < 0.5:
        # A cube keeps its square top: longer, it would be a bar.
        axis = 2 if shape == "cube" else int(rng.integers(3))
        factors[axis] *= _outside(rng, UNSEEN_ASPECTS)
    x, y, z = factors
    return _allowed(shape, x, y, z)


def _outside(rng: np.random.Generator, ranges: Sequence[tuple[float, float]]) -> float:
    return float(rng.uniform(*ranges[int(rng.integers(len(ranges)))]))


def _allowed(shape: str, x: float, y: float, z: float) -> Stretch:
    """What is round stays round."""
    if shape == "ball":
        y = z = x
    elif shape in ("capsule", "dumbbell"):
        z = y
    elif dimensions(shape, "small").round:
        y = x
    return (round(x, 3), round(y, 3), round(z, 3))


def add_distractors(
    rng: np.random.Generator,
    scene: Scene,
    count: int,
    shapes: Sequence[str],
    stretch: Callable[[np.random.Generator, str], Stretch] = wide_stretch,
) -> Scene:
    """So many more things that no word names, at free places, after the others; fewer if there is no room."""
    objects = list(scene.objects)
    for k in range(count):
        shape = str(rng.choice(list(shapes)))
        made = SceneObject(
            f"distractor_{k}",
            shape,
            str(rng.choice(list(COLORS))),
            str(rng.choice(SIZES)),
            yaw=round(float(rng.uniform(-math.pi, math.pi)), 4),
            stretch=stretch(rng, shape),
        )
        placed = free_position(rng, made, objects, min_gap_m=0.02)
        if placed is not None:
            objects.append(placed)
    return replace(scene, objects=tuple(objects))


def add_labels(rng: np.random.Generator, scene: Scene, share: float = 0.6) -> Scene:
    """A print on about that share of cubes and trays, each another one, where nothing lies on it."""
    seen: set[str] = set()
    objects = list(scene.objects)
    for i, o in enumerate(objects):
        if o.shape not in LABELLED or carries(o, objects) or rng.random() >= share:
            continue
        text = sample_label(rng)
        if text not in seen and len(seen) < MAX_LABELS:
            seen.add(text)
            objects[i] = replace(o, label=text)
    return replace(scene, objects=tuple(objects))


def training_scene(rng: np.random.Generator) -> Scene:
    """What training's pictures show: 3 to 14 objects, often nested, with labels and distractors in part."""
    while True:
        crowd = rng.random() < 0.25
        try:
            scene = sample_scene(
                rng,
                (9, 14) if crowd else (3, 9),
                colors=tuple(COLORS) if rng.random() < 0.25 else TRAINED_COLORS,
                min_gap_m=float(rng.choice([0.006, 0.012] if crowd else [0.035, 0.02, 0.01])),
                stretch=wide_stretch if rng.random() < 0.35 else trained_stretch,
                weights=_CROWD_WEIGHTS if crowd else SHAPE_WEIGHTS,
            )
        except NoRoomError:
            continue
        objects = list(scene.objects)
        if rng.random() < 0.5:
            for _ in range(int(rng.integers(1, 4))):
                nest(rng, objects)
        scene = replace(scene, objects=tuple(objects))
        if rng.random() < 0.5:
            scene = add_labels(rng, scene)
        if rng.random() < 0.6:
            count = int(rng.integers(1, 6))
            scene = add_distractors(rng, scene, count, (*TRAINED_DISTRACTORS, *ODDMENTS), distractor_stretch)
        return scene


def sample_scene_for_level(
    level: str, rng: np.random.Generator, *, labels: bool = False, distractors: bool = False
) -> Scene:
    """A scene of a level. `labels` and `distractors` (trained ones) are in it only when asked for; L3 has
    held-out distractors always. Raises InvalidConfigError for a level that does not exist."""
    if level not in LEVELS:
        raise InvalidConfigError(
            f"unknown level '{level}'",
            f"did you mean '{nearest_name(level, LEVELS)}'? Known: {', '.join(LEVELS)}",
        )
    while True:
        try:
            scene = _level_scene(level, rng)
        except NoRoomError:
            continue
        if rng.random() < 0.4:
            objects = list(scene.objects)
            nest(rng, objects)
            scene = replace(scene, objects=tuple(objects))
        if labels:
            scene = add_labels(rng, scene)
        if level == "L3":
            return add_distractors(rng, scene, int(rng.integers(1, 4)), HELD_OUT_DISTRACTORS)
        if distractors:
            return add_distractors(rng, scene, int(rng.integers(1, 4)), TRAINED_DISTRACTORS)
        return scene


def _level_scene(level: str, rng: np.random.Generator) -> Scene:
    if level == "L3":
        return sample_scene(rng, (10, 13), min_gap_m=0.01, stretch=graspable_stretch, weights=_CROWD_WEIGHTS)
    if level != "L1":
        return sample_scene(rng, (3, 8), stretch=trained_stretch)
    pairs = sorted(HELD_OUT)
    chosen = rng.choice(len(pairs), int(rng.integers(1, 4)), replace=False)
    wishes = [Kind(pairs[i][1], pairs[i][0]) for i in chosen]
    return sample_scene(rng, (3, 8), wishes=wishes, exclude_pairs=(), stretch=trained_stretch)


def graspable_stretch(rng: np.random.Generator, shape: str) -> Stretch:
    """An unseen one that the gripper can still hold, for things that it is meant to hold, at either size."""
    while True:
        stretch = unseen_stretch(rng, shape)
        widths = dimensions(shape, "large").stretched(stretch).size_m
        if shape in ("bowl", "plate", "tray") or min(widths[0], widths[1]) <= MAX_GRASP_M:
            return stretch
