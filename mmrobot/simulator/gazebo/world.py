"""One SDF file that holds world, arm, camera and a scene's objects, for Gazebo Harmonic or Gazebo 11.

Both come from sim/worlds, sim/models and tabletop/scene_sdf.py, which the embedded simulator reads too;
what differs between the two dialects is in arm.py, classic.py and this file, and nowhere else.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from enum import StrEnum
from pathlib import Path

from mmrobot.errors import InvalidConfigError, UnsupportedSdfError
from mmrobot.simulator.files import MODELS_FOLDER, WORLD_FILE
from mmrobot.simulator.gazebo import classic
from mmrobot.simulator.gazebo.arm import adapt_arm
from mmrobot.simulator.gazebo.elements import child, parse, set_text
from mmrobot.simulator.gazebo.look import apply_look
from mmrobot.simulator.looks import look_of_seed
from mmrobot.tabletop.scene import Scene
from mmrobot.tabletop.scene_sdf import scene_sdf

# Gazebo's controllers act explicitly, once a step: at the embedded simulator's 2 ms the wrist's light
# links would shake.
STEP_S = 0.001
HARMONIC_VERSION = "1.10"
# Contacts of what is gripped, in ODE's terms: 1e5 N/m, damped to rest within a few steps; corrections
# slow enough that a thing between two fingers is not shot out. DART, Harmonic's default, has no such knobs.
CONTACT = {"kp": "100000.0", "kd": "50.0", "max_vel": "0.05", "min_depth": "0.0002"}


class Dialect(StrEnum):
    """Which Gazebo reads the file."""

    HARMONIC = "harmonic"
    CLASSIC = "classic"


def gazebo_world(
    scene: Scene,
    dialect: Dialect = Dialect.HARMONIC,
    *,
    world: Path = WORLD_FILE,
    camera_rate_hz: float = 10.0,
    real_time_factor: float = 1.0,
    socket: str = "",
) -> str:
    """SDF text of the world with a scene's objects, as its seed makes it look.

    `real_time_factor` 0 lets Gazebo run as fast as it can. `socket` (Dialect.CLASSIC only) is the path
    where the plugin of the tests finds its bridge; empty leaves the plugin out.
    Raises InvalidConfigError for rates that are none, UnsupportedSdfError for a world without camera or arm.
    """
    if not 0.1 <= camera_rate_hz <= 100.0:
        raise InvalidConfigError(f"camera_rate_hz is {camera_rate_hz}", "give 0.1 to 100")
    if not 0.0 <= real_time_factor <= 100.0:
        raise InvalidConfigError(
            f"real_time_factor is {real_time_factor}", "give 0 (as fast as it can) to 100"
        )
    root = parse(world.read_text(encoding="utf-8"))
    place = child(root, "world")
    _pace(child(place, "physics"), real_time_factor, dialect)
    _inline_arm(place)
    for text in scene_sdf(scene):
        place.append(_object(text))
    apply_look(place, look_of_seed(scene.seed))
    set_text(_camera(place), "update_rate", f"{camera_rate_hz:g}")
    if dialect is Dialect.CLASSIC:
        classic.rewrite(root, socket)
    else:
        root.set("version", HARMONIC_VERSION)
    ET.indent(root)
    return '<?xml version="1.0"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _pace(physics: ET.Element, real_time_factor: float, dialect: Dialect) -> None:
    set_text(physics, "max_step_size", f"{STEP_S:g}")
    set_text(physics, "real_time_factor", f"{real_time_factor:g}")
    if dialect is Dialect.CLASSIC:
        set_text(physics, "real_time_update_rate", f"{real_time_factor / STEP_S:g}")


def _inline_arm(world: ET.Element) -> None:
    """The arm's own file in the place of its include, so that Gazebo's settings can go into it."""
    for index, include in enumerate(world):
        if include.tag == "include" and include.findtext("uri") == "model://arm":
            arm = child(parse((MODELS_FOLDER / "arm" / "model.sdf").read_text(encoding="utf-8")), "model")
            arm.set("name", include.findtext("name") or "arm")
            world.remove(include)
            world.insert(index, adapt_arm(arm))
            return
    raise UnsupportedSdfError("the world does not include model://arm", "include it, as sim/worlds/table.sdf")


def _object(text: str) -> ET.Element:
    model = parse(text)
    for surface in model.iter("surface"):
        ode = ET.SubElement(ET.SubElement(surface, "contact"), "ode")
        for name, value in CONTACT.items():
            ET.SubElement(ode, name).text = value
    return model


def _camera(world: ET.Element) -> ET.Element:
    for sensor in world.iter("sensor"):
        if sensor.get("type") == "rgbd_camera":
            return sensor
    raise UnsupportedSdfError("the world has no rgbd_camera sensor", "add one to the world's SDF")
