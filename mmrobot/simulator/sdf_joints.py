"""Joints of SDF: which links they join, about which axis, within which limits."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from mmrobot.simulator.sdf_model import Joint
from mmrobot.simulator.sdf_poses import PoseGraph
from mmrobot.simulator.sdf_xml import SdfNode

JOINT_KINDS = ("revolute", "continuous", "prismatic", "fixed")
# SDF writes "no limit" as a very large number.
UNLIMITED = 1e15


@dataclass(frozen=True)
class Scope:
    """The names of one model: poses, which link each name rides on, and what frames are attached to."""

    graph: PoseGraph
    carriers: dict[str, str]
    attached: dict[str, str]

    def carrier(self, name: str, node: SdfNode) -> str:
        """The link that a link or frame name stands for; the first link for an empty one."""
        seen: list[str] = []
        while name not in self.carriers:
            if name in seen or (name not in self.attached and name != ""):
                known = ", ".join(self.carriers)
                raise node.refuse(
                    f"refers to '{name}', which is no link of the model", f"use one of: {known}"
                )
            seen.append(name)
            name = self.attached.get(name, "") or next(iter(self.carriers))
        return self.carriers[name]


def read_joint(node: SdfNode, scope: Scope) -> Joint:
    """One joint, its pose in the child link."""
    node.expect({"pose", "parent", "child", "axis"}, {"physics"})
    kind = node.attribute("type")
    if kind not in JOINT_KINDS:
        raise node.refuse(f"has type '{kind}'", f"use one of: {', '.join(JOINT_KINDS)}")
    parent_name = node.require("parent").text()
    child = scope.carrier(node.require("child").text(), node)
    parent = "world" if parent_name == "world" else scope.carrier(parent_name, node)
    if parent == child:
        raise node.refuse(f"joins '{child}' to itself", "name two links")
    in_model = scope.graph.resolve(node.name, node)
    joint = Joint(node.name, kind, parent, child, np.linalg.inv(scope.graph.resolve(child, node)) @ in_model)
    if kind == "fixed":
        return joint
    axis = node.require("axis")
    axis.expect({"xyz", "limit", "dynamics"})
    xyz = axis.child("xyz")
    direction = np.array([0.0, 0.0, 1.0] if xyz is None else xyz.floats(3))
    length = float(np.linalg.norm(direction))
    if length < 1e-9:
        raise axis.refuse("has a direction of zero length", "write a unit vector in <xyz>")
    if xyz is not None and xyz.attribute("expressed_in"):
        named = scope.graph.resolve(xyz.attribute("expressed_in"), xyz)
        direction = in_model[:3, :3].T @ named[:3, :3] @ direction
    x, y, z = direction / length
    return _dynamics(axis, _limits(axis, replace(joint, axis=(float(x), float(y), float(z)))))


def _limits(axis: SdfNode, joint: Joint) -> Joint:
    limit = axis.child("limit")
    if limit is None:
        return joint
    limit.expect({"lower", "upper", "effort", "velocity"}, {"stiffness", "dissipation"})
    lower, upper = limit.child_float("lower", -np.inf), limit.child_float("upper", np.inf)
    effort, velocity = limit.child_float("effort", np.inf), limit.child_float("velocity", np.inf)
    if joint.kind == "continuous" or (lower < -UNLIMITED and upper > UNLIMITED):
        lower, upper = -np.inf, np.inf
    if lower > upper:
        raise limit.refuse(f"has lower {lower} above upper {upper}", "swap them")
    if (abs(lower) > UNLIMITED) != (abs(upper) > UNLIMITED):
        raise limit.refuse("limits one side only", "give both <lower> and <upper>, or neither")
    return replace(
        joint,
        lower=lower,
        upper=upper,
        effort=np.inf if effort < 0 or effort > UNLIMITED else effort,
        velocity=np.inf if velocity < 0 or velocity > UNLIMITED else velocity,
    )


def _dynamics(axis: SdfNode, joint: Joint) -> Joint:
    dynamics = axis.child("dynamics")
    if dynamics is None:
        return joint
    dynamics.expect({"damping", "friction", "spring_stiffness", "spring_reference"})
    return replace(
        joint,
        damping=dynamics.child_float("damping", 0.0),
        friction=dynamics.child_float("friction", 0.0),
        stiffness=dynamics.child_float("spring_stiffness", 0.0),
        reference=dynamics.child_float("spring_reference", 0.0),
    )
