"""Random plans, many of them nearly good, and an oracle of what is unsafe that shares no code with the gate.

python -m tests.support.random_plans 100000
"""

from __future__ import annotations

import math
import sys
from dataclasses import replace
from typing import Any

import numpy as np

from mmrobot.config import Config
from mmrobot.errors import UnsafeError
from mmrobot.safety.gate import SafetyGate
from mmrobot.types import ActionPlan, GroundedObject, PlanStep

NOW_NS = 100_000_000_000
SKILLS = ("pick", "place", "push", "home", "say", "navigate", "throw", "")
LABELS = ("red cube", "bowl", "cup", "a person's hand", "kitchen knife", "the camera", "emergency stop", "")
WORDS = ("put it in the bowl", "pick the cube", "throw the cube at the wall", "hit the cup", "", "x" * 600)
RELATIONS = (None, "in", "on", "left_of", "right_of", "behind", "in_front_of", "near", "under")
BAD_LABELS = frozenset(LABELS[3:7])
BAD_WORDS = frozenset(WORDS[2:4])


def _thing(rng: np.random.Generator, wild: float) -> GroundedObject:
    odd = rng.random() < wild
    size = rng.uniform(0.02, 0.45 if odd else 0.10, 3)
    x, y = rng.uniform((0.27, -0.33), (0.63, 0.33)) if not odd else rng.uniform(-1, 1.2, 2)
    bottom = rng.uniform(-0.1, 0.6) if odd else 0.0
    age_s = rng.uniform(-3, 120) if odd else rng.uniform(0, 5)
    return GroundedObject(
        str(rng.choice(LABELS if rng.random() < wild else LABELS[:3])),
        (10.0, 10.0, 40.0, 40.0),
        float(rng.random()),
        (float(x), float(y), float(bottom + size[2] / 2)),
        (float(size[0]), float(size[1]), float(size[2])),
        float(rng.uniform(-1.5, 1.5)),
        float(bottom + size[2]),
        np.eye(3) * 1e-6,
        NOW_NS - round(age_s * 1e9),
        "map" if rng.random() < 0.1 * wild else "base_link",
    )


def _goal(
    rng: np.random.Generator, near: GroundedObject | None, wild: float
) -> tuple[float, float, float] | None:
    if rng.random() < 0.2 * wild:
        return None
    if near is not None and rng.random() > wild:
        x, y, z = near.position_m
        return (x + float(rng.normal(0, 0.02)), y + float(rng.normal(0, 0.02)), max(0.0, z))
    values = rng.uniform(-1, 1.2, 3)
    if rng.random() < 0.2:
        values[rng.integers(3)] = rng.choice([math.nan, math.inf, -math.inf])
    return (float(values[0]), float(values[1]), float(values[2]))


def random_plan(rng: np.random.Generator) -> ActionPlan:
    """A plan; from quite good to quite wild."""
    wild = float(rng.choice([0.0, 0.05, 0.2, 0.6]))
    steps: list[PlanStep] = []
    held: GroundedObject | None = None
    for index in range(int(rng.integers(0, 30 if wild > 0.5 else 7))):
        likely = "place" if held is not None else str(rng.choice(["pick", "push", "home", "say"]))
        skill = str(rng.choice(SKILLS)) if rng.random() < wild else likely
        target = held if skill == "place" and held is not None else _thing(rng, wild)
        reference = _thing(rng, wild) if skill in ("place",) or rng.random() < wild else None
        relation = RELATIONS[rng.integers(len(RELATIONS))] if rng.random() < wild else None
        if relation is None and skill == "place":
            relation = str(rng.choice(["in", "on", "left_of"]))
        if relation is None and skill == "push":
            relation = str(rng.choice(["left_of", "behind"]))
        steps.append(
            PlanStep(
                index if rng.random() > 0.1 * wild else int(rng.integers(9)),
                skill,
                None if rng.random() < 0.2 * wild else target,
                relation,
                reference,
                _goal(rng, reference or target, wild) if skill in ("place", "push") else None,
                str(rng.choice(["done", "the stairs", "y" * 700])) if skill in ("say", "navigate") else None,
                confidence=float(rng.choice([math.nan, 0.05])) if rng.random() < wild else 0.9,
            )
        )
        held = target if skill == "pick" else None if skill == "place" else held
    return ActionPlan(
        "p", str(rng.choice(WORDS if rng.random() < wild else WORDS[:2])), tuple(steps),
        NOW_NS - round(float(rng.uniform(-3, 90) if rng.random() < wild else 1.0) * 1e9), "m",
        confidence=0.05 if rng.random() < wild else 0.9,
        frame_id="map" if rng.random() < 0.1 * wild else "base_link",
    )  # fmt: skip


