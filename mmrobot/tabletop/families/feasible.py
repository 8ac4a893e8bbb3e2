"""Whether what a command asks for can be done with the things of a scene, before anybody tries."""

from __future__ import annotations

from collections.abc import Sequence

from mmrobot.tabletop.families import moves
from mmrobot.tabletop.families.deeds import can_be_pushed
from mmrobot.tabletop.families.goals import flat
from mmrobot.tabletop.families.sets import ROOM, SMALL
from mmrobot.tabletop.language import Command, Step
from mmrobot.tabletop.language.lexicon import GENERIC_WORDS
from mmrobot.tabletop.scene import Scene, SceneObject
from mmrobot.vlm.words import words

_VESSELS = ("bowl", "plate", "tray")
_OPEN = GENERIC_WORDS | {"everything", "them", "it", "there", "whatever", "thing", "you"}
MEMBERS = (2, 4)
"""Of a set that is moved."""


def feasible(scene: Scene, command: Command) -> bool:
    """Whether every thing fits where it goes: in vessels, cubes on cubes; sets as far as there is room. Where
    things without a name are about, no set may be open to them ("everything", "the yellow ones")."""
    if any(not o.named for o in scene.objects):
        said = words(command.text)
        sets = [s for s in flat(command.steps) if s.skill == "each"]
        if any(said[i] in _OPEN for s in sets for i in s.target or ()):
            return False
    return _fits(scene, command.steps)


def _fits(scene: Scene, steps: Sequence[Step]) -> bool:
    target: SceneObject | None = None
    for i, step in enumerate(steps):
        if step.skill == "if" and not (_fits(scene, step.then) and _fits(scene, step.otherwise)):
            return False
        if step.skill == "pick":
            target = scene.by_id[min(step.target_ids)]
        elif step.skill == "each":
            if not _set_fits(scene, step, steps[i + 1]):
                return False
            target = None
        elif step.skill == "place" and target is not None and step.reference_ids:
            if not _lies(scene, target, step):
                return False
        elif step.skill == "push":
            a, to = scene.by_id[min(step.target_ids)], [scene.by_id[n] for n in step.reference_ids]
            if not can_be_pushed(scene, a, step.relation or "", to[0] if to else None):
                return False
        elif step.skill == "swap":
            named = [scene.by_id[n] for n in (*step.target_ids, *step.reference_ids)]
            if any(o.underside_z_m > 0 for o in named):
                return False
    return True


def _lies(scene: Scene, target: SceneObject, place: Step) -> bool:
    base = scene.by_id[min(place.reference_ids)]
    if place.relation not in ("in", "on"):
        return True
    if base.shape in _VESSELS:
        return moves.fits(target, base)
    return (target.shape, base.shape) == ("cube", "cube") and place.relation == "on"


def _set_fits(scene: Scene, each: Step, place: Step) -> bool:
    members = [scene.by_id[n] for n in each.target_ids]
    vessels = [scene.by_id[n] for n in place.reference_ids]
    if not MEMBERS[0] <= len(members) <= MEMBERS[1] or any(m.shape not in SMALL for m in members):
        return False
    if not all(v.shape in _VESSELS and moves.fits(m, v) for m in members for v in vessels):
        return False
    if place.match == "different":
        return len(members) == len(vessels)
    if place.match == "own_color":
        own = [[v for v in vessels if v.color == m.color] for m in members]
        each_one = [v[0].id for v in own if len(v) == 1]
        return len(each_one) == len(members) == len(set(each_one))
    count = each.count or len(members)
    return count <= ROOM[vessels[0].shape] and (each.count is None or each.count < len(members) + 1)
