"""The launch files, loaded by the true launch where it is installed: arguments and nodes."""

from __future__ import annotations

from pathlib import Path

import pytest

launch = pytest.importorskip("launch", reason="launch is not installed here: its packages come with ROS")
pytest.importorskip("launch_ros", reason="launch_ros is not installed here: its packages come with ROS")

from launch.launch_description_sources import get_launch_description_from_python_launch_file  # noqa: E402

from mmrobot.ros.graph import option_fields  # noqa: E402
from mmrobot.ros.launching import nodes  # noqa: E402

FOLDER = Path(__file__).resolve().parents[2] / "launch"


@pytest.mark.parametrize(("name", "left_out"), [("simulation", 0), ("robot", 6)])
def test_every_argument_is_described(name: str, left_out: int) -> None:
    description = get_launch_description_from_python_launch_file(str(FOLDER / f"{name}.launch.py"))
    declared = description.get_launch_arguments()
    assert len(declared) == len(option_fields()) - left_out
    assert all(len(argument.description) > 10 for argument in declared)


@pytest.mark.parametrize(("simulate", "count"), [(True, 5), (False, 4)])
def test_nodes_are_those_of_the_list(simulate: bool, count: int) -> None:
    context = launch.LaunchContext()
    context.launch_configurations["seed"] = "3"
    made = [a for a in nodes(context, simulate) if type(a).__name__ == "Node"]
    assert len(made) == count
