"""Level L5: two families in one sentence, longer than any that training has."""

from __future__ import annotations

import numpy as np

from mmrobot.errors import InvalidSceneError
from mmrobot.tabletop.families.drafts import Draft
from mmrobot.tabletop.families.scenes import make_scene, one_of, target_kind
from mmrobot.tabletop.sampling import Kind

JOINED = ("push", "all", "negation", "sort", "sequence", "conditional")
"""Families that are joined with another here: the one asked for is the first of the two."""


def begin(family: str, rng: np.random.Generator) -> Draft | None:
    """A scene in which two of these can be done. Raises InvalidSceneError for a family that is not joined."""
    if family not in JOINED:
        raise InvalidSceneError(
            f"'{family}' has no level L5", f"Families that are joined there: {', '.join(JOINED)}."
        )
    shape = one_of(rng, ("cube", "ball", "cylinder"))
    wishes = [
        Kind("tray"), Kind(shape, None, "small"), Kind(shape, None, "small"), target_kind(rng, "L0"),
        target_kind(rng, "L0"), Kind(one_of(rng, ("bowl", "plate"))),
    ]  # fmt: skip
    return Draft(make_scene(rng, "L5", wishes, (6, 8)), f"composed_{family}")
