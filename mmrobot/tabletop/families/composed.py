"""Level L5: two families in one sentence, longer than any that training has."""

from __future__ import annotations

import numpy as np

from mmrobot.errors import InvalidSceneError
from mmrobot.tabletop.families.drafts import Draft
from mmrobot.tabletop.families.scenes import make_scene, one_of, target_kind
from mmrobot.tabletop.objects import TRAINED_COLORS
from mmrobot.tabletop.sampling import HELD_OUT, Kind

JOINED = ("push", "all", "negation", "sort", "sequence", "conditional")
"""Families that are joined with another here: the one asked for is the first of the two."""


def begin(family: str, rng: np.random.Generator) -> Draft | None:
    """A scene in which two of these can be done. Raises InvalidSceneError for a family that is not joined."""
    if family not in JOINED:
        raise InvalidSceneError(
            f"'{family}' has no level L5", f"Families that are joined there: {', '.join(JOINED)}."
        )
    shape = one_of(rng, ("cube", "ball", "cylinder"))
    if family == "sort":
        colors = [
            str(c) for c in rng.choice([c for c in TRAINED_COLORS if _trained(c, shape)], 2, replace=False)
        ]
        wishes = [*(Kind(shape, c, "small") for c in colors), *(Kind("bowl", c) for c in colors)]
        others = tuple(s for s in ("cube", "ball", "cylinder", "cup") if s != shape)
        scene = make_scene(rng, "L5", [*wishes, target_kind(rng, "L0", others)], (6, 7), shapes=others)
        return Draft(scene, "composed_sort")
    wishes = [
        Kind("tray"), Kind(shape, None, "small"), Kind(shape, None, "small"), target_kind(rng, "L0"),
        target_kind(rng, "L0"), Kind(one_of(rng, ("bowl", "plate"))),
    ]  # fmt: skip
    return Draft(make_scene(rng, "L5", wishes, (6, 8)), f"composed_{family}")


def _trained(color: str, shape: str) -> bool:
    return not {(color, shape), (color, "bowl")} & HELD_OUT
