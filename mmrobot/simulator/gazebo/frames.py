"""Where links and camera of the table world are, by the SDF alone: for whoever has joint positions only."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from mmrobot.simulator.files import MODELS_FOLDER, WORLD_FILE
from mmrobot.simulator.gazebo.elements import named, parse, read_pose
from mmrobot.simulator.gazebo.look import apply_look
from mmrobot.simulator.looks import look_of_seed
from mmrobot.simulator.sdf_model import Joint, Model
from mmrobot.simulator.sdf_parse import parse_model
from mmrobot.tabletop.scene import Scene


@dataclass(frozen=True, eq=False)
class LinkFrame:
    """A link and its parent, with the pose of the one in the other, (4, 4)."""

    parent: str
    child: str
    pose: NDArray[np.float64]


def arm_frames(positions: Mapping[str, float], model: Model | None = None) -> list[LinkFrame]:
    """Every link of the arm in its parent link, for joint positions in rad or m; absent joints are at 0."""
    model = model or _arm()
    links = {link.name: link.pose for link in model.links}
    frames = []
    for joint in model.joints:
        if joint.parent == "world":
            continue
        moved = joint.pose @ _motion(joint, positions.get(joint.name, 0.0)) @ np.linalg.inv(joint.pose)
        pose = np.linalg.inv(links[joint.parent]) @ links[joint.child] @ moved
        frames.append(LinkFrame(joint.parent, joint.child, pose))
    return frames


def camera_pose(scene: Scene, world: Path = WORLD_FILE) -> NDArray[np.float64]:
    """T_base_link (4, 4) of the camera's link (x forward, z up), shaken as the scene's seed has it."""
    root: ET.Element = parse(world.read_text(encoding="utf-8"))
    place = root.find("world")
    assert place is not None
    apply_look(place, look_of_seed(scene.seed))
    return read_pose(named(place, "model", "camera").findtext("pose"))


def _arm() -> Model:
    return parse_model(MODELS_FOLDER / "arm" / "model.sdf")


def _motion(joint: Joint, position: float) -> NDArray[np.float64]:
    motion = np.eye(4)
    axis = np.array(joint.axis)
    if joint.kind == "prismatic":
        motion[:3, 3] = axis * position
    elif joint.kind != "fixed":
        motion[:3, :3] = Rotation.from_rotvec(axis * position).as_matrix()
    return motion
