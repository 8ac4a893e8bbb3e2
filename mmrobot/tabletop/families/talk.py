"""Families in which the robot must not act, or not yet: questions, choices, what is not there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mmrobot.tabletop.families import moves
from mmrobot.tabletop.families.drafts import Draft
from mmrobot.tabletop.families.scenes import make_scene, one_of, target_kind
from mmrobot.tabletop.sampling import Kind


def question(rng: np.random.Generator, level: str) -> Draft | None:
    """Something is asked; nothing moves."""
    draft = moves.pick(rng, level)
    return None if draft is None else Draft(draft.scene, "question")


def refuse(rng: np.random.Generator, level: str) -> Draft | None:
    """What is named is not there: one attribute away from something that is."""
    draft = moves.put_in(rng, level) if rng.random() < 0.5 else moves.pick(rng, level)
    if draft is None:
        return None
    role = "reference" if draft.reference and rng.random() < 0.4 else "target"
    return replace(draft, fault=f"absent_{role}")


def clarify(rng: np.random.Generator, level: str) -> Draft | None:
    """Two or three things answer to the words."""
    target = target_kind(rng, level)
    twins = [target] if rng.random() < 0.5 or target.color is None else [Kind(target.shape)]
    holder = [Kind(one_of(rng, ("bowl", "plate", "tray")))]
    scene = make_scene(rng, level, [target, *holder, *twins], (4, 7), distinct=False)
    a, b = scene.objects[:2]
    if not moves.fits(a, b):
        return None
    family, reference = ("put_in", b.id) if rng.random() < 0.6 else ("pick", None)
    return Draft(scene, family, a.id, reference, fault="ambiguous_target")


def twin(rng: np.random.Generator, level: str) -> Draft | None:
    """The scenes of `clarify` and `refuse`, with words that leave nothing open."""
    draft = clarify(rng, level) if rng.random() < 0.5 else refuse(rng, level)
    return None if draft is None else replace(draft, fault=None)
