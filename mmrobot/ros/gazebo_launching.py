"""Gazebo Harmonic, its bridge and the graph's nodes as launch actions. For gazebo.launch.py only."""

from __future__ import annotations

import shlex
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from mmrobot.errors import InvalidConfigError
from mmrobot.ros.graph import DEFAULT_SCENE, GraphOptions, NodeSpec, graph_nodes, package_share, shared_folder
from mmrobot.ros.launching import arguments, kept_nodes, options_from_text
from mmrobot.ros.scene_file import load_scene
from mmrobot.simulator.gazebo.world import Dialect, gazebo_world

# The sensor's noise is Gazebo's own, and its time is everybody's.
LEFT_OUT = ("seed", "use_sim_time")
GZ_ARGS = ("gz_args", "", "more arguments for 'gz sim', such as '-v 4' or '--physics-engine ...'")
BRIDGE = ("bridge_config", "", "YAML of ros_gz_bridge; empty: config/gz_bridge.yaml")
HARMONIC = "8"


def gazebo_arguments() -> list[tuple[str, str, str]]:
    """(name, default as text, description) of every argument of gazebo.launch.py."""
    helps = {
        "headless": "false: Gazebo's window; true: the server alone, rendering without a screen",
        "real_time_factor": "simulated seconds in one of wall time, written into the world; "
        "0: as fast as it can",
        "camera_rate_hz": "pictures in a simulated second, written into the world",
    }
    graph = [(n, v, helps.get(n, text)) for n, v, text in arguments() if n not in LEFT_OUT]
    return [*graph, GZ_ARGS, BRIDGE]


def gazebo_actions(context: Any) -> list[Any]:
    """All actions for the arguments of this launch; raises MmrobotError naming what is wrong with one."""
    from launch.actions import (
        IncludeLaunchDescription,
        OpaqueFunction,
        RegisterEventHandler,
        SetEnvironmentVariable,
    )
    from launch.event_handlers import OnShutdown
    from launch.launch_description_sources import PythonLaunchDescriptionSource
    from launch_ros.actions import Node

    given = {
        name: str(context.launch_configurations.get(name, value)) for name, value, _ in gazebo_arguments()
    }
    gz_args, bridge_config = given.pop(GZ_ARGS[0]), given.pop(BRIDGE[0])
    options = replace(options_from_text(given), use_sim_time=True)
    bridge = Path(bridge_config or shared_folder("config") / "gz_bridge.yaml").expanduser().resolve()
    if not bridge.is_file():
        raise InvalidConfigError(
            f"bridge_config is '{bridge}', which is no file", "see config/gz_bridge.yaml"
        )
    gz_sim = _ros_gz_sim() / "launch" / "gz_sim.launch.py"
    world = write_world(options)
    server = "-r -s --headless-rendering" if options.headless else "-r"
    simulator = IncludeLaunchDescription(
        PythonLaunchDescriptionSource(str(gz_sim)),
        launch_arguments={
            "gz_args": " ".join(filter(None, [server, gz_args, shlex.quote(str(world))])),
            "gz_version": HARMONIC,
            "on_exit_shutdown": "true",
        }.items(),
    )
    place = options.namespace or None
    return [
        SetEnvironmentVariable("GZ_SIM_RESOURCE_PATH", _resource_path(context)),
        RegisterEventHandler(
            OnShutdown(on_shutdown=[OpaqueFunction(function=lambda _: shutil.rmtree(world.parent))])
        ),
        simulator,
        Node(
            package="ros_gz_bridge",
            executable="parameter_bridge",
            name="gz_bridge",
            namespace=place,
            parameters=[{"config_file": str(bridge), "use_sim_time": True}],
            output="screen",
        ),
        *kept_nodes(gazebo_nodes(options), options.namespace),
    ]


def gazebo_nodes(options: GraphOptions) -> list[NodeSpec]:
    """The companion, then the nodes of a real robot: the arm server and everything above, unchanged."""
    companion = NodeSpec(
        "gazebo_companion",
        "mmrobot.ros.gazebo_companion_node",
        {"scene": str(scene_file(options)), "episode": options.episode, "use_sim_time": True},
        options.namespace,
    )
    return [companion, *graph_nodes(options, simulate=False)]


def scene_file(options: GraphOptions) -> Path:
    """The file whose objects are on the table."""
    chosen = options.scene or str(shared_folder("sim") / "scenes" / DEFAULT_SCENE)
    return Path(chosen).expanduser().resolve()


def write_world(options: GraphOptions) -> Path:
    """The world with the scene's objects, in a new temporary folder. Raises MmrobotError for a bad scene."""
    scene, _ = load_scene(scene_file(options), options.episode)
    text = gazebo_world(
        scene,
        Dialect.HARMONIC,
        camera_rate_hz=options.camera_rate_hz,
        real_time_factor=options.real_time_factor,
    )
    path = Path(tempfile.mkdtemp(prefix="mmrobot-gazebo-")) / "table.sdf"
    path.write_text(text, encoding="utf-8")
    return path


def _resource_path(context: Any) -> str:
    known = context.environment.get("GZ_SIM_RESOURCE_PATH", "")
    return ":".join(filter(None, [str(shared_folder("sim") / "models"), known]))


def _ros_gz_sim() -> Path:
    try:
        return package_share("ros_gz_sim")
    except InvalidConfigError as error:
        raise InvalidConfigError(
            "the ROS package ros_gz_sim is not installed",
            "sudo apt install ros-jazzy-ros-gz; or without Gazebo: ros2 launch mmrobot simulation.launch.py",
        ) from error
