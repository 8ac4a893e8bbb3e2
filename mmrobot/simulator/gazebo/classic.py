"""The generated world as Gazebo 11 (classic) reads it: no gz-sim systems, capsules or rgbd_camera.

Harmonic's joint controllers become one element with the same settings, for the plugin that the tests
compile: it carries out the same laws (tests/gazebo/plugin.cc).
"""

from __future__ import annotations

import copy
import xml.etree.ElementTree as ET

import numpy as np

from mmrobot.simulator.gazebo.elements import child, numbers, read_pose, set_text, write_pose
from mmrobot.simulator.sdf_plugins import POSITION, TRAJECTORY

VERSION = "1.7"
WORLD_NAME = "default"
PLUGIN = "libmmrobot_bridge.so"
CONTROLLERS = {TRAJECTORY: "trajectory_controller", POSITION: "position_controller"}


def rewrite(root: ET.Element, socket: str) -> None:
    """Changes the <sdf> element in place; `socket` as for gazebo_world."""
    root.set("version", VERSION)
    world = child(root, "world")
    # Gazebo 11 draws a model at the origin that has the world's own name.
    world.set("name", WORLD_NAME)
    for plugin in world.findall("plugin"):
        world.remove(plugin)
    for model in world.findall("model"):
        _controllers(model, socket)
        for link in model.findall("link"):
            _capsules(link)
            _cameras(link)
    for material in root.iter("material"):
        pbr = material.find("pbr")
        if pbr is not None:
            material.remove(pbr)


def _controllers(model: ET.Element, socket: str) -> None:
    found = model.findall("plugin")
    for plugin in found:
        model.remove(plugin)
    if not found or not socket:
        return
    bridge = ET.SubElement(model, "plugin", name="mmrobot_bridge", filename=PLUGIN)
    ET.SubElement(bridge, "socket").text = socket
    for plugin in found:
        tag = CONTROLLERS.get(plugin.get("name", ""))
        if tag is not None:
            bridge.append(_retagged(plugin, tag))


def _retagged(plugin: ET.Element, tag: str) -> ET.Element:
    element = ET.Element(tag)
    element.extend(copy.deepcopy(list(plugin)))
    return element


def _capsules(link: ET.Element) -> None:
    """A cylinder and two balls in each capsule's place."""
    for part in [*link.findall("visual"), *link.findall("collision")]:
        capsule = part.find("geometry/capsule")
        if capsule is None:
            continue
        radius, length = (float(capsule.findtext(tag) or 0) for tag in ("radius", "length"))
        pose = read_pose(part.findtext("pose"))
        name = part.get("name", "")
        for suffix, along in (("top", length / 2), ("bottom", -length / 2)):
            ball = copy.deepcopy(part)
            ball.set("name", f"{name}_{suffix}")
            shift = np.eye(4)
            shift[2, 3] = along
            set_text(ball, "pose", write_pose(pose @ shift))
            geometry = child(ball, "geometry")
            geometry.clear()
            ET.SubElement(ET.SubElement(geometry, "sphere"), "radius").text = numbers([radius])
            link.append(ball)
        geometry = child(part, "geometry")
        geometry.clear()
        cylinder = ET.SubElement(geometry, "cylinder")
        ET.SubElement(cylinder, "radius").text = numbers([radius])
        ET.SubElement(cylinder, "length").text = numbers([length])


def _cameras(link: ET.Element) -> None:
    """A colour and a depth camera in the place of each rgbd_camera."""
    for sensor in link.findall("sensor"):
        if sensor.get("type") != "rgbd_camera":
            continue
        for tag in ("topic", "gz_frame_id"):
            for element in sensor.findall(tag):
                sensor.remove(element)
        camera = child(sensor, "camera")
        for element in camera.findall("optical_frame_id"):
            camera.remove(element)
        depth = copy.deepcopy(sensor)
        sensor.set("type", "camera")
        depth.set("type", "depth")
        depth.set("name", f"{sensor.get('name')}_depth")
        depth_camera = child(depth, "camera")
        depth_camera.set("name", f"{camera.get('name')}_depth")
        for element in depth_camera.findall("noise"):
            depth_camera.remove(element)
        link.append(depth)
