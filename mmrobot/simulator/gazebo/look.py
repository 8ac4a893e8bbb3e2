"""A scene's look (light, table and floor colour, camera shake) written into the world's SDF.

The table's texture is left out: its colour, which it modulates in the embedded simulator, stays.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from mmrobot.simulator.gazebo.elements import child, named, numbers, read_pose, set_text, write_pose
from mmrobot.simulator.looks import Look
from mmrobot.simulator.mjcf_parts import SDF_TO_MUJOCO_CAMERA


def apply_look(world: ET.Element, look: Look) -> None:
    """Writes a look into a world's element, as LookSetter does into the embedded simulator's model."""
    tint = np.array(look.tint)
    for light in world.findall("light"):
        shadowing = (light.findtext("cast_shadows") or "").strip() == "true"
        _tinted(light, "diffuse", tint * (look.sun if shadowing else look.fill))
        if shadowing:
            set_text(light, "direction", numbers(_sun_direction(_vector(light.findtext("direction")), look)))
            set_text(light, "cast_shadows", "true" if look.shadows else "false")
    _tinted(child(world, "scene"), "ambient", tint * look.ambient)
    if look.table_rgb is not None:
        _paint(named(child(named(world, "model", "table"), "link"), "visual", "top"), look.table_rgb)
    if look.floor_value is not None:
        _paint(child(child(named(world, "model", "floor"), "link"), "visual"), (look.floor_value,) * 3)
    camera = named(world, "model", "camera")
    set_text(camera, "pose", write_pose(_shaken(read_pose(camera.findtext("pose")), look)))


def _vector(text: str | None) -> NDArray[np.float64]:
    return np.array([float(v) for v in (text or "0 0 -1").split()])


def _tinted(element: ET.Element, tag: str, factor: NDArray[np.float64]) -> None:
    *rgb, alpha = _vector(child(element, tag).text)
    set_text(element, tag, numbers([*np.clip(np.array(rgb) * factor, 0.0, 1.0), alpha]))


def _sun_direction(direction: NDArray[np.float64], look: Look) -> NDArray[np.float64]:
    direction = direction / np.linalg.norm(direction)
    flat = float(np.hypot(direction[0], direction[1]))
    angle = float(np.clip(np.arctan2(flat, -direction[2]) + look.sun_lean_rad, 0.05, 0.9))
    heading = direction[:2] / max(flat, 1e-9)
    leaning = np.array([*(heading * np.sin(angle)), -np.cos(angle)])
    return np.asarray(Rotation.from_euler("z", look.sun_turn_rad).apply(leaning))


def _paint(visual: ET.Element, rgb: tuple[float, ...]) -> None:
    material = child(visual, "material")
    for tag in ("ambient", "diffuse"):
        set_text(material, tag, numbers([*rgb, 1.0]))


def _shaken(pose: NDArray[np.float64], look: Look) -> NDArray[np.float64]:
    """The camera's link, when the camera is shaken in the axes of MuJoCo's camera (see Look)."""
    axes = pose[:3, :3] @ SDF_TO_MUJOCO_CAMERA
    shaken = pose.copy()
    shaken[:3, 3] += axes @ np.array(look.camera_shift_m)
    turn = Rotation.from_rotvec(look.camera_turn_rad).as_matrix()
    shaken[:3, :3] = axes @ turn @ SDF_TO_MUJOCO_CAMERA.T
    return shaken
