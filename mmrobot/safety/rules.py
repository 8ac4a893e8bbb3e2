"""The gate's rules, as data: each has a name, what it says, and a check that answers with value and bound.

A check returns None when the rule holds, else a Violation. Checks are pure and look at one thing each;
they may assume nothing: the values may come from a model, a message or a person.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from mmrobot.config import Config
from mmrobot.planning.bans import violation
from mmrobot.planning.footprint import footprint_of, gap_m
from mmrobot.planning.pushing import lane, stands_on_table
from mmrobot.planning.skills import CATALOGUE, missing_arguments
from mmrobot.safety.hazards import find_hazard, forbidden_thing, hazards_of
from mmrobot.types import BASE_FRAME, RELATIONS, ActionPlan, GroundedObject, JointTrajectory, PlanStep

# Whether the arm can do a step: None when it can, else why not.
Reachability = Callable[[PlanStep], str | None]

T = TypeVar("T")
_NS = 1e9
_BESIDE_MAX_M = 0.5
# Numerical noise of interpolation, not a licence.
_SPEED_SLACK = 1.02


@dataclass(frozen=True)
class Violation:
    """What was found, what is allowed, what to do."""

    value: str
    bound: str
    fix: str


@dataclass(frozen=True)
class Context:
    """What checks need beside the thing itself. `now_ns` is ROS time; `held` what the hand holds."""

    config: Config
    now_ns: int
    held: GroundedObject | None = None
    reachable: Reachability | None = None
    fresh: bool = False  # before contact: targets must be newly seen


@dataclass(frozen=True)
class Rule(Generic[T]):
    """One rule over plans, steps or trajectories."""

    name: str
    says: str
    check: Callable[[T, Context], Violation | None]


def _things(step: PlanStep) -> list[GroundedObject]:
    return [thing for thing in (step.target, step.reference) if thing is not None]


def _known_skill(step: PlanStep, _: Context) -> Violation | None:
    if step.skill in CATALOGUE:
        return None
    return Violation(f"skill '{step.skill}'", f"one of {', '.join(CATALOGUE)}", "use a known skill")


def _schema(step: PlanStep, _: Context) -> Violation | None:
    missing = list(
        missing_arguments(
            step.skill,
            {
                "target": step.target,
                "relation": step.relation,
                "reference": step.reference,
                "text": step.text,
            },
        )
    )
    if step.skill in ("place", "push"):
        missing += [
            n for n, v in (("target", step.target), ("goal_position_m", step.goal_position_m)) if v is None
        ]
    if missing:
        return Violation(f"{step.skill} without {' and '.join(missing)}", "all arguments given", "give them")
    known = CATALOGUE[step.skill].relations if step.skill in CATALOGUE else RELATIONS
    if step.relation is not None and step.relation not in known:
        return Violation(f"relation '{step.relation}'", f"one of {', '.join(known)}", "use a known relation")
    return None


def _frame(step: PlanStep, _: Context) -> Violation | None:
    for thing in _things(step):
        if thing.frame_id != BASE_FRAME:
            return Violation(
                f"'{thing.label}' in frame '{thing.frame_id}'", BASE_FRAME, "transform it to base_link"
            )
    return None


def _finite(step: PlanStep, _: Context) -> Violation | None:
    values: list[float] = [step.confidence, *(step.goal_position_m or ())]
    for thing in _things(step):
        values += [*thing.position_m, *thing.size_m, thing.yaw_rad, thing.surface_z_m, thing.score]
    if step.goal_position_m is not None and len(step.goal_position_m) != 3:
        return Violation(f"goal of {len(step.goal_position_m)} numbers", "3 numbers", "give x, y and z")
    bad = [v for v in values if not math.isfinite(v)]
    return Violation(f"{bad[0]}", "finite numbers", "look again") if bad else None


def _work_area(step: PlanStep, context: Context) -> Violation | None:
    area, margin = context.config.work_area, context.config.gate.area_margin_m
    points: list[tuple[str, Sequence[float]]] = []
    if step.skill in ("pick", "push") and step.target is not None:
        points.append((f"'{step.target.label}'", step.target.position_m))
    if step.skill in ("place", "push") and step.reference is not None:
        points.append((f"'{step.reference.label}'", step.reference.position_m))
    if step.goal_position_m is not None:
        points.append(("the goal", step.goal_position_m))
    for name, point in points:
        if not area.contains(point[0], point[1], margin):
            return Violation(
                f"{name} at x={point[0]:.3f}, y={point[1]:.3f} m",
                f"x {area.x_min_m}..{area.x_max_m}, y {area.y_min_m}..{area.y_max_m} m",
                "move it into the work area, or name another",
            )
    return None


def _above_table(step: PlanStep, context: Context) -> Violation | None:
    lowest = context.config.work_area.table_z_m + context.config.gate.min_height_m
    heights = [(f"the underside of '{thing.label}'", thing.bottom_z_m) for thing in _grasped(step)]
    if step.goal_position_m is not None:
        heights.append(("the goal", step.goal_position_m[2]))
    for name, z in heights:
        if z < lowest:
            return Violation(f"{name} at z={z:.3f} m", f"z >= {lowest:.3f} m (the table)", "look again")
    return None


def _grasped(step: PlanStep) -> list[GroundedObject]:
    return [step.target] if step.skill == "pick" and step.target is not None else []


def _height(step: PlanStep, context: Context) -> Violation | None:
    highest = context.config.work_area.table_z_m + context.config.gate.max_height_m
    heights = [(f"the top of '{thing.label}'", thing.top_z_m) for thing in _grasped(step)]
    if step.goal_position_m is not None:
        tall = step.target.size_m[2] if step.target is not None else 0.0
        heights.append(("the top of what is placed", step.goal_position_m[2] + tall))
    for name, z in heights:
        if z > highest:
            return Violation(f"{name} at z={z:.3f} m", f"z <= {highest:.3f} m", "keep things lower")
    return None


def _size(step: PlanStep, context: Context) -> Violation | None:
    bound = context.config.gate.max_object_m
    for thing in _grasped(step):
        if max(thing.size_m) > bound:
            return Violation(
                f"'{thing.label}' is {max(thing.size_m):.3f} m large", f"<= {bound} m", "name a smaller thing"
            )
    return None


def _goal_near_reference(step: PlanStep, _: Context) -> Violation | None:
    if step.goal_position_m is None or step.reference is None:
        return None
    dx = step.goal_position_m[0] - step.reference.position_m[0]
    dy = step.goal_position_m[1] - step.reference.position_m[1]
    away = math.hypot(dx, dy)
    bound = max(step.reference.size_m[:2]) / 2 + 0.01 if step.relation in ("in", "on") else _BESIDE_MAX_M
    if away <= bound:
        return None
    return Violation(
        f"the goal is {away:.3f} m from '{step.reference.label}'", f"<= {bound:.3f} m", "plan anew"
    )


def _confidence(step: PlanStep, context: Context) -> Violation | None:
    floor = context.config.gate.min_confidence
    if step.confidence >= floor:
        return None
    return Violation(
        f"confidence {step.confidence:.2f} of '{step.summary}'", f">= {floor}", "say it more clearly"
    )


def _fresh(step: PlanStep, context: Context) -> Violation | None:
    gate = context.config.gate
    bound = gate.max_target_age_s if context.fresh else gate.max_plan_age_s
    # What the hand holds is not seen anew: for a place the reference counts.
    thing = step.target if step.skill in ("pick", "push") else step.reference
    if thing is None:
        return None
    age_s = (context.now_ns - thing.stamp_ns) / _NS
    if -gate.max_future_s <= age_s <= bound:
        return None
    return Violation(
        f"'{thing.label}' was seen {age_s:.2f} s ago", f"{-gate.max_future_s}..{bound} s", "look again"
    )


def _text(step: PlanStep, context: Context) -> Violation | None:
    bound = context.config.gate.max_text_length
    if step.text is None or len(step.text) <= bound:
        return None
    return Violation(f"{len(step.text)} characters to say", f"<= {bound}", "say less")


def _lane(step: PlanStep, context: Context) -> Violation | None:
    if step.skill != "push" or step.target is None or step.goal_position_m is None:
        return None
    if not stands_on_table(step.target, context.config):
        what = f"'{step.target.label}' is not on the table"
        return Violation(what, "pushes of what stands on it", "put it down first")
    way, own = lane(step.target, step.goal_position_m), footprint_of(step.target)
    for other in step.obstacles:
        # What stands close already is brushed at most; what lies ahead is met.
        if gap_m(way, footprint_of(other)) < min(0.0, gap_m(own, footprint_of(other))):
            return Violation(f"'{other.label}' in the way", "a free lane", "push it another way")
    length_m = math.dist(step.target.position_m[:2], step.goal_position_m[:2])
    bound = context.config.gate.max_push_m
    if length_m > bound:
        return Violation(f"a push of {length_m:.2f} m", f"<= {bound} m", "push it less far")
    return None


def _untouched(step: PlanStep, _: Context) -> Violation | None:
    why = violation(step)
    return None if why is None else Violation(why, "room around it", "say it without that condition")


def _reachable(step: PlanStep, context: Context) -> Violation | None:
    if context.reachable is None or step.skill not in ("pick", "place", "push"):
        return None
    why = context.reachable(step)
    return None if why is None else Violation(why, "a posture of the arm for every pose", "move it nearer")


def _hand(step: PlanStep, context: Context) -> Violation | None:
    if step.skill in ("pick", "push") and context.held is not None:
        return Violation(
            f"the hand holds '{context.held.label}'", f"an empty hand to {step.skill}", "put it down first"
        )
    if step.skill == "place" and context.held is None:
        return Violation("the hand holds nothing", "something held to place", "pick something up first")
    return None


def _known_place(step: PlanStep, context: Context) -> Violation | None:
    places = context.config.navigation.places
    if step.skill != "navigate" or step.text in places:
        return None
    known = ", ".join(places) or "none"
    return Violation(f"a drive to '{step.text}'", f"one of the known places: {known}", "name a known place")


def _forbidden(step: PlanStep, _: Context) -> Violation | None:
    for thing in _things(step):
        name = forbidden_thing(thing.label)
        if name is not None:
            return Violation(f"'{thing.label}'", f"no {name}", "name another thing")
    return None


STEP_RULES: tuple[Rule[PlanStep], ...] = (
    Rule("known_skill", "only skills of the catalogue", _known_skill),
    Rule("schema", "all arguments of a skill are given and known", _schema),
    Rule("frame", "everything is in base_link", _frame),
    Rule("finite", "all numbers are finite", _finite),
    Rule("hand", "pick and push with an empty hand, place with a full one", _hand),
    Rule("lane", "what is pushed stands on the table and has a free way", _lane),
    Rule("work_area", "targets, references and goals lie in the work area", _work_area),
    Rule("above_table", "nothing goes through the table", _above_table),
    Rule("height", "nothing is taken from or put too high", _height),
    Rule("size", "only what fits the hand's reach is picked", _size),
    Rule("goal_near_reference", "a goal lies where its relation says", _goal_near_reference),
    Rule("confidence", "the model is sure enough", _confidence),
    Rule("fresh", "targets were seen lately", _fresh),
    Rule("forbidden_thing", "people, dangerous things, cameras and stop buttons are left alone", _forbidden),
    Rule("known_place", "a base drives only to places of the settings", _known_place),
    Rule("text", "spoken text is short", _text),
    Rule("untouched", "nothing that may not be touched is taken, used or come near", _untouched),
    Rule("reachable", "the arm has a posture for every pose", _reachable),
)


def _plan_length(plan: ActionPlan, context: Context) -> Violation | None:
    bound = context.config.planning.max_steps
    if 1 <= len(plan.steps) <= bound:
        return None
    return Violation(f"{len(plan.steps)} steps", f"1..{bound}", "ask for less at a time")


def _plan_words(plan: ActionPlan, context: Context) -> Violation | None:
    found = find_hazard(plan.instruction, hazards_of(context.config))
    if found is None:
        return None
    return Violation(f"'{found.words}'", found.rule.says, "ask for something else")


def _plan_order(plan: ActionPlan, _: Context) -> Violation | None:
    indices = [step.index for step in plan.steps]
    if indices == list(range(len(indices))):
        return None
    return Violation(f"step indices {indices}", "0, 1, 2, ...", "plan anew")


def _plan_frame(plan: ActionPlan, _: Context) -> Violation | None:
    return (
        None
        if plan.frame_id == BASE_FRAME
        else Violation(f"frame '{plan.frame_id}'", BASE_FRAME, "plan anew")
    )


def _plan_confidence(plan: ActionPlan, context: Context) -> Violation | None:
    floor = context.config.gate.min_confidence
    # Written so that NaN is refused.
    if plan.confidence >= floor:
        return None
    return Violation(f"confidence {plan.confidence:.2f}", f">= {floor}", "say it more clearly")


def _plan_age(plan: ActionPlan, context: Context) -> Violation | None:
    gate = context.config.gate
    age_s = (context.now_ns - plan.stamp_ns) / _NS
    if -gate.max_future_s <= age_s <= gate.max_plan_age_s:
        return None
    return Violation(f"the plan's picture is {age_s:.1f} s old", f"<= {gate.max_plan_age_s} s", "plan anew")


PLAN_RULES: tuple[Rule[ActionPlan], ...] = (
    Rule("words", "what was asked for is no hazard", _plan_words),
    Rule("plan_length", "a plan has some steps, and not too many", _plan_length),
    Rule("plan_order", "steps are numbered from 0", _plan_order),
    Rule("plan_frame", "the plan is in base_link", _plan_frame),
    Rule("plan_confidence", "the model is sure enough of the whole", _plan_confidence),
    Rule("plan_age", "the plan rests on a recent picture", _plan_age),
)


def _joint_speed(trajectory: JointTrajectory, context: Context) -> Violation | None:
    bound = context.config.gate.max_joint_speed_rad_s * _SPEED_SLACK
    fastest = float(np.max(np.abs(trajectory.velocities), initial=0.0))
    if len(trajectory.times_s) > 1:
        steps = np.diff(trajectory.positions, axis=0) / np.diff(trajectory.times_s)[:, None]
        fastest = max(fastest, float(np.max(np.abs(steps))))
    if fastest <= bound:
        return None
    return Violation(f"joint speed {fastest:.2f} rad/s", f"<= {bound:.2f} rad/s", "move slower")


def _trajectory_numbers(trajectory: JointTrajectory, _: Context) -> Violation | None:
    arrays = (trajectory.times_s, trajectory.positions, trajectory.velocities)
    if len(trajectory.times_s) == 0:
        return Violation("no points", "at least one point", "send a trajectory with points")
    if not all(np.isfinite(a).all() for a in arrays):
        return Violation("a number that is not finite", "finite numbers", "plan the motion anew")
    if trajectory.times_s[0] < 0 or (np.diff(trajectory.times_s) <= 0).any():
        return Violation("times that do not rise from 0", "rising times", "plan the motion anew")
    return None


TRAJECTORY_RULES: tuple[Rule[JointTrajectory], ...] = (
    Rule("trajectory_numbers", "points are finite and their times rise", _trajectory_numbers),
    Rule("joint_speed", "no joint is faster than allowed", _joint_speed),
)
