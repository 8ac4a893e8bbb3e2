"""Whether a plan made again is the same: what the robot would do, within stated tolerances."""

from __future__ import annotations

import math
from dataclasses import dataclass

from mmrobot.types import ActionPlan, GroundedObject, PlanStep, Vector3, box_iou


@dataclass(frozen=True)
class Tolerance:
    """How far numbers may differ: nothing at all is different on the same machine and the same picture."""

    min_iou: float = 0.85
    position_m: float = 0.005
    size_m: float = 0.010


@dataclass(frozen=True)
class Comparison:
    """Of two plans: differences in words, and the worst numbers of those that were compared."""

    differences: tuple[str, ...]
    min_iou: float
    max_position_m: float

    @property
    def same(self) -> bool:
        return not self.differences


def compare(recorded: ActionPlan, again: ActionPlan, tolerance: Tolerance = Tolerance()) -> Comparison:
    """Skills, relations, words, things (label, box, place, size) and goals, in their order."""
    worst = _Worst()
    skills = [s.skill for s in recorded.steps]
    skills_again = [s.skill for s in again.steps]
    if skills != skills_again:
        said = f"steps are {', '.join(skills_again) or 'none'}, were {', '.join(skills) or 'none'}"
        return Comparison((said,), 0.0, math.inf)
    found: list[str] = []
    for before, now in zip(recorded.steps, again.steps, strict=True):
        found += [f"step {before.index + 1}: {words}" for words in _step(before, now, tolerance, worst)]
    return Comparison(tuple(found), worst.iou, worst.position_m)


@dataclass
class _Worst:
    iou: float = 1.0
    position_m: float = 0.0


def _step(before: PlanStep, now: PlanStep, tolerance: Tolerance, worst: _Worst) -> list[str]:
    found: list[str] = []
    for name in ("relation", "text"):
        if getattr(before, name) != getattr(now, name):
            found.append(f"{name} is {getattr(now, name)!r}, was {getattr(before, name)!r}")
    for name in ("target", "reference"):
        found += _thing(name, getattr(before, name), getattr(now, name), tolerance, worst)
    goal, goal_now = before.goal_position_m, now.goal_position_m
    if (goal is None) != (goal_now is None):
        found.append(f"goal is {goal_now}, was {goal}")
    elif goal is not None and goal_now is not None:
        found += _place("goal", goal, goal_now, tolerance, worst)
    return found


def _thing(
    name: str,
    before: GroundedObject | None,
    now: GroundedObject | None,
    tolerance: Tolerance,
    worst: _Worst,
) -> list[str]:
    if before is None or now is None:
        if before is now:
            return []
        return [f"{name} is {now.label if now else None!r}, was {before.label if before else None!r}"]
    found = []
    if before.label != now.label:
        found.append(f"{name} is '{now.label}', was '{before.label}'")
    iou = box_iou(before.box_xyxy, now.box_xyxy)
    worst.iou = min(worst.iou, iou)
    if iou < tolerance.min_iou:
        found.append(f"{name}'s box overlaps by {iou:.2f}, at least {tolerance.min_iou} is the same")
    found += _place(name, before.position_m, now.position_m, tolerance, worst)
    size_m = max(abs(a - b) for a, b in zip(before.size_m, now.size_m, strict=True))
    if size_m > tolerance.size_m:
        found.append(f"{name} is {1000 * size_m:.1f} mm larger or smaller")
    return found


def _place(name: str, before: Vector3, now: Vector3, tolerance: Tolerance, worst: _Worst) -> list[str]:
    apart_m = math.dist(before, now)
    worst.position_m = max(worst.position_m, apart_m)
    if apart_m <= tolerance.position_m:
        return []
    return [f"{name} is {1000 * apart_m:.1f} mm off, up to {1000 * tolerance.position_m:.0f} mm is the same"]
