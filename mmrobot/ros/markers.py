"""A plan as markers for Foxglove and RViz: boxes of the things, their names, arrows to goals."""

from __future__ import annotations

import math

from geometry_msgs.msg import Point, Pose, Quaternion, Vector3
from std_msgs.msg import ColorRGBA, Header
from visualization_msgs.msg import Marker, MarkerArray

from mmrobot.ros.messages import to_time
from mmrobot.types import ActionPlan, GroundedObject

PICK = ColorRGBA(r=1.0, g=0.69, b=0.13, a=0.55)
REFERENCE = ColorRGBA(r=0.25, g=0.67, b=1.0, a=0.4)
GOAL = ColorRGBA(r=0.24, g=0.78, b=0.47, a=0.9)
WHITE = ColorRGBA(r=1.0, g=1.0, b=1.0, a=1.0)


def plan_markers(plan: ActionPlan) -> MarkerArray:
    """All markers of one plan; the first erases those of the plan before."""
    header = Header(stamp=to_time(plan.stamp_ns), frame_id=plan.frame_id)
    markers = [Marker(header=header, action=Marker.DELETEALL)]
    for step in plan.steps:
        if step.skill == "pick" and step.target is not None:
            markers += _thing(header, step.target, PICK)
        if step.reference is not None:
            markers += _thing(header, step.reference, REFERENCE)
        if step.goal_position_m is not None and step.target is not None:
            markers.append(_arrow(header, step.target.position_m, step.goal_position_m))
    for index, marker in enumerate(markers):
        marker.id = index
    return MarkerArray(markers=markers)


def _point(xyz: tuple[float, float, float]) -> Point:
    return Point(x=float(xyz[0]), y=float(xyz[1]), z=float(xyz[2]))


def _thing(header: Header, thing: GroundedObject, colour: ColorRGBA) -> list[Marker]:
    turn = Quaternion(z=math.sin(thing.yaw_rad / 2), w=math.cos(thing.yaw_rad / 2))
    x, y, z = (float(v) for v in thing.size_m)
    box = Marker(
        header=header,
        ns="things",
        type=Marker.CUBE,
        color=colour,
        scale=Vector3(x=x, y=y, z=z),
        pose=Pose(position=_point(thing.position_m), orientation=turn),
    )
    above = (thing.position_m[0], thing.position_m[1], thing.top_z_m + 0.03)
    name = Marker(
        header=header,
        ns="names",
        type=Marker.TEXT_VIEW_FACING,
        color=WHITE,
        scale=Vector3(z=0.025),
        pose=Pose(position=_point(above)),
        text=f"{thing.label} {thing.score:.0%}",
    )
    return [box, name]


def _arrow(header: Header, start: tuple[float, float, float], end: tuple[float, float, float]) -> Marker:
    return Marker(
        header=header,
        ns="goals",
        type=Marker.ARROW,
        color=GOAL,
        scale=Vector3(x=0.008, y=0.018, z=0.03),
        points=[_point(start), _point(end)],
    )
