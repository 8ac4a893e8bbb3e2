"""gazebo.launch.py by the true launch, with stand-ins for ros_gz's programs: what it starts and refuses."""

from __future__ import annotations

import json
import os
import shutil
import stat
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

launch = pytest.importorskip("launch", reason="launch is not installed here: its packages come with ROS")
pytest.importorskip("launch_ros", reason="launch_ros is not installed here: its packages come with ROS")

from launch.actions import IncludeLaunchDescription, TimerAction  # noqa: E402
from launch.events import Shutdown  # noqa: E402
from launch.launch_description_sources import (  # noqa: E402
    PythonLaunchDescriptionSource,
    get_launch_description_from_python_launch_file,
)

from mmrobot.errors import MmrobotError  # noqa: E402
from mmrobot.ros.gazebo_launching import gazebo_actions, gazebo_arguments  # noqa: E402
from mmrobot.ros.graph import shared_folder  # noqa: E402

FILE = Path(__file__).resolve().parents[2] / "launch" / "gazebo.launch.py"

# As ros_gz_sim's own of Jazzy: the arguments that it declares, and a shell that runs what is given.
GZ_SIM = """
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, ExecuteProcess, OpaqueFunction, Shutdown
from launch.substitutions import LaunchConfiguration

def run(context):
    args = [LaunchConfiguration(n).perform(context) for n in ("gz_args", "gz_version", "on_exit_shutdown")]
    return [ExecuteProcess(cmd=["gz sim", args[0], "--force-version", args[1]], shell=True,
                           on_exit=Shutdown() if args[2] != "false" else None)]

def generate_launch_description():
    names = ("gz_args", "gz_version", "ign_args", "ign_version", "debugger", "on_exit_shutdown")
    declared = [DeclareLaunchArgument(n, default_value="", description=n) for n in names]
    return LaunchDescription([*declared, OpaqueFunction(function=run)])
"""
STAND_IN = """#!{python}
import json, os, pathlib, sys, time
files = {{a: pathlib.Path(a).read_text() for a in sys.argv[1:] if a.endswith(".sdf")}}
params = {{a: pathlib.Path(a).read_text() for a in sys.argv[1:] if a.startswith("/tmp/launch_params")}}
told = dict(argv=sys.argv[1:], models=os.environ.get("GZ_SIM_RESOURCE_PATH", ""), files=files, params=params)
pathlib.Path({out!r}).write_text(json.dumps(told))
time.sleep({seconds})
"""


def program(path: Path, out: Path, seconds: float) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(STAND_IN.format(python=sys.executable, out=str(out), seconds=seconds))
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


@pytest.fixture
def ros_gz(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An ament prefix with ros_gz_sim and ros_gz_bridge, and a `gz` on the path, that tell what they got."""
    prefix = tmp_path / "prefix"
    for package in ("ros_gz_sim", "ros_gz_bridge"):
        marker = prefix / "share/ament_index/resource_index/packages" / package
        marker.parent.mkdir(parents=True, exist_ok=True)
        marker.touch()
        (prefix / "share" / package / "launch").mkdir(parents=True)
    (prefix / "share/ros_gz_sim/launch/gz_sim.launch.py").write_text(GZ_SIM)
    program(prefix / "lib/ros_gz_bridge/parameter_bridge", tmp_path / "bridge.json", 60.0)
    program(tmp_path / "bin/gz", tmp_path / "gz.json", 6.0)
    known = os.environ.get("AMENT_PREFIX_PATH", sys.prefix)
    monkeypatch.setenv("AMENT_PREFIX_PATH", os.pathsep.join([str(prefix), known]))
    monkeypatch.setenv("PATH", os.pathsep.join([str(tmp_path / "bin"), os.environ["PATH"]]))
    return tmp_path


def context_of(**given: str) -> launch.LaunchContext:
    context = launch.LaunchContext()
    context.launch_configurations.update(given)
    return context


def test_every_argument_is_described_and_known() -> None:
    declared = get_launch_description_from_python_launch_file(str(FILE)).get_launch_arguments()
    assert [a.name for a in declared] == [name for name, _, _ in gazebo_arguments()]
    assert all(len(argument.description) > 10 for argument in declared)
    assert {"scene", "episode", "headless", "camera_rate_hz", "namespace", "gz_args", "bridge_config"} <= {
        a.name for a in declared
    }


def test_it_starts_gazebo_with_the_scene_the_bridge_and_the_nodes(ros_gz: Path) -> None:
    """Run to its end: when Gazebo ends, everything ends, and the world's folder goes."""
    service = launch.LaunchService(noninteractive=True)
    included = IncludeLaunchDescription(
        PythonLaunchDescriptionSource(str(FILE)), launch_arguments={"namespace": "arm1"}.items()
    )
    too_long = TimerAction(period=60.0, actions=[launch.actions.EmitEvent(event=Shutdown(reason="too long"))])
    service.include_launch_description(launch.LaunchDescription([included, too_long]))
    service.run()
    gz = json.loads((ros_gz / "gz.json").read_text())
    assert gz["argv"][0] == "sim"
    assert {"-r", "-s", "--headless-rendering"} <= set(gz["argv"])
    assert gz["argv"][-2:] == ["--force-version", "8"]
    assert str(shared_folder("sim") / "models") in gz["models"].split(":")
    ((world_file, world),) = gz["files"].items()
    names = {m.get("name") for m in ET.fromstring(world).iter("model")}
    assert {"arm", "table", "camera"} < names and len(names) > 4
    assert not Path(world_file).exists()
    bridge = json.loads((ros_gz / "bridge.json").read_text())
    assert any("__ns:=/arm1" in a for a in bridge["argv"])
    assert any("gz_bridge.yaml" in text for text in bridge["params"].values())


def test_the_nodes_are_those_of_a_robot_and_the_companion(ros_gz: Path) -> None:
    actions = gazebo_actions(context_of(headless="false", gz_args="-v 4", real_time_factor="0"))
    nodes = [a for a in actions if type(a).__name__ == "Node"]
    assert len(nodes) == 6
    (simulator,) = [a for a in actions if isinstance(a, IncludeLaunchDescription)]
    arguments = dict(simulator.launch_arguments)
    assert arguments["gz_args"].startswith("-r -v 4 /")
    assert arguments["gz_version"] == "8"
    world = Path(arguments["gz_args"].split()[-1])
    assert "<real_time_factor>0</real_time_factor>" in world.read_text()
    shutil.rmtree(world.parent)


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("camera_rate_hz", "500", "camera_rate_hz"),
        ("camera_rate_hz", "fast", "camera_rate_hz"),
        ("real_time_factor", "-1", "real_time_factor"),
        ("headless", "perhaps", "headless"),
        ("scene", "/nowhere/scene.yaml", "/nowhere/scene.yaml"),
        ("bridge_config", "/nowhere/bridge.yaml", "/nowhere/bridge.yaml"),
    ],
)
def test_a_bad_argument_is_refused_by_name(ros_gz: Path, name: str, value: str, text: str) -> None:
    with pytest.raises(MmrobotError, match=text):
        gazebo_actions(context_of(**{name: value}))


def test_without_ros_gz_it_says_what_to_install() -> None:
    with pytest.raises(MmrobotError, match="ros_gz_sim") as caught:
        gazebo_actions(context_of())
    assert "ros-jazzy-ros-gz" in caught.value.fix
