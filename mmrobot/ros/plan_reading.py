"""Plans out of messages, without ROS: anything with the fields of mmrobot_msgs, from rclpy or rosbags.

What comes in is checked by the dataclasses' own rules: a defect raises a ValueError that names it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np

from mmrobot.types import ActionPlan, GroundedObject, PlanStep

NS = 1_000_000_000
SCHEMA_VERSION = 1
"""mmrobot_msgs/msg/ActionPlan.SCHEMA_VERSION; a test holds both together."""

T = TypeVar("T")


def from_time(stamp: Any) -> int:
    """Nanoseconds of ROS time."""
    return int(stamp.sec) * NS + int(stamp.nanosec)


def object_from_message(message: Any) -> GroundedObject:
    """A located thing; raises ValueError when it is not located or its numbers are not finite."""
    if not message.located:
        raise ValueError(f"object '{message.label}' has no position")
    x0, y0, x1, y1 = (float(v) for v in message.box_xyxy)
    return GroundedObject(
        label=message.label,
        box_xyxy=(x0, y0, x1, y1),
        score=message.score,
        position_m=(message.position.x, message.position.y, message.position.z),
        size_m=(message.size.x, message.size.y, message.size.z),
        yaw_rad=message.yaw,
        surface_z_m=message.surface_z,
        covariance=np.asarray(message.covariance, dtype=np.float64).reshape(3, 3),
        stamp_ns=from_time(message.header.stamp),
        frame_id=message.header.frame_id,
    )


def step_from_message(message: Any) -> PlanStep:
    """A step; raises ValueError on defective objects."""
    target, reference, goal = _one(message.target), _one(message.reference), _one(message.goal_position)
    return PlanStep(
        index=int(message.index),
        skill=message.skill,
        target=None if target is None else object_from_message(target),
        relation=message.relation or None,
        reference=None if reference is None else object_from_message(reference),
        goal_position_m=None if goal is None else (goal.x, goal.y, goal.z),
        text=message.text or None,
        obstacles=tuple(object_from_message(o) for o in message.obstacles),
        preconditions=tuple(message.preconditions),
        postconditions=tuple(message.postconditions),
        confidence=message.confidence,
    )


def plan_from_message(message: Any) -> ActionPlan:
    """A plan; raises ValueError on another schema, defective objects, or a digest that is not its own."""
    if message.schema_version != SCHEMA_VERSION:
        raise ValueError(f"plan has schema {message.schema_version}, this version reads {SCHEMA_VERSION}")
    plan = ActionPlan(
        plan_id=message.plan_id,
        instruction=message.instruction,
        steps=tuple(step_from_message(s) for s in message.steps),
        stamp_ns=from_time(message.header.stamp),
        model=message.model,
        confidence=message.confidence,
        frame_id=message.header.frame_id,
        timings_ms={t.stage: t.duration_ms for t in message.timings},
    )
    if message.digest != plan.digest:
        raise ValueError(
            f"plan '{plan.plan_id}' says digest {message.digest[:12]}..., its content {plan.digest[:12]}..."
        )
    return plan


def _one(values: Sequence[T]) -> T | None:
    return values[0] if len(values) else None
