"""Families of several turns, and of things that happen while the robot is at work."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import numpy as np

from mmrobot.tabletop.episode import Disturbance, Followup, Move
from mmrobot.tabletop.families import moves
from mmrobot.tabletop.families.drafts import Draft, Story, Told, say
from mmrobot.tabletop.families.goals import BACK_M, goals_of
from mmrobot.tabletop.families.scenes import make_scene, one_of, target_kind
from mmrobot.tabletop.language import Command
from mmrobot.tabletop.plan_meaning import Meaning, meaning_of
from mmrobot.tabletop.sampling import Kind
from mmrobot.tabletop.scene import Scene, SceneObject

_AWAY = ((0.45, 0.62), (0.45, -0.62))
"""On the table, out of the robot's work area."""
_STOP_S = (2.0, 3.5)


def back(o: SceneObject) -> list[str]:
    """The thing is where it was."""
    x, y = o.position[:2]
    return [f"at({o.id}, {x:g}, {y:g}, {BACK_M:g})", f"on_table({o.id})"]


def dialogue(rng: np.random.Generator, level: str) -> Story | None:
    """Corrections, "the other one", "put it back", "do the same with the blue one"."""
    target, vessel = (
        target_kind(rng, level, ("cube", "ball", "cylinder")),
        one_of(rng, ("tray", "bowl", "plate")),
    )
    second = one_of(rng, tuple(v for v in ("tray", "bowl", "plate") if v != vessel))
    others = tuple(s for s in ("cube", "ball", "cylinder", "cup") if s != target.shape)
    alike = Kind(target.shape, None, target.size)
    scene = make_scene(rng, level, [target, alike, Kind(vessel), Kind(second)], (4, 6), shapes=others)
    a, b, r, r2 = scene.objects[:4]
    if not all(moves.fits(o, v) for o in (a, b) for v in (r, r2)):
        return None
    kind = one_of(rng, ("instead", "elsewhere", "again", "other", "not_that", "put_back", "put_back"))
    # Two lie in one vessel: only where there is room.
    if kind in ("again", "other") and r.shape != "tray":
        return None
    return Story(scene, lambda lv, words: _dialogue(scene, kind, lv, words))


def _dialogue(scene: Scene, kind: str, level: str, words: random.Random) -> Told | None:
    a, b, r, r2 = scene.objects[:4]
    picks = kind == "not_that" or (kind == "put_back" and words.random() < 0.5)
    first = say(Draft(scene, "pick" if picks else "put_in", a.id, None if picks else r.id), level, words)
    acts = {
        "instead": Draft(scene, "instead", b.id),
        "elsewhere": Draft(scene, "instead", None, r2.id),
        "again": Draft(scene, "again", b.id),
    }
    second = say(acts.get(kind, Draft(scene, kind)), level, words)
    if first is None or second is None:
        return None
    if kind == "put_back":
        # "Put the can back" of a can that nobody moved has no meaning.
        (*before, back_again) = second.steps
        if before or not back_again.target_ids <= {a.id}:
            return None
    goals = goals_of(scene, first)
    if kind == "put_back":
        goals = [*back(a), f"not picked_at_most({a.id}, 0)"]
    elif kind == "not_that":
        goals = [f"held({b.id})", *back(a)]
    elif kind == "elsewhere":
        relation = second.steps[0].relation or "in"
        goals = [f"{relation}({a.id}, {r2.id})"]
    else:
        moved = [g.replace(a.id, b.id) for g in goals]
        goals = [*(back(a) if kind == "instead" else goals), *moved]
    involved = frozenset({a.id, b.id, r.id, r2.id})
    return Told(first.text, tuple(goals), involved, _meant(first, second), (Followup("done", second.text),))


def interrupt(rng: np.random.Generator, level: str) -> Story | None:
    """Stop; stop and go on; another command in the middle of a motion."""
    holder = Kind(one_of(rng, ("bowl", "plate", "tray")))
    scene = make_scene(rng, level, [target_kind(rng, level), holder, target_kind(rng, "L0")], (4, 7))
    a, r, b = scene.objects[:3]
    if not (moves.fits(a, r) and moves.fits(b, r)) or a.shape == b.shape:
        return None
    kind = one_of(rng, ("stop", "go_on", "stop_then", "new"))
    at_s = round(float(rng.uniform(*_STOP_S)), 1)
    return Story(scene, lambda lv, words: _interrupt(scene, kind, at_s, lv, words))


