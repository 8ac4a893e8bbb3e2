"""What must be true once a command is carried out: the meaning is the command's own."""

from __future__ import annotations

import difflib
import math
from collections.abc import Sequence

from mmrobot.tabletop.goals import DIRECTIONS
from mmrobot.tabletop.language import Command, Step
from mmrobot.tabletop.objects import SIZES
from mmrobot.tabletop.scene import Scene

NEAR_M = 0.15
# At most this much between two footprints: config's planning.beside_gap_max_m and some error.
_BESIDE_REACH_M = 0.07
# What is pushed to a thing ends at most so far from it.
_PUSHED_NEAR_M = 0.05
# Between neighbours in the lowest row of a pyramid.
_ROW_M = 0.08


# A pushed thing goes at least this far; one that is put back stands at most this far from where it was.
PUSH_M = 0.05
BACK_M = 0.04


def goals_of(scene: Scene, command: Command) -> list[str]:
    """Predicates of the final state, and of the way there: where each thing was put last, what the hand holds
    in the end, how many lie where, what was never touched. [] where the words have no goal of their own."""
    goals = _Goals(scene, command.text)
    goals.follow(command.steps)
    return goals.all


class _Goals:
    """Follows a command's steps and keeps what must be true after the last."""

    def __init__(self, scene: Scene, text: str) -> None:
        self._scene, self._text = scene, text
        self._placed: dict[str, list[str]] = {}
        self._others: list[str] = []
        self._held = ""

    @property
    def all(self) -> list[str]:
        goals = [goal for name, own in self._placed.items() if name != self._held for goal in own]
        return [*goals, *([f"held({self._held})"] if self._held else []), *self._others]

    def follow(self, steps: Sequence[Step]) -> None:
        i = 0
        while i < len(steps):
            step = steps[i]
            i += 1
            if step.skill == "pick":
                (self._held,) = step.target_ids
            elif step.skill == "place":
                self._place(step)
            elif step.skill == "each":
                self._each(step, steps[i])
                i += 1
            elif step.skill == "push":
                self._push(step)
            elif step.skill == "swap":
                (a,), (b,) = step.target_ids, step.reference_ids
                self._placed[a], self._placed[b] = self._at(a, b), self._at(b, a)
            elif step.skill == "put_back":
                (a,) = step.target_ids
                # Where it was, and yet it was in the hand.
                self._others.append(f"not picked_at_most({a}, 0)")
                self._placed[a], self._held = self._at(a, a), ""
            elif step.skill == "pyramid":
                self._pyramid(step.part_ids)
            elif step.skill == "if":
                self.follow(step.then if step.holds else step.otherwise)
            elif step.skill == "avoid":
                self._others += [f"never_touched({n})" for n in sorted(step.target_ids)]

    def _place(self, step: Step) -> None:
        if not step.reference_ids:
            self._placed[self._held] = [f"on_table({self._held})"]
        else:
            (reference,) = step.reference_ids
            self._placed[self._held] = _placed(
                self._scene, self._held, step.relation or "", reference, self._text
            )
        self._held = ""

    def _at(self, name: str, where: str) -> list[str]:
        x, y = self._scene.by_id[where].position[:2]
        return [f"at({name}, {x:g}, {y:g}, {BACK_M:g})", f"on_table({name})"]

    def _push(self, step: Step) -> None:
        (name,) = step.target_ids
        a = self._scene.by_id[name]
        if step.relation == "near":
            (reference,) = step.reference_ids
            b = self._scene.by_id[reference]
            near = math.ceil(100 * (a.footprint.reach_m + b.footprint.reach_m + _PUSHED_NEAR_M)) / 100
            self._placed[name] = [f"near({name}, {reference}, {near:g})", f"on_table({name})"]
            return
        axis, sign = DIRECTIONS[step.relation or ""]
        way = [0.0, 0.0]
        way[axis] = sign * PUSH_M
        x, y = a.position[:2]
        self._placed[name] = [f"displaced({name}, {x:g}, {y:g}, {way[0]:g}, {way[1]:g})", f"on_table({name})"]

    def _each(self, each: Step, place: Step) -> None:
        """Exactly those, each picked at most once more than needed."""
        relation, members, there = place.relation or "", sorted(each.target_ids), sorted(place.reference_ids)
        self._others += [f"picked_at_most({n}, 2)" for n in members]
        if each.count is not None:
            (vessel,) = there
            strangers = [n for n in self._scene.by_id if n not in members and n != vessel]
            self._others += [f"amount_in({vessel}, {each.count})"]
            self._others += [f"not {relation}({n}, {vessel})" for n in strangers]
            return
        for name in members:
            color = self._scene.by_id[name].color
            fitting = [r for r in there if place.match != "own_color" or self._scene.by_id[r].color == color]
            if place.match != "different" and len(fitting) == 1:
                self._placed[name] = [f"{relation}({name}, {fitting[0]})"]
        for vessel in there:
            inside = sum(f"{relation}({n}, {vessel})" in self._placed.get(n, ()) for n in members)
            n = 1 if place.match == "different" else inside
            self._others.append(f"amount_in({vessel}, {n})")

    def _pyramid(self, names: Sequence[str]) -> None:
        a, b, c, d, e, f = names
        for left, right in ((a, b), (b, c)):
            self._placed[right] = [f"right_of({right}, {left})", f"near({right}, {left}, {_ROW_M:g})"]
        for upper, lower in ((d, (a, b)), (e, (b, c)), (f, (d, e))):
            self._placed[upper] = [f"rests_on({upper}, {n})" for n in lower]


def _placed(scene: Scene, target: str, relation: str, reference: str, text: str) -> list[str]:
    if relation not in DIRECTIONS:
        return [f"{relation}({target}, {reference})"]
    a, b = (scene.by_id[n].footprint for n in (target, reference))
    axis, _ = DIRECTIONS[relation]
    near = max(NEAR_M, math.ceil(100 * (a.extent_m[axis] + b.extent_m[axis] + _BESIDE_REACH_M)) / 100)
    close = f"near({target}, {reference}, {near:g})"
    if relation == "right_of" and not _says_right(text):
        return [close, f"not in({target}, {reference})", f"not on({target}, {reference})"]
    return [f"{relation}({target}, {reference})", close]


def _says_right(text: str) -> bool:
    """Whether the side is named: "next to" and the like leave it open, though they are planned on the right.

    By likeness, since words may be mistyped or misheard; "bright red" names no side.
    """
    known = ("right", "rightward", "write", "rite", "bright")
    nearest = [
        difflib.get_close_matches(w.strip(".,!?"), known, n=1, cutoff=0.75) for w in text.lower().split()
    ]
    return any(match and match[0] != "bright" for match in nearest)


def sizes_rise(scene: Scene, command: Command) -> bool:
    """No cube is placed on a smaller one."""
    target = ""
    for step in flat(command.steps):
        if step.skill == "pick":
            (target,) = step.target_ids
        elif (
            step.skill == "place"
            and step.relation == "on"
            and target
            and len(step.reference_ids) == 1
            and scene.by_id[target].shape == "cube"
        ):
            (base,) = step.reference_ids
            if scene.by_id[base].shape == "cube":
                below, above = (SIZES.index(scene.by_id[n].size) for n in (base, target))
                if above > below:
                    return False
    return True


def flat(steps: Sequence[Step]) -> list[Step]:
    """All steps, those of both branches of a condition among them."""
    return [inner for s in steps for inner in (flat((*s.then, *s.otherwise)) if s.skill == "if" else [s])]
