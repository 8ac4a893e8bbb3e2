"""Adapters to other robots: what is missing is named with its fix, poses and places are right."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from mmrobot.command.places import named_place
from mmrobot.config import config_from_dict
from mmrobot.errors import InvalidConfigError, UnsafeError
from mmrobot.ros.graph import SERVERS, GraphOptions, graph_nodes
from mmrobot.ros.moveit_server_node import finger_yaw, from_above
from mmrobot.ros.optional_messages import interface
from mmrobot.safety.gate import SafetyGate
from mmrobot.types import ActionPlan, GroundedObject, PlanStep


def test_a_missing_package_is_named_with_its_fix() -> None:
    with pytest.raises(InvalidConfigError, match="no_such_msgs/action/Drive") as error:
        interface("no_such_msgs/action/Drive", "this robot")
    assert "ros-jazzy-no-such-msgs" in error.value.fix and "build_interfaces.py" in error.value.fix
    with pytest.raises(InvalidConfigError, match="Nonsense"):
        interface("std_msgs/msg/Nonsense", "this robot")
    assert interface("std_msgs/msg/String", "this robot").__name__ == "String"


@pytest.mark.parametrize("server", [*SERVERS, "none"])
def test_each_server_is_one_node_named_arm_server_or_none(server: str) -> None:
    nodes = graph_nodes(GraphOptions(server=server), simulate=False)
    names = [n.name for n in nodes]
    assert names == (["arm_server"] if server != "none" else []) + ["executor", "vlm", "manager"]


def test_an_unknown_server_is_named() -> None:
    with pytest.raises(InvalidConfigError, match="'abb'") as error:
        graph_nodes(GraphOptions(server="abb"))
    assert "moveit" in error.value.fix


@pytest.mark.parametrize("yaw", np.linspace(-3, 3, 13))
def test_the_hand_points_down_and_its_y_where_it_should(yaw: float) -> None:
    q = from_above(float(yaw))
    turn = Rotation.from_quat([q.x, q.y, q.z, q.w]).as_matrix()
    assert turn[:, 2] == pytest.approx([0, 0, -1], abs=1e-9)
    assert turn[:, 1] == pytest.approx([math.cos(yaw), math.sin(yaw), 0], abs=1e-9)


def test_fingers_close_over_the_narrower_side() -> None:
    bar = GroundedObject("bar", (0, 0, 1, 1), 1, (0.4, 0, 0.02), (0.12, 0.03, 0.03), 0.3, 0.03, np.eye(3), 0)
    assert finger_yaw(bar) == pytest.approx(0.3 + math.pi / 2)
    assert finger_yaw(replace(bar, size_m=(0.03, 0.12, 0.03))) == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("words", "place"),
    [
        ("drive to the kitchen", "kitchen"),
        ("Please go to the Kitchen!", "kitchen"),
        ("can you navigate to charging station 2 now?", "charging-station 2"),
        ("go back to the charging station 2", "charging-station 2"),
        ("go home", None),
        ("go to the cellar", None),
        ("put the red cube in the blue bowl", None),
        ("move the cube to the kitchen", None),
        ("do not drive to the kitchen", None),
    ],
)
def test_words_name_a_place(words: str, place: str | None) -> None:
    assert named_place(words, ["kitchen", "charging-station 2"]) == place


def test_places_are_checked_when_read() -> None:
    config = config_from_dict({"navigation": {"places": {"kitchen": [2, 0.5, 1.57]}}})
    assert config.navigation.places == {"kitchen": (2.0, 0.5, 1.57)}
    for bad in ([1, 2], "here", [1, 2, float("nan")], ["a", 0, 0]):
        with pytest.raises(InvalidConfigError, match="navigation"):
            config_from_dict({"navigation": {"places": {"kitchen": bad}}})


def test_the_gate_lets_a_base_drive_only_to_known_places() -> None:
    config = config_from_dict({"navigation": {"places": {"kitchen": [2, 0.5, 1.57]}}})
    plan = ActionPlan("p", "drive", (PlanStep(0, "navigate", text="kitchen"),), 10**9, "m")
    SafetyGate(config).check_plan(plan, 10**9)
    elsewhere = replace(plan, steps=(PlanStep(0, "navigate", text="the stairs"),))
    with pytest.raises(UnsafeError, match="the stairs") as error:
        SafetyGate(config).check_plan(elsewhere, 10**9)
    assert error.value.rule == "known_place"
    with pytest.raises(UnsafeError):
        SafetyGate().check_plan(plan, 10**9)
