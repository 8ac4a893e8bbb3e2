"""Families that move things: picks, places, towers; referring, labelled and sequential ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mmrobot.tabletop.families.drafts import Draft
from mmrobot.tabletop.families.scenes import held_out_kind, make_scene, one_of, target_kind
from mmrobot.tabletop.footprint import Footprint, gap_m
from mmrobot.tabletop.goals import DIRECTIONS
from mmrobot.tabletop.levels import add_labels
from mmrobot.tabletop.objects import GRASPABLE, SHAPES, SIZES, TRAINED_COLORS
from mmrobot.tabletop.sampling import HELD_OUT_HOLDERS, HELD_OUT_PAIRS, Kind
from mmrobot.tabletop.scene import WORK_AREA_X, WORK_AREA_Y, Scene, SceneObject

_BESIDE_GAP_M = 0.03
_SPOT_CLEARANCE_M = 0.025
_TOWER_SHARE = 0.2
_PYRAMID_SHARE = 0.1
_SWAP_SHARE, _BACK_SHARE = 0.15, 0.1
REFER_KINDS: dict[str, float] = {
    "extreme": 4, "rank": 3, "middle": 1, "relation": 4, "nearest": 2, "not": 2, "size": 2,
}  # fmt: skip
LABEL_KINDS: dict[str, float] = {"label": 1.0}


def pick(rng: np.random.Generator, level: str) -> Draft | None:
    scene = make_scene(rng, level, [target_kind(rng, level)])
    return Draft(scene, "pick", scene.objects[0].id)


def fits(target: SceneObject, holder: SceneObject) -> bool:
    """Whether a thing lies in a holder, not across it; a tray takes all."""
    return holder.shape == "tray" or target.footprint.reach_m <= 0.85 * holder.dims.opening_m[0] / 2


def put_in(rng: np.random.Generator, level: str) -> Draft | None:
    holder = Kind(one_of(rng, ("bowl", "plate", "tray"), (0.55, 0.2, 0.25)))
    target = target_kind(rng, level)
    if level == "L1" and rng.random() < 0.5:
        holder = held_out_kind(rng, HELD_OUT_HOLDERS, ("bowl", "tray"))
        target = target_kind(rng, "L0") if rng.random() < 0.5 else target
    scene = make_scene(rng, level, [target, holder])
    a, b = scene.objects[:2]
    return Draft(scene, "put_in", a.id, b.id) if fits(a, b) else None


def spot(target: SceneObject, reference: SceneObject, relation: str) -> Footprint:
    """Where the target would stand beside the reference."""
    axis, sign = DIRECTIONS[relation]
    away = target.footprint.extent_m[axis] + reference.footprint.extent_m[axis] + _BESIDE_GAP_M
    center = [reference.position[0], reference.position[1]]
    center[axis] += sign * away
    return Footprint((center[0], center[1]), target.footprint.half_m, target.yaw, target.footprint.round)


def free(spot: Footprint, scene: Scene, but: str) -> bool:
    x, y = spot.center_m
    ex, ey = spot.extent_m
    inside = WORK_AREA_X[0] <= x - ex and x + ex <= WORK_AREA_X[1]
    inside = inside and WORK_AREA_Y[0] <= y - ey and y + ey <= WORK_AREA_Y[1]
    return inside and all(gap_m(spot, o.footprint) >= _SPOT_CLEARANCE_M for o in scene.objects if o.id != but)


def put_beside(rng: np.random.Generator, level: str) -> Draft | None:
    scene = make_scene(rng, level, [target_kind(rng, level), Kind(one_of(rng, SHAPES))])
    a, b = scene.objects[:2]
    relations = [r for r in DIRECTIONS if free(spot(a, b, r), scene, a.id)]
    if not relations:
        return None
    return Draft(scene, "put_beside", a.id, b.id, relations[int(rng.integers(len(relations)))])


def stack(rng: np.random.Generator, level: str) -> Draft | None:
    """Cubes, none on a smaller one; a tower of three now and then."""
    if level != "L1" and rng.random() < _TOWER_SHARE:
        # Others that could be part of the tower would leave open which three are meant.
        others = ("ball", "cup", "bowl", "plate", "tray")
        scene = make_scene(rng, level, [Kind("cube")] * 3, (3, 6), shapes=others)
        return Draft(scene, "tower")
    if level != "L1" and rng.random() < _PYRAMID_SHARE:
        colors = [str(c) for c in rng.choice([c for c in TRAINED_COLORS if c != "black"], 6, replace=False)]
        six = [Kind("cube", c, "small") for c in colors]
        return Draft(_level(make_scene(rng, level, six, (6, 7), shapes=("ball", "cup")), 6), "pyramid")
    cubes = [Kind("cube"), Kind("cube")]
    if level == "L1":
        cubes[int(rng.integers(2))] = held_out_kind(rng, HELD_OUT_PAIRS, ("cube",))
    scene = make_scene(rng, level, cubes)
    a, b = scene.objects[:2]
    return Draft(scene, "stack", a.id, b.id, "on") if SIZES.index(a.size) <= SIZES.index(b.size) else None


def _level(scene: Scene, count: int) -> Scene:
    """The first things all as high as the first: on blocks of different heights none lies level."""
    z = scene.objects[0].stretch[2]
    same = (replace(o, stretch=(*o.stretch[:2], z)) for o in scene.objects[:count])
    return replace(scene, objects=(*same, *scene.objects[count:]))


def refer(rng: np.random.Generator, level: str) -> Draft | None:
    """Things told apart by order, relation, size, or by what they are not."""
    target = target_kind(rng, level)
    alike = [Kind(target.shape)] * int(rng.integers(1, 3))
    if rng.random() < 0.5:
        scene = make_scene(rng, level, [target, *alike], (4, 8))
        return Draft(scene, "pick", scene.objects[0].id, kinds=REFER_KINDS)
    holder = Kind(one_of(rng, ("bowl", "plate", "tray")))
    scene = make_scene(rng, level, [target, holder, *alike], (4, 8))
    a, b = scene.objects[:2]
    return Draft(scene, "put_in", a.id, b.id, kinds=REFER_KINDS) if fits(a, b) else None


def label(rng: np.random.Generator, level: str) -> Draft | None:
    """A thing into the tray of a print, or a printed cube taken."""
    target = target_kind(rng, level)
    if rng.random() < 0.5:
        target = held_out_kind(rng, HELD_OUT_PAIRS, ("cube",)) if level == "L1" else Kind("cube")
        scene = add_labels(rng, make_scene(rng, level, [target, Kind("cube")]), share=1.0)
        draft = Draft(scene, "pick", scene.objects[0].id, kinds=LABEL_KINDS)
        return draft if scene.objects[0].label else None
    scene = add_labels(rng, make_scene(rng, level, [target, Kind("tray"), Kind("tray")]), share=1.0)
    a, b = scene.objects[:2]
    # The target's own phrase may be its print as well; the tray's is.
    return Draft(scene, "put_in", a.id, b.id, kinds=LABEL_KINDS) if b.label else None


def sequence(rng: np.random.Generator, level: str) -> Draft | None:
    """Two or three moves in one sentence; two things that change places; one taken and put back."""
    if level != "L1" and (x := rng.random()) < _SWAP_SHARE + _BACK_SHARE:
        scene = make_scene(rng, level, [target_kind(rng, level), Kind(one_of(rng, GRASPABLE))], (3, 6))
        return Draft(scene, "swap" if x < _SWAP_SHARE else "put_back", scene.objects[0].id)
    holder = Kind(one_of(rng, ("bowl", "plate", "tray")))
    wishes = [target_kind(rng, level), holder, target_kind(rng, "L0")]
    return Draft(make_scene(rng, level, wishes, (4, 8)), "sequence")
