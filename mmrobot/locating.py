"""A planned step's things where they are now: the second look, before contact and after placing."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from mmrobot.errors import AmbiguousError, NoDepthError, TargetNotFoundError
from mmrobot.grounding.height import height_at
from mmrobot.looking import Look
from mmrobot.planning.bans import banned, widened
from mmrobot.planning.footprint import footprint_of
from mmrobot.planning.identity import seen_in_place, stands_anew
from mmrobot.planning.places import goal_position
from mmrobot.planning.planner import distance_m, like_size, same_thing
from mmrobot.planning.pushing import is_push, push_goal
from mmrobot.planning.skills import BLOCKED, VERIFY
from mmrobot.planning.table_top import TABLE, free_spot, table_top
from mmrobot.types import GroundedObject, PlanStep

# What was pushed may have rolled on, or have been left behind, by so much.
_PUSHED_M = 0.12
# Where a vessel's floor is looked for, in shares of its half sides, and how much of its height must be there.
_SPOTS = (-0.7, -0.35, 0.0, 0.35, 0.7)
_FLOOR_SHARE = 0.6
# Surfaces this near to the height that is expected may be it.
_SAME_HEIGHT_M = 0.010


def locate(look: Look, step: PlanStep) -> PlanStep:
    """The step with its things where they are in a new look; steps about no thing stay as they are.

    Raises TargetNotFoundError or AmbiguousError when the thing vanished or cannot be told apart,
    NoDepthError, UnsafeError when the new goal has no room.
    """
    target, reference = step.target, step.reference
    if step.skill == VERIFY and target is not None:
        seen = _where_put(look, step, target)
        return replace(
            step, target=seen, reference=_still_known(look, reference), obstacles=_without(look.things, seen)
        )
    if step.skill == "pick" and target is not None:
        seen = look.again(target)
        return replace(step, target=seen, obstacles=_around(look, step, seen))
    if step.skill == "push" and target is not None:
        return _push(look, step, target)
    if step.skill == "place" and reference is not None and target is not None:
        on_table = reference.label == TABLE
        return _set_down(look, step, target) if on_table else _place(look, step, target, reference)
    return step


def _set_down(look: Look, step: PlanStep, target: GroundedObject) -> PlanStep:
    others = _around(look, step)
    wish = None if step.goal_position_m is None else step.goal_position_m[:2]
    goal = free_spot(target, others, look.config, wish)
    top = table_top(look.config, look.frame.stamp_ns)
    return replace(step, reference=top, goal_position_m=goal, obstacles=others)


def _place(look: Look, step: PlanStep, target: GroundedObject, known: GroundedObject) -> PlanStep:
    try:
        reference = _surer(look.again(known), known)
    except TargetNotFoundError:
        if not lies_under(look, known):
            raise
        reference = replace(known, score=look.config.grounding.threshold, stamp_ns=look.frame.stamp_ns)
    others = _around(look, step, reference)
    wish = _moved_along(step, reference)
    goal = goal_position(step.relation or "", target, reference, others, look.config, wish)
    return replace(step, reference=reference, goal_position_m=goal, obstacles=others)


def lies_under(look: Look, known: GroundedObject) -> bool:
    """Whether a vessel that the model does not tell any more lies where it was, under what was put in it:
    something stands there, and between, depth sees its floor and not the table's top."""
    place = footprint_of(known)
    if not any(place.covers(*t.position_m[:2]) and not like_size(t, known) for t in look.things):
        return False
    cos, sin = math.cos(place.yaw_rad), math.sin(place.yaw_rad)
    heights_m = []
    for along_x, along_y in itertools.product(_SPOTS, repeat=2):
        dx, dy = along_x * place.half_x_m, along_y * place.half_y_m
        x, y = place.x_m + dx * cos - dy * sin, place.y_m + dx * sin + dy * cos
        heights_m.append(height_at(look.frame, (x, y, known.surface_z_m), min(known.size_m[:2]) / 12))
    seen_m = [h for h in heights_m if h is not None]
    if len(seen_m) * 2 < len(heights_m):
        return False
    table_m = look.config.work_area.table_z_m
    floor_m = known.surface_z_m - table_m
    return float(np.median(seen_m)) - table_m > _FLOOR_SHARE * floor_m > 0


