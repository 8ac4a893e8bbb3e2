"""What must be true once a command is carried out: the meaning is the command's own."""

from __future__ import annotations

import difflib
import math

from mmrobot.tabletop.goals import DIRECTIONS
from mmrobot.tabletop.language import Command
from mmrobot.tabletop.objects import SIZES
from mmrobot.tabletop.scene import Scene

NEAR_M = 0.15
# At most this much between two footprints: config's planning.beside_gap_max_m and some error.
_BESIDE_REACH_M = 0.07


def goals_of(scene: Scene, command: Command) -> list[str]:
    """Predicates of the final state: where each thing was put last, and what the hand holds in the end."""
    placed: dict[str, list[str]] = {}
    held = ""
    for step in command.steps:
        if step.skill == "pick":
            (held,) = step.target_ids
        elif step.skill == "place":
            (reference,) = step.reference_ids
            placed[held] = _placed(scene, held, step.relation or "", reference, command.text)
            held = ""
    goals = [goal for name, own in placed.items() if name != held for goal in own]
    return [*goals, f"held({held})"] if held else goals


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
    for step in command.steps:
        if step.skill == "pick":
            (target,) = step.target_ids
        elif step.relation == "on" and scene.by_id[target].shape == "cube":
            (base,) = step.reference_ids
            if scene.by_id[base].shape == "cube":
                below, above = (SIZES.index(scene.by_id[n].size) for n in (base, target))
                if above > below:
                    return False
    return True
