"""Whether the demo's sentence was carried out, by physics: the scene's goals, or the plan's."""

from __future__ import annotations

import math
from dataclasses import dataclass

from mmrobot.planning.table_top import TABLE
from mmrobot.tabletop.episode import Episode
from mmrobot.tabletop.goals import WorldState, failed_goals, moved_m
from mmrobot.tabletop.scene import Scene
from mmrobot.types import ActionPlan, GroundedObject, PlanStep

UNCHANGED_M = 0.03
# Further from every true object than this, a target is none of them.
NEAREST_M = 0.08
# What is put down on the table may roll so far.
PUT_DOWN_M = 0.06


@dataclass(frozen=True)
class DemoVerdict:
    """`success` None when nothing could be judged; `goals` are those that were looked at."""

    success: bool | None
    goals: tuple[str, ...]
    problems: tuple[str, ...]


def judge_episode(episode: Episode, before: WorldState, after: WorldState) -> DemoVerdict:
    """By the episode's goals and what it wants unmoved."""
    expect = episode.expect
    problems = [f"{goal} does not hold" for goal in failed_goals(expect.goal, after, episode.scene)]
    problems += [
        f"{name} moved by {100 * moved_m(before, after, name):.1f} cm"
        for name in expect.unchanged
        if moved_m(before, after, name) > UNCHANGED_M
    ]
    return DemoVerdict(not problems, expect.goal, tuple(problems))


def judge_plan(plan: ActionPlan, scene: Scene, before: WorldState, after: WorldState) -> DemoVerdict:
    """By the plan's own meaning, over the true objects that stood nearest to its targets.

    It shows that the plan was carried out, not that it was the right plan: only an episode's goals
    tell that. Of several places of one thing the last one counts.
    """
    goals: dict[str, str] = {}
    problems = []
    held: str | None = None
    for step in plan.steps:
        if step.skill == "pick":
            held = _nearest(step.target, before)
            if held is None:
                problems.append(
                    f"nothing stands where '{step.target.label if step.target else '?'}' was seen"
                )
            else:
                goals[held] = f"held({held})"
        elif step.skill == "push":
            pushed = _nearest(step.target, before)
            if pushed is None:
                problems.append(
                    f"nothing stands where '{step.target.label if step.target else '?'}' was seen"
                )
            else:
                goals[pushed] = _pushed(pushed, step)
        elif step.skill == "place" and held is not None and _on_table(step):
            x, y, _ = step.goal_position_m or (0.0, 0.0, 0.0)
            goals[held] = f"at({held}, {x:.3f}, {y:.3f}, {PUT_DOWN_M})"
            held = None
        elif step.skill == "place" and held is not None and step.relation is not None:
            reference = _nearest(step.reference, before)
            if reference is None:
                problems.append(
                    f"nothing stands where '{step.reference.label if step.reference else '?'}' was seen"
                )
            else:
                goals[held] = f"{step.relation}({held}, {reference})"
            held = None
    wanted = tuple(goals.values())
    problems += [f"{goal} does not hold" for goal in failed_goals(wanted, after, scene)]
    if not wanted and not problems:
        return DemoVerdict(None, (), ())
    return DemoVerdict(not problems, wanted, tuple(problems))


def _on_table(step: PlanStep) -> bool:
    return step.reference is not None and step.reference.label == TABLE


def _pushed(name: str, step: PlanStep) -> str:
    """About where it was to be pushed: a circle seen from its origin under 35 degrees to each side."""
    assert step.target is not None and step.goal_position_m is not None
    x, y, _ = step.goal_position_m
    length_m = math.dist(step.target.position_m[:2], (x, y))
    return f"at({name}, {x:.3f}, {y:.3f}, {math.sin(math.radians(35)) * length_m:.3f})"


def _nearest(thing: GroundedObject | None, world: WorldState) -> str | None:
    if thing is None or not world.objects:
        return None
    x, y = thing.position_m[:2]
    name, distance = min(
        ((n, math.dist((x, y), o.position_m[:2])) for n, o in world.objects.items()), key=lambda pair: pair[1]
    )
    return name if distance <= NEAREST_M else None
