"""Gazebo plugins: those that command joints are read, those that do nothing here are known by name."""

from __future__ import annotations

from mmrobot.simulator.sdf_model import JointCommand
from mmrobot.simulator.sdf_xml import SdfNode

TRAJECTORY = "gz::sim::systems::JointTrajectoryController"
POSITION = "gz::sim::systems::JointPositionController"

# The embedded simulator does itself what these do in Gazebo.
IGNORED = frozenset(
    f"gz::sim::systems::{name}"
    for name in (
        "Physics",
        "UserCommands",
        "SceneBroadcaster",
        "Sensors",
        "Contact",
        "JointStatePublisher",
        "PosePublisher",
    )
)


def read_plugin(node: SdfNode) -> list[JointCommand]:
    """The joints that a plugin commands; empty for those without effect here."""
    name = node.attribute("name")
    if name == TRAJECTORY:
        return _trajectory(node)
    if name == POSITION:
        return _position(node)
    if name in IGNORED:
        return []
    raise node.refuse(
        f"is the plugin '{name}', which the embedded simulator does not have",
        f"remove it, or use one of: {', '.join(sorted({TRAJECTORY, POSITION, *IGNORED}))}",
    )


def _trajectory(node: SdfNode) -> list[JointCommand]:
    listed = {"joint_name", "initial_position", "position_p_gain", "position_i_gain", "position_d_gain"}
    node.expect(
        listed,
        {
            "topic",
            "use_header_start_time",
            "position_i_min",
            "position_i_max",
            "position_cmd_min",
            "position_cmd_max",
            "position_cmd_offset",
            "velocity_p_gain",
            "velocity_i_gain",
            "velocity_d_gain",
            "velocity_i_min",
            "velocity_i_max",
            "velocity_cmd_min",
            "velocity_cmd_max",
            "velocity_cmd_offset",
        },
    )
    joints = [child.text() for child in node.children("joint_name")]
    if not joints:
        raise node.refuse("names no joints", "add a <joint_name> for each joint it commands")
    columns = {}
    for tag in listed - {"joint_name"}:
        values = [child.floats(1)[0] for child in node.children(tag)]
        if values and len(values) != len(joints):
            raise node.refuse(
                f"has {len(values)} <{tag}> for {len(joints)} joints", "write one for each joint"
            )
        columns[tag] = values or [0.0] * len(joints)
    return [
        JointCommand(
            joint,
            "trajectory",
            columns["position_p_gain"][i],
            columns["position_i_gain"][i],
            columns["position_d_gain"][i],
            columns["initial_position"][i],
        )
        for i, joint in enumerate(joints)
    ]


def _position(node: SdfNode) -> list[JointCommand]:
    node.expect(
        {"joint_name", "p_gain", "i_gain", "d_gain", "initial_position"},
        {
            "topic",
            "sub_topic",
            "joint_index",
            "i_max",
            "i_min",
            "cmd_max",
            "cmd_min",
            "cmd_offset",
            "use_velocity_commands",
            "use_actuator_msg",
            "actuator_number",
        },
    )
    gains = [node.child_float(tag, 0.0) for tag in ("p_gain", "i_gain", "d_gain", "initial_position")]
    joints = [child.text() for child in node.children("joint_name")]
    if not joints:
        raise node.refuse("names no joints", "add a <joint_name>")
    return [JointCommand(joint, "position", *gains) for joint in joints]