def _interrupt(scene: Scene, kind: str, at_s: float, level: str, words: random.Random) -> Told | None:
    a, r, b = scene.objects[:3]
    first = say(Draft(scene, "put_in", a.id, r.id), level, words)
    if first is None:
        return None
    stop = Followup(f"seconds:{at_s:g}", words.choice(("stop", "stop!", "Stop.", "halt", "stop now please")))
    involved = frozenset({a.id, r.id})
    goals = goals_of(scene, first)
    if kind == "stop":
        return Told(first.text, tuple(f"not {g}" for g in goals), involved, _meant(first, None), (stop,))
    then = Followup(f"seconds:{at_s + 2:g}", "")
    if kind == "go_on":
        second = say(Draft(scene, "resume"), level, words)
        goals = goals_of(scene, first)
    else:
        second = say(Draft(scene, "pick", b.id), level, words)
        goals = [f"held({b.id})", f"not held({a.id})"]
        involved = involved | {b.id}
    if second is None:
        return None
    if kind == "new":
        meant = _meant(first, second)
        return Told(first.text, tuple(goals), involved, meant, (Followup("step:1", second.text),))
    meant = _meant(first, None, second)
    return Told(first.text, tuple(goals), involved, meant, (stop, replace(then, say=second.text)))


def disturbed(rng: np.random.Generator, level: str) -> Story | None:
    """Somebody moves, takes or adds a thing, or knocks it out of the hand."""
    kind = one_of(rng, ("target", "reference", "taken", "added", "knocked"))
    draft = moves.put_beside(rng, level) if kind == "added" else moves.put_in(rng, level)
    if draft is None or len(draft.scene.objects) < 3:
        return None
    scene = draft.scene
    a, r = (scene.by_id[n or ""] for n in (draft.target, draft.reference))
    if kind == "added":
        return _added(rng, draft)
    moved = r if kind == "reference" else a
    spot = _AWAY[int(a.position[1] < 0)] if kind == "taken" else _free_spot(rng, moved, scene)
    if spot is None:
        return None
    step = "step:0" if kind in ("target", "taken") else "step:1"
    what = Disturbance(step, Move(moved.id, spot))
    return Story(scene, lambda lv, words: _disturbed(draft, kind, what, lv, words))


def _disturbed(draft: Draft, kind: str, what: Disturbance, level: str, words: random.Random) -> Told | None:
    command = say(draft, level, words)
    if command is None:
        return None
    goals = goals_of(draft.scene, command)
    if kind == "taken":
        goals = [f"not held({draft.target})", *(f"not {g}" for g in goals)]
    involved = _named(command) | {what.move.id}
    return Told(command.text, tuple(goals), involved, _meant(command), disturb=(what,))


def _added(rng: np.random.Generator, draft: Draft) -> Story | None:
    """A thing that stood aside is put on the very spot, while the hand is on its way there."""
    scene = draft.scene
    a, r = (scene.by_id[n or ""] for n in (draft.target, draft.reference))
    spot = moves.spot(a, r, draft.relation or "").center_m
    small = [o for o in scene.objects if o.id not in (a.id, r.id) and o.shape in ("cube", "cylinder", "ball")]
    if not small:
        return None
    added = small[0]
    aside = replace(added, position=_AWAY[int(rng.integers(2))])
    moved = replace(scene, objects=tuple(aside if o is added else o for o in scene.objects))
    here = (round(spot[0], 4), round(spot[1], 4))
    what = Disturbance("step:1", Move(added.id, here))
    # Named by colour and shape: what stands aside may be of the same kind as what is meant.
    drawn = replace(draft, scene=moved, kinds={"color_shape": 1.0})
    return Story(moved, lambda lv, words: _disturbed(drawn, "added", what, lv, words))


def _free_spot(rng: np.random.Generator, o: SceneObject, scene: Scene) -> tuple[float, float] | None:
    """Five to fifteen centimetres away, on free table of the work area."""
    for _ in range(30):
        turn, away = float(rng.uniform(0, 2 * math.pi)), float(rng.uniform(0.06, 0.15))
        x, y = o.position[0] + away * math.cos(turn), o.position[1] + away * math.sin(turn)
        if moves.free(replace(o.footprint, center_m=(x, y)), scene, o.id):
            return (round(x, 4), round(y, 4))
    return None


def _named(command: Command) -> frozenset[str]:
    return frozenset().union(*(s.target_ids | s.reference_ids for s in command.steps))


def _meant(*said: Command | None) -> tuple[Meaning, ...]:
    """What each sentence means; None for a stop word."""
    return tuple(() if c is None else meaning_of(c.text, c.steps) for c in said)
