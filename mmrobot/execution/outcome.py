"""What became of a thing that was put or pushed somewhere, judged by a fresh look, and said in words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from mmrobot.execution.robot import LookResult
from mmrobot.planning.filling import lies_over
from mmrobot.planning.footprint import footprint_of, gap_m
from mmrobot.planning.identity import stands_anew
from mmrobot.planning.places import DIRECTIONS_RAD
from mmrobot.planning.planner import distance_m
from mmrobot.planning.pushing import is_push
from mmrobot.planning.skills import VERIFY
from mmrobot.planning.table_top import TABLE
from mmrobot.planning.vessel import carries_several, is_hollow
from mmrobot.types import GroundedObject, PlanStep

# Something seen this near to the goal is surely the thing; further off, it may be one that looks like it.
_FELL_BESIDE_M = 0.15
_STILL_THERE_M = 0.03
_REST_HEIGHT_M = 0.03
_BESIDE_M = 0.10
_RIM_M = 0.003
# A push is done when the thing has gone so far, no further off its direction than this, or comes so near.
_PUSHED_M = 0.05
_ASTRAY_RAD = math.radians(35)
_NEAR_M = 0.04
# A vessel this high for its width hides what lies in it: a cup.
_HIDES_RATIO = 0.6


@dataclass(frozen=True)
class Done:
    """A place or push as it was carried out; `origin` is the thing as it was before."""

    step: PlanStep
    origin: GroundedObject | None

    @property
    def as_placed(self) -> GroundedObject | None:
        """The thing, standing at its goal."""
        thing, goal = self.step.target, self.step.goal_position_m
        if thing is None or goal is None:
            return None
        return replace(thing, position_m=(goal[0], goal[1], goal[2] + thing.size_m[2] / 2))

    @property
    def words(self) -> str:
        """Such as "the red cube in the bowl"."""
        return _words(self.step)


@dataclass(frozen=True)
class Problem:
    """Why something is not done. `seen` is the thing where it lies instead, if it is surely this one:
    then it may be taken again."""

    message: str
    where: str
    seen: GroundedObject | None = None


def problem_with(
    done: Done, look: LookResult, tolerance_m: float, placed: Sequence[Done] = ()
) -> Problem | None:
    """What a look says against it; None when the thing is where it was put, or a cup hides it.

    `placed` is what else was put somewhere: what is seen there, or where something else stood before, may
    be another thing that the phrase fits by now.
    """
    step, seen = done.step, look.step
    if step.target is None or step.goal_position_m is None:
        return None
    if seen is None or seen.target is None:
        if _hides(step):
            return None
        return Problem(f"'{step.target.label}' is not seen where it was put", "is not seen where it was put")
    thing, reference = seen.target, seen.reference or step.reference
    if is_push(step):
        there = _was_pushed(done, thing, reference)
    else:
        there = _is_there(step, thing, reference, tolerance_m)
    if there:
        return None
    off_m = distance_m(thing.position_m, step.goal_position_m)
    still = done.origin is not None and distance_m(thing.position_m, done.origin.position_m) < _STILL_THERE_M
    known = still or off_m < _FELL_BESIDE_M or stands_anew(thing, _known_by_now(done, placed))
    if not known and _hides(step):
        return None
    goal, at = step.goal_position_m, thing.position_m
    how = "pushed towards" if is_push(step) else "put at"
    message = (
        f"'{thing.label}' was {how} x={goal[0]:.2f}, y={goal[1]:.2f} m, but is seen at "
        f"x={at[0]:.2f}, y={at[1]:.2f}, z={at[2]:.2f} m"
    )
    where = "is still where it was" if still else place_words(thing, reference)
    return Problem(message, where, thing if known else None)


def to_look_for(done: Done, placed: Sequence[Done] = ()) -> PlanStep:
    """What is asked of a look: the thing at its goal, among all else as it is known by now."""
    return replace(done.step, skill=VERIFY, target=done.as_placed, obstacles=_known_by_now(done, placed))


def _known_by_now(done: Done, placed: Sequence[Done]) -> tuple[GroundedObject, ...]:
    """What stood around when it was put down, and what else was put somewhere."""
    later = tuple(d.as_placed for d in placed if d is not done and d.as_placed is not None)
    return (*done.step.obstacles, *later)


def place_words(thing: GroundedObject, reference: GroundedObject | None) -> str:
    """Where a thing is, for a person: "is beside the tray", or metres of the table."""
    beside = reference is not None and gap_m(footprint_of(thing), footprint_of(reference)) < _BESIDE_M
    if beside and reference is not None and reference.label != TABLE:
        return f"is beside {reference.label}"
    return f"is at x={thing.position_m[0]:.2f}, y={thing.position_m[1]:.2f} m"


def report(done: Sequence[Done], problems: Sequence[tuple[Done, Problem]], held: str = "") -> str:
    """The end in one line: what was done, and what was not and why."""
    failed = [id(item) for item, _ in problems]
    parts = [item.words for item in done if id(item) not in failed]
    words = [f"done: {', '.join(parts)}"] if parts else []
    if problems:
        words.append("not done: " + ", ".join(f"{_name(item.step)} {p.where}" for item, p in problems))
    if held:
        words.append(f"the hand holds {held}")
    return "; ".join(words)


def _is_there(
    step: PlanStep, thing: GroundedObject, reference: GroundedObject | None, tolerance_m: float
) -> bool:
    assert step.goal_position_m is not None and step.target is not None
    near = distance_m(thing.position_m, step.goal_position_m) <= tolerance_m
    if reference is None or reference.label == TABLE:
        return near
    carries = any(carries_several(r) for r in (reference, step.reference) if r is not None)
    if step.relation in ("in", "on") and carries:
        # Where in the vessel it lies is not asked; but on its rim is not in it, unless it was put so high.
        rim_m = max(reference.top_z_m - _RIM_M, step.goal_position_m[2] + _REST_HEIGHT_M)
        across_rim = step.relation == "in" and thing.top_z_m - step.target.size_m[2] > rim_m
        return lies_over(reference, thing.position_m[0], thing.position_m[1]) and not across_rim
    if step.relation in DIRECTIONS_RAD:
        return near and _on_its_side(step.relation, thing, reference)
    # Its top tells: the underside of a thing on another is hidden, and may be taken for the other's.
    lower = step.goal_position_m[2] + step.target.size_m[2] - thing.top_z_m > _REST_HEIGHT_M
    return near and not lower


def _was_pushed(done: Done, thing: GroundedObject, reference: GroundedObject | None) -> bool:
    """Whether it has gone that way, far enough to be seen, or has come near."""
    if reference is not None:
        return gap_m(footprint_of(thing), footprint_of(reference)) <= _NEAR_M
    if done.origin is None or done.step.relation is None:
        return False
    turn = DIRECTIONS_RAD[done.step.relation]
    dx = thing.position_m[0] - done.origin.position_m[0]
    dy = thing.position_m[1] - done.origin.position_m[1]
    along, across = dx * math.cos(turn) + dy * math.sin(turn), -dx * math.sin(turn) + dy * math.cos(turn)
    return along >= _PUSHED_M and abs(across) <= along * math.tan(_ASTRAY_RAD)


def _on_its_side(relation: str, thing: GroundedObject, reference: GroundedObject) -> bool:
    """Whether it lies more that way than across."""
    turn = DIRECTIONS_RAD[relation]
    dx = thing.position_m[0] - reference.position_m[0]
    dy = thing.position_m[1] - reference.position_m[1]
    along = dx * math.cos(turn) + dy * math.sin(turn)
    return along > abs(-dx * math.sin(turn) + dy * math.cos(turn)) - 0.005


def _hides(step: PlanStep) -> bool:
    vessel = step.reference
    if vessel is None or not is_hollow(vessel):
        return False
    return vessel.size_m[2] > _HIDES_RATIO * min(vessel.size_m[:2])


def _name(step: PlanStep) -> str:
    return step.target.label if step.target is not None else "it"


def _words(step: PlanStep) -> str:
    relation = (step.relation or "").replace("_", " ")
    if step.skill == "push":
        return step.summary.replace("push ", "", 1).replace(_name(step), f"{_name(step)} pushed", 1)
    reference = step.reference.label if step.reference is not None else "the table"
    return f"{_name(step)} {relation} {reference}"