def unsafe(plan: ActionPlan, config: Config) -> str:
    """Why a plan must not be carried out, "" for a safe one: from the documents, not from the gate."""
    area, gate = config.work_area, config.gate
    if not 1 <= len(plan.steps) <= config.planning.max_steps:
        return "length"
    if [s.index for s in plan.steps] != list(range(len(plan.steps))) or plan.frame_id != "base_link":
        return "order or frame"
    if plan.instruction in BAD_WORDS or not plan.confidence >= gate.min_confidence:
        return "words or confidence"
    if not -gate.max_future_s <= (NOW_NS - plan.stamp_ns) / 1e9 <= gate.max_plan_age_s:
        return "age"
    held = False
    for step in plan.steps:
        why = _unsafe_step(step, held, area, gate)
        if why:
            return f"{step.skill}: {why}"
        held = True if step.skill == "pick" else False if step.skill == "place" else held
    return ""


def _unsafe_step(step: PlanStep, held: bool, area: Any, gate: Any) -> str:
    if step.skill not in ("pick", "place", "push", "home", "say"):
        return "no such skill, or no such place"
    if not step.confidence >= gate.min_confidence:
        return "confidence"
    things = [t for t in (step.target, step.reference) if t is not None]
    if any(t.label in BAD_LABELS or t.frame_id != "base_link" for t in things):
        return "forbidden thing, or frame"
    if step.skill == "say" and (not step.text or len(step.text) > gate.max_text_length):
        return "text"
    if step.skill in ("pick", "place", "push") and step.target is None:
        return "no target"
    if (step.skill in ("pick", "push") and held) or (step.skill == "place" and not held):
        return "hand"
    for point in [t.position_m for t in things if step.skill in ("pick", "push") and t is step.target] + [
        p for p in [step.goal_position_m] if p is not None
    ]:
        x, y, z = point
        if not all(map(math.isfinite, (x, y, z))) or not area.contains(x, y, gate.area_margin_m):
            return "outside"
    if step.skill in ("place", "push"):
        if step.goal_position_m is None or step.target is None:
            return "no goal"
        z = step.goal_position_m[2]
        if not gate.min_height_m <= z or z + step.target.size_m[2] > gate.max_height_m + 1e-9:
            return "height of the goal"
    if step.skill == "push" and _pushed_m(step) > gate.max_push_m:
        return "pushed too far"
    if step.skill == "place" and (step.reference is None or step.relation is None):
        return "no relation"
    if step.skill == "pick" and step.target is not None:
        t = step.target
        low, high = t.position_m[2] - t.size_m[2] / 2, t.position_m[2] + t.size_m[2] / 2
        if (
            low < gate.min_height_m - 1e-9
            or high > gate.max_height_m + 1e-9
            or max(t.size_m) > gate.max_object_m
        ):
            return "size or height"
    seen = step.target if step.skill in ("pick", "push") else step.reference
    moves = step.skill in ("pick", "push", "place") and seen is not None
    if moves and not -gate.max_future_s <= (NOW_NS - seen.stamp_ns) / 1e9 <= gate.max_plan_age_s:
        return "seen too long ago"
    return ""


def _pushed_m(step: PlanStep) -> float:
    assert step.target is not None and step.goal_position_m is not None
    return math.dist(step.target.position_m[:2], step.goal_position_m[:2])


def check(count: int, seed: int = 0) -> tuple[int, list[tuple[str, ActionPlan]]]:
    """How many of random plans pass the gate, and those of them that are unsafe."""
    rng, gate, config = np.random.default_rng(seed), SafetyGate(), Config()
    passed, wrong = 0, []
    for _ in range(count):
        plan = random_plan(rng)
        try:
            gate.check_plan(plan, NOW_NS)
        except UnsafeError:
            continue
        passed += 1
        why = unsafe(plan, config)
        if why:
            wrong.append((why, replace(plan)))
    return passed, wrong


if __name__ == "__main__":
    total = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    through, bad = check(total)
    print(f"{total} random plans: {through} pass the gate, {len(bad)} of them unsafe")
    for reason, one in bad[:10]:
        print(reason, one)
    raise SystemExit(bool(bad))
