"""Poses of SDF: six numbers to a matrix, and the graph of `relative_to`."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from mmrobot.simulator.sdf_model import Pose
from mmrobot.simulator.sdf_xml import SdfNode


def pose_matrix(xyz: tuple[float, ...], rpy: tuple[float, ...]) -> Pose:
    """(4, 4) of a translation in metres and SDF's fixed-axis roll, pitch, yaw in radians."""
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_euler("xyz", rpy).as_matrix()
    matrix[:3, 3] = xyz
    return matrix


def quaternion_wxyz(matrix: Pose) -> np.ndarray:
    """(4,) of the rotation in a (4, 4) pose."""
    x, y, z, w = Rotation.from_matrix(matrix[:3, :3]).as_quat()
    return np.array([w, x, y, z])


def read_pose(owner: SdfNode) -> tuple[Pose, str]:
    """The pose of an element and what it is relative to ('' where the file leaves it to the default)."""
    node = owner.child("pose")
    if node is None or not node.text():
        return np.eye(4), "" if node is None else node.attribute("relative_to")
    if node.attribute("rotation_format", "euler_rpy") == "quat_xyzw":
        values = node.floats(7)
        matrix = np.eye(4)
        if not np.any(values[3:]):
            raise node.refuse("has a quaternion of zero length", "write a unit quaternion x y z w")
        matrix[:3, :3] = Rotation.from_quat(values[3:]).as_matrix()
        matrix[:3, 3] = values[:3]
        return matrix, node.attribute("relative_to")
    values = node.floats(6)
    rpy = tuple(np.radians(values[3:])) if node.attribute("degrees") in ("true", "1") else values[3:]
    return pose_matrix(values[:3], rpy), node.attribute("relative_to")


def read_plain_pose(owner: SdfNode) -> Pose:
    """A pose inside a link, where `relative_to` is refused."""
    pose, relative_to = read_pose(owner)
    if relative_to:
        raise owner.refuse(
            f"has a pose relative to '{relative_to}'", "give poses inside a link relative to that link"
        )
    return pose


class PoseGraph:
    """Names of one model's scope, each with a pose relative to another; resolves them to the model frame."""

    ROOT = "__model__"

    def __init__(self) -> None:
        self._entries: dict[str, tuple[Pose, str, SdfNode]] = {}

    def add(self, name: str, pose: Pose, relative_to: str, node: SdfNode) -> None:
        if name in self._entries or name == self.ROOT:
            raise node.refuse(f"repeats the name '{name}'", "give each element of a model its own name")
        self._entries[name] = (pose, relative_to or self.ROOT, node)

    def resolve(self, name: str, asking: SdfNode, visited: tuple[str, ...] = ()) -> Pose:
        """Pose of `name` in the model's frame."""
        if name in ("", self.ROOT):
            return np.eye(4)
        if name not in self._entries:
            known = ", ".join(sorted(self._entries)) or "none"
            raise asking.refuse(f"refers to '{name}', which the model lacks", f"use one of: {known}")
        if name in visited:
            raise asking.refuse(
                f"has a pose that depends on itself ({' -> '.join((*visited, name))})", "break the circle"
            )
        pose, relative_to, node = self._entries[name]
        return self.resolve(relative_to, node, (*visited, name)) @ pose
