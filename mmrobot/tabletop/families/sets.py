"""Families over many things: all, all but some, so many, each into its own."""

from __future__ import annotations

import numpy as np

from mmrobot.tabletop.families.drafts import Draft
from mmrobot.tabletop.families.scenes import held_out_kind, make_scene, one_of, target_kind
from mmrobot.tabletop.objects import TRAINED_COLORS
from mmrobot.tabletop.sampling import HELD_OUT, HELD_OUT_PAIRS, Kind
from mmrobot.tabletop.scene import Scene

# Long and tall things would not lie side by side in one vessel.
SMALL = ("cube", "ball", "cylinder")
ROOM = {"tray": 4, "plate": 2, "bowl": 2}
"""How many small things lie side by side in each."""


def all(rng: np.random.Generator, level: str) -> Draft | None:
    """All of a kind in one vessel; exactly so many; each in another one."""
    x = rng.random()
    if x < 0.25:
        return _different(rng, level)
    scene, vessel = _gathering(rng, level)
    return Draft(scene, "some" if x < 0.5 else "all", reference=vessel)


def negation(rng: np.random.Generator, level: str) -> Draft | None:
    """All but some in one vessel."""
    scene, vessel = _gathering(rng, level, count=(4, 5))
    return Draft(scene, "negation", reference=vessel)


def sort(rng: np.random.Generator, level: str) -> Draft | None:
    """Each of two or three into the vessel of its own colour."""
    shape, vessel = one_of(rng, SMALL), one_of(rng, ("bowl", "bowl", "plate", "tray"))
    n = 3 if vessel != "tray" and rng.random() < 0.3 else 2
    fitting = [c for c in TRAINED_COLORS if not {(c, shape), (c, vessel)} & HELD_OUT]
    colors = [str(c) for c in rng.choice(fitting, n, replace=False)]
    if level == "L1":
        first = held_out_kind(rng, HELD_OUT_PAIRS, SMALL)
        shape, colors[0] = str(first.shape), str(first.color)
        if len(set(colors)) < n:
            return None
    wishes = [*(Kind(shape, c, "small") for c in colors), *(Kind(vessel, c) for c in colors)]
    shapes = tuple(s for s in ("cube", "ball", "cylinder", "bar", "cup") if s != shape)
    scene = make_scene(rng, level, wishes, (2 * n, 2 * n + 2), shapes=shapes)
    return Draft(scene, "sort")


def _different(rng: np.random.Generator, level: str) -> Draft | None:
    """As many vessels as things."""
    target, vessel = target_kind(rng, level, SMALL), one_of(rng, ("bowl", "bowl", "plate"))
    wishes = [target, Kind(target.shape), Kind(vessel), Kind(vessel)]
    others = tuple(s for s in ("cube", "ball", "cylinder", "bar", "cup") if s != target.shape)
    return Draft(make_scene(rng, level, wishes, (4, 6), shapes=others), "different")


def _gathering(rng: np.random.Generator, level: str, count: tuple[int, int] = (3, 6)) -> tuple[Scene, str]:
    """A vessel, two to four things alike, and others; the id of the vessel."""
    vessel = one_of(rng, ("tray", "plate", "bowl"), (0.7, 0.15, 0.15))
    n = int(rng.integers(2, ROOM[vessel] + 1)) if vessel == "tray" else 2
    first = target_kind(rng, level, SMALL)
    alike = Kind(first.shape, None, "small") if rng.random() < 0.6 else Kind(None, first.color, "small")
    if alike.shape is None and alike.color is None:
        alike = Kind(first.shape, None, "small")
    wishes = [Kind(vessel), Kind(first.shape, first.color, "small"), *[alike] * (n - 1)]
    scene = make_scene(rng, level, wishes, (max(count[0], n + 2), max(count[1], n + 3)), shapes=SMALL)
    return scene, scene.objects[0].id
