"""What Gazebo's own joint controllers need of the arm: gains, no gravity, and where they begin.

The SDF's gains are for the embedded simulator, whose integrator treats damping implicitly and which adds
computed torque. Gazebo's controllers are PIDs alone, evaluated once a step: their damping is explicit,
and must stay under inertia / step for the light links of the wrist.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import dataclass

from mmrobot.simulator.gazebo.elements import set_text
from mmrobot.simulator.sdf_plugins import POSITION, TRAJECTORY

STATES = "gz::sim::systems::JointStatePublisher"
STATES_RATE_HZ = 50.0


@dataclass(frozen=True)
class Gains:
    """N m/rad (N/m), N m s/rad (N s/m), N m (N)."""

    position: float
    velocity: float
    limit: float


ARM_GAINS = {
    "shoulder_pan_joint": Gains(2000.0, 80.0, 120.0),
    "shoulder_lift_joint": Gains(3000.0, 110.0, 120.0),
    "elbow_joint": Gains(1500.0, 40.0, 80.0),
    "wrist_1_joint": Gains(150.0, 0.8, 25.0),
    "wrist_2_joint": Gains(300.0, 3.0, 25.0),
    "wrist_3_joint": Gains(60.0, 0.3, 12.0),
}
FINGER_GAINS = Gains(1500.0, 8.0, 20.0)
# Half of the embedded simulator's opening at the beginning.
FINGER_START_M = 0.03


def adapt_arm(model: ET.Element) -> ET.Element:
    """The arm's <model> for Gazebo, changed in place."""
    for link in model.findall("link"):
        # Every real arm's controller holds its own weight; Gazebo's trajectory controller does not.
        set_text(link, "gravity", "false")
    joints = [j.get("name", "") for j in model.findall("joint") if j.get("type") != "fixed"]
    for plugin in model.findall("plugin"):
        name = plugin.get("name")
        if name == TRAJECTORY:
            _trajectory(plugin)
        elif name == POSITION:
            _finger(plugin)
        elif name == STATES:
            # Else it tells of fixed joints too, at every step.
            for joint in joints:
                ET.SubElement(plugin, "joint_name").text = joint
            set_text(plugin, "update_rate", f"{STATES_RATE_HZ:g}")
    return model


def _trajectory(plugin: ET.Element) -> None:
    """Joint after joint, everything from the table: the controller reads each tag's n-th for joint n.

    It drives a joint to `initial_position` at once and with full torque: so that is 0, where Gazebo puts
    the joints, and gazebo_companion_node takes the arm home slowly.
    """
    joints = [element.text or "" for element in plugin.findall("joint_name")]
    for element in list(plugin):
        if element.tag not in ("topic", "use_header_start_time"):
            plugin.remove(element)
    for joint in joints:
        gains = ARM_GAINS[joint]
        for tag, value in (
            ("joint_name", joint),
            ("initial_position", "0"),
            ("position_p_gain", f"{gains.position:g}"),
            ("position_i_gain", "0"),
            ("position_d_gain", "0"),
            ("position_cmd_min", f"{-gains.limit:g}"),
            ("position_cmd_max", f"{gains.limit:g}"),
            ("velocity_p_gain", f"{gains.velocity:g}"),
            ("velocity_i_gain", "0"),
            ("velocity_d_gain", "0"),
            ("velocity_cmd_min", f"{-gains.limit:g}"),
            ("velocity_cmd_max", f"{gains.limit:g}"),
        ):
            ET.SubElement(plugin, tag).text = value


def _finger(plugin: ET.Element) -> None:
    set_text(plugin, "p_gain", f"{FINGER_GAINS.position:g}")
    set_text(plugin, "i_gain", "0")
    set_text(plugin, "d_gain", f"{FINGER_GAINS.velocity:g}")
    set_text(plugin, "cmd_min", f"{-FINGER_GAINS.limit:g}")
    set_text(plugin, "cmd_max", f"{FINGER_GAINS.limit:g}")
    set_text(plugin, "initial_position", f"{FINGER_START_M:g}")
