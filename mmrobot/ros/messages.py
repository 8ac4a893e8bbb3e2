"""mmrobot.types to messages and back, nothing lost: floats are float64 and stamps nanoseconds on both sides.

What comes in is checked by the dataclasses' own rules: a defect raises a ValueError that names it.
"""

from __future__ import annotations

import numpy as np
from builtin_interfaces.msg import Duration, Time
from geometry_msgs.msg import Point, Vector3
from std_msgs.msg import Header
from trajectory_msgs.msg import JointTrajectory as JointTrajectoryMsg
from trajectory_msgs.msg import JointTrajectoryPoint

from mmrobot.errors import ErrorCode
from mmrobot.ros.plan_reading import NS, SCHEMA_VERSION
from mmrobot.ros.plan_reading import from_time as from_time
from mmrobot.ros.plan_reading import object_from_message as object_from_message
from mmrobot.ros.plan_reading import plan_from_message as plan_from_message
from mmrobot.ros.plan_reading import step_from_message as step_from_message
from mmrobot.types import ActionPlan, GroundedObject, JointTrajectory, PlanStep, Pointing, ScoredBox
from mmrobot_msgs.msg import ActionPlan as ActionPlanMsg
from mmrobot_msgs.msg import GroundedObject as GroundedObjectMsg
from mmrobot_msgs.msg import PlanStep as PlanStepMsg
from mmrobot_msgs.msg import Pointing as PointingMsg
from mmrobot_msgs.msg import Timing


def to_time(stamp_ns: int) -> Time:
    """ROS time of nanoseconds."""
    return Time(sec=stamp_ns // NS, nanosec=stamp_ns % NS)


def to_duration(seconds: float) -> Duration:
    """ROS duration of seconds, to the nanosecond."""
    total = round(seconds * NS)
    return Duration(sec=total // NS, nanosec=total % NS)


def from_duration(duration: Duration) -> float:
    """Seconds of a ROS duration."""
    return int(duration.sec) + int(duration.nanosec) / NS


def error_code(value: int) -> ErrorCode:
    """The code of a result; a number that this version does not know counts as INTERNAL."""
    try:
        return ErrorCode(value)
    except ValueError:
        return ErrorCode.INTERNAL


def _header(stamp_ns: int, frame_id: str) -> Header:
    return Header(stamp=to_time(stamp_ns), frame_id=frame_id)


def _point(xyz: tuple[float, float, float]) -> Point:
    return Point(x=float(xyz[0]), y=float(xyz[1]), z=float(xyz[2]))


def object_to_message(thing: GroundedObject) -> GroundedObjectMsg:
    """A located thing."""
    return GroundedObjectMsg(
        header=_header(thing.stamp_ns, thing.frame_id),
        label=thing.label,
        box_xyxy=[float(v) for v in thing.box_xyxy],
        score=float(thing.score),
        located=True,
        position=_point(thing.position_m),
        size=Vector3(x=float(thing.size_m[0]), y=float(thing.size_m[1]), z=float(thing.size_m[2])),
        yaw=float(thing.yaw_rad),
        surface_z=float(thing.surface_z_m),
        covariance=[float(v) for v in np.asarray(thing.covariance).reshape(9)],
    )


def box_to_message(box: ScoredBox, stamp_ns: int) -> GroundedObjectMsg:
    """A thing seen but not located: `located` is false."""
    return GroundedObjectMsg(
        header=_header(stamp_ns, ""),
        label=box.label,
        box_xyxy=[float(v) for v in box.box_xyxy],
        score=float(box.score),
        located=False,
    )


def step_to_message(step: PlanStep) -> PlanStepMsg:
    """A step; None becomes an empty sequence or an empty string."""
    return PlanStepMsg(
        index=step.index,
        skill=step.skill,
        target=[] if step.target is None else [object_to_message(step.target)],
        relation=step.relation or "",
        reference=[] if step.reference is None else [object_to_message(step.reference)],
        goal_position=[] if step.goal_position_m is None else [_point(step.goal_position_m)],
        text=step.text or "",
        obstacles=[object_to_message(o) for o in step.obstacles],
        preconditions=list(step.preconditions),
        postconditions=list(step.postconditions),
        confidence=float(step.confidence),
    )


def pointing_to_message(pointing: Pointing) -> PointingMsg:
    """What is pointed at."""
    return PointingMsg(stamp=to_time(pointing.stamp_ns), box_xyxy=[float(v) for v in pointing.box_xyxy])


def pointing_from_message(message: PointingMsg) -> Pointing:
    """What is pointed at; raises ValueError naming a box that is none."""
    x0, y0, x1, y1 = (float(v) for v in message.box_xyxy)
    return Pointing((x0, y0, x1, y1), from_time(message.stamp))


def plan_to_message(plan: ActionPlan) -> ActionPlanMsg:
    """A plan with its digest."""
    return ActionPlanMsg(
        schema_version=SCHEMA_VERSION,
        header=_header(plan.stamp_ns, plan.frame_id),
        plan_id=plan.plan_id,
        digest=plan.digest,
        instruction=plan.instruction,
        model=plan.model,
        steps=[step_to_message(s) for s in plan.steps],
        confidence=float(plan.confidence),
        timings=[Timing(stage=k, duration_ms=float(v)) for k, v in plan.timings_ms.items()],
    )


def trajectory_to_message(trajectory: JointTrajectory, stamp_ns: int = 0) -> JointTrajectoryMsg:
    """A trajectory that starts when it arrives (stamp 0), as joint_trajectory_controller takes it."""
    return JointTrajectoryMsg(
        header=_header(stamp_ns, ""),
        joint_names=list(trajectory.joint_names),
        points=[
            JointTrajectoryPoint(
                positions=[float(v) for v in positions],
                velocities=[float(v) for v in velocities],
                time_from_start=to_duration(float(t)),
            )
            for t, positions, velocities in zip(
                trajectory.times_s, trajectory.positions, trajectory.velocities, strict=True
            )
        ],
    )


def trajectory_from_message(message: JointTrajectoryMsg) -> JointTrajectory:
    """A trajectory; missing velocities count as zero. Raises ValueError naming the defect."""
    names = tuple(message.joint_names)
    if not names or not message.points:
        raise ValueError(f"trajectory has {len(names)} joints and {len(message.points)} points")
    for index, point in enumerate(message.points):
        if len(point.positions) != len(names) or len(point.velocities) not in (0, len(names)):
            raise ValueError(
                f"point {index} has {len(point.positions)} positions and {len(point.velocities)} velocities "
                f"for {len(names)} joints"
            )
    return JointTrajectory(
        joint_names=names,
        times_s=np.array([from_duration(p.time_from_start) for p in message.points]),
        positions=np.array([p.positions for p in message.points], dtype=np.float64),
        velocities=np.array(
            [p.velocities if len(p.velocities) else [0.0] * len(names) for p in message.points],
            dtype=np.float64,
        ),
    )
