"""Families of pushes, conditions and bans."""

from __future__ import annotations

import numpy as np

from mmrobot.tabletop.families import moves
from mmrobot.tabletop.families.drafts import Draft
from mmrobot.tabletop.families.scenes import make_scene, one_of, target_kind
from mmrobot.tabletop.footprint import Footprint, gap_m
from mmrobot.tabletop.goals import DIRECTIONS
from mmrobot.tabletop.sampling import Kind
from mmrobot.tabletop.scene import WORK_AREA_X, WORK_AREA_Y, Scene, SceneObject

PUSHED = ("cube", "cylinder", "cup", "ball")
# Free before a pushed thing, and on both sides of its way.
_WAY_M = 0.14
_SIDE_M = 0.02
# Behind it, where the hand comes down.
_HAND_M = 0.05
_NEAR_M = (0.10, 0.28)
BAN_M = 0.06
"""Around a thing that must not be touched nothing is asked for."""


def push(rng: np.random.Generator, level: str) -> Draft | None:
    """A thing pushed some way, or to another thing, over free table."""
    near = rng.random() < 0.35
    shapes = PUSHED if near else PUSHED[:3]
    target = target_kind(rng, level, tuple(s for s in shapes if level != "L1" or s != "cup"))
    scene = make_scene(rng, level, [target, Kind(one_of(rng, ("bowl", "tray", "plate", "cube")))], (3, 6))
    a, b = scene.objects[:2]
    if near:
        return Draft(scene, "push", a.id, b.id, "near") if can_be_pushed(scene, a, "near", b) else None
    fitting = tuple(relation for relation in DIRECTIONS if can_be_pushed(scene, a, relation))
    return Draft(scene, "push", a.id, relation=one_of(rng, fitting)) if fitting else None


def can_be_pushed(scene: Scene, a: SceneObject, relation: str, b: SceneObject | None = None) -> bool:
    """Whether a thing can be pushed that way, or near to `b`: it stands on the table, its way is free, and so
    is the place behind it, where the hand comes down."""
    if a.underside_z_m > 0 or a.shape not in PUSHED:
        return False
    if b is None:
        axis, sign = DIRECTIONS[relation]
        aim = (float(sign), 0.0) if axis == 0 else (0.0, float(sign))
        return a.shape != "ball" and _way_is_free(a, aim, _WAY_M, scene, {a.id})
    away = float(np.hypot(b.position[0] - a.position[0], b.position[1] - a.position[1]))
    if not _NEAR_M[0] < away - b.footprint.reach_m < _NEAR_M[1]:
        return False
    aim = ((b.position[0] - a.position[0]) / away, (b.position[1] - a.position[1]) / away)
    return _way_is_free(a, aim, away - b.footprint.reach_m - a.footprint.reach_m, scene, {a.id, b.id})


def _way_is_free(a: SceneObject, aim: tuple[float, float], way_m: float, scene: Scene, but: set[str]) -> bool:
    for gone in np.arange(-_HAND_M - a.footprint.reach_m, way_m + 1e-9, 0.02):
        x, y = a.position[0] + aim[0] * gone, a.position[1] + aim[1] * gone
        spot = Footprint((x, y), a.footprint.half_m, a.yaw, a.footprint.round)
        if gone > 0 and not (WORK_AREA_X[0] <= x <= WORK_AREA_X[1] and WORK_AREA_Y[0] <= y <= WORK_AREA_Y[1]):
            return False
        if any(gap_m(spot, o.footprint) < _SIDE_M for o in scene.objects if o.id not in but):
            return False
    return True


def conditional(rng: np.random.Generator, level: str) -> Draft | None:
    """One branch or the other; now and then something that must not be touched."""
    if rng.random() < 0.35:
        return _ban(rng, level)
    vessels = ("bowl", "plate", "tray")
    target = target_kind(rng, level)
    first = one_of(rng, vessels)
    second = one_of(rng, tuple(v for v in vessels if v != first))
    return Draft(make_scene(rng, level, [target, Kind(first), Kind(second)], (4, 7)), "conditional")


def _ban(rng: np.random.Generator, level: str) -> Draft | None:
    draft = moves.put_in(rng, level)
    if draft is None:
        return None
    a, b = (draft.scene.by_id[n or ""] for n in (draft.target, draft.reference))
    others = [o for o in draft.scene.objects if o is not a and o is not b and o.named]
    clear = all(min(gap_m(o.footprint, p.footprint) for p in (a, b)) >= BAN_M for o in others)
    return Draft(draft.scene, "avoid", a.id, b.id) if others and clear else None
