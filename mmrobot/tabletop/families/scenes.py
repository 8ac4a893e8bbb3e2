"""Scenes for families: as training shows them, and at level L3 with sizes, proportions, clutter and things
without a name that it never shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from mmrobot.tabletop.levels import add_distractors, graspable_stretch
from mmrobot.tabletop.objects import GRASPABLE, HELD_OUT_DISTRACTORS
from mmrobot.tabletop.sampling import HELD_OUT, HELD_OUT_PAIRS, Kind, NoRoomError, sample_scene
from mmrobot.tabletop.scene import Scene

CLUTTER = 10
"""L3: at least so many things on the table, of which some have no name."""
_L3_NAMED = (5, 8)


def one_of(rng: np.random.Generator, names: tuple[str, ...], weights: tuple[float, ...] | None = None) -> str:
    p = None if weights is None else np.asarray(weights) / sum(weights)
    return str(names[int(rng.choice(len(names), p=p))])


def held_out_kind(
    rng: np.random.Generator, pairs: frozenset[tuple[str, str]], shapes: tuple[str, ...]
) -> Kind:
    """One of the held-out pairs of those shapes."""
    fitting = sorted(p for p in pairs if p[1] in shapes)
    color, shape = fitting[int(rng.integers(len(fitting)))]
    return Kind(shape, color)


def target_kind(rng: np.random.Generator, level: str, shapes: tuple[str, ...] = GRASPABLE) -> Kind:
    """What is moved: of a kind held out at level L1."""
    if level == "L1":
        return held_out_kind(rng, HELD_OUT_PAIRS, shapes)
    return Kind(one_of(rng, shapes, tuple({"cube": 1.5, "cup": 0.7}.get(s, 1.0) for s in shapes)))


def make_scene(
    rng: np.random.Generator,
    level: str,
    wishes: Sequence[Kind],
    count: tuple[int, int] = (3, 8),
    distinct: bool = True,
    **options: Any,
) -> Scene:
    """A scene of a level with what is wished for first. Raises NoRoomError."""
    options.setdefault("exclude_pairs", () if level == "L1" else HELD_OUT)
    if level != "L3":
        return sample_scene(rng, count, wishes=wishes, distinct=distinct, **options)
    low, high = max(_L3_NAMED[0], len(wishes)), max(_L3_NAMED[1], len(wishes))
    scene = sample_scene(
        rng,
        (low, high),
        wishes=wishes,
        distinct=distinct,
        stretch=graspable_stretch,
        min_gap_m=0.025,
        **options,
    )
    scene = add_distractors(rng, scene, CLUTTER + 1 - len(scene.objects), HELD_OUT_DISTRACTORS)
    if len(scene.objects) < CLUTTER:
        raise NoRoomError(f"only {len(scene.objects)} things found room", "Take another seed.")
    return scene