def _push(look: Look, step: PlanStep, known: GroundedObject) -> PlanStep:
    target = look.again(known)
    reference = None if step.reference is None else look.again(step.reference)
    around = _around(look, step, target)
    others = tuple(o for o in around if reference is None or not same_thing(o, reference))
    goal = push_goal(step.relation or "", target, reference, others, look.config)
    return replace(step, target=target, reference=reference, goal_position_m=goal, obstacles=others)


def _around(look: Look, step: PlanStep, but: GroundedObject | None = None) -> tuple[GroundedObject, ...]:
    """What else is there, what must not be touched with its room. Raises TargetNotFoundError or
    AmbiguousError where such a thing cannot be told any more."""
    others = list(look.things if but is None else _without(look.things, but))
    for known in banned(step):
        it = look.again(known)
        others = [o for o in others if not same_thing(o, it)]
        others.append(widened(it, look.config.planning.avoid_clearance_m))
    return (*others, *(o for o in step.obstacles if o.label == BLOCKED))


def _where_put(look: Look, step: PlanStep, known: GroundedObject) -> GroundedObject:
    """What was put down, seen again: here the place counts before the phrase, which may fit another
    by now; but what alone answers to it, where nothing stood before, is it. Where the model sees
    nothing, depth may tell that something as high as it stands there, or that something lies over it.
    """
    limits = look.config.grounding
    answers = look.find(known.label)
    near = [f for f in answers if distance_m(f.position_m, known.position_m) <= limits.same_place_m]
    if near:
        return min(near, key=lambda f: distance_m(f.position_m, known.position_m))
    reach_m = _PUSHED_M if is_push(step) else limits.same_place_m
    beside = [*step.obstacles, *([step.reference] if step.reference is not None else [])]
    if len(answers) == 1 and stands_anew(answers[0], beside):
        return answers[0]
    staying = seen_in_place(known, beside, look.things, reach_m)
    if staying is not None:
        return replace(staying, label=known.label, score=max(staying.score, limits.threshold))
    x, y, _ = known.position_m
    top_m = height_at(look.frame, (x, y, known.top_z_m), min(known.size_m[:2]) / 4)
    over_m = -math.inf if top_m is None else top_m - known.top_z_m
    covered = over_m > 0 and any(footprint_of(t).covers(x, y) for t in look.things)
    if abs(over_m) < _SAME_HEIGHT_M or covered:
        return replace(known, score=limits.threshold, stamp_ns=look.frame.stamp_ns)
    return look.again(known)


def _still_known(look: Look, known: GroundedObject | None) -> GroundedObject | None:
    """A reference in a new picture; as it was known where it is hidden, or cannot be told apart."""
    if known is None or known.label == TABLE:
        return known
    try:
        return _surer(look.again(known), known)
    except (TargetNotFoundError, AmbiguousError, NoDepthError):
        return known


def _without(things: Sequence[GroundedObject], thing: GroundedObject) -> tuple[GroundedObject, ...]:
    return tuple(t for t in things if not same_thing(t, thing))


def _surer(seen: GroundedObject, known: GroundedObject) -> GroundedObject:
    """A thing half hidden by what was put on it keeps the measures it was known by."""
    doubtful = np.trace(seen.covariance) > np.trace(known.covariance) and not like_size(seen, known)
    if not doubtful or distance_m(seen.position_m, known.position_m) > max(known.size_m[:2]):
        return seen
    return replace(known, box_xyxy=seen.box_xyxy, score=seen.score, stamp_ns=seen.stamp_ns)


def _moved_along(step: PlanStep, reference: GroundedObject) -> tuple[float, float] | None:
    """The planned goal, where the reference has taken it: the plan knew what else is to come there."""
    if step.goal_position_m is None or step.reference is None:
        return None
    was, now = step.reference.position_m, reference.position_m
    return (step.goal_position_m[0] + now[0] - was[0], step.goal_position_m[1] + now[1] - was[1])
