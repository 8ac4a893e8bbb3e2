"""The one list of nodes and their parameters, which `mmrobot up`, `mmrobot demo` and the launch files share.

No rclpy here: a launch file imports it to read the list.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from mmrobot.config import default_config_file, load_config
from mmrobot.errors import InvalidConfigError
from mmrobot.perception.camera_profile import load_profile
from mmrobot.ros.enclave import enclave_arguments
from mmrobot.ros.picture_transport import picture_environment

DEFAULT_SCENE = "demo.yaml"
SERVERS: dict[str, tuple[str, dict[str, Any]]] = {
    "arm": ("mmrobot.ros.arm_server_node", {}),
    "ros2_control": ("mmrobot.ros.arm_server_node", {"port": "ros2_control"}),
    "moveit": ("mmrobot.ros.moveit_server_node", {}),
    "nav2": ("mmrobot.ros.navigation_server_node", {}),
}
"""Who serves `execute_skill`: module and parameters."""
NO_SERVER = "none"
BRINGUPS = ("manager", "self", "other")


def shared_folder(name: str) -> Path:
    """`sim`, `config` or `launch`: of the checkout when run from there, else of the share folder."""
    here = Path(__file__).resolve().parents[2] / name
    return here if here.is_dir() else package_share("mmrobot") / name


def package_share(package: str) -> Path:
    """A ROS package's share folder: in AMENT_PREFIX_PATH, else in this environment (a prefix too)."""
    prefixes = [*filter(None, os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep)), sys.prefix]
    for prefix in prefixes:
        share = Path(prefix) / "share" / package
        if share.is_dir():
            return share
    raise InvalidConfigError(
        f"ROS package '{package}' is in none of {prefixes}", "source ROS's setup.bash, or: make setup"
    )


@dataclass(frozen=True)
class GraphOptions:
    """What a person chooses when starting the graph; every field is a launch argument of that name."""

    config: str = field(default="", metadata={"help": "YAML of all settings; empty: config/mmrobot.yaml"})
    scene: str = field(
        default="", metadata={"help": "YAML of a scene or of episodes; empty: sim/scenes/demo.yaml"}
    )
    episode: str = field(
        default="", metadata={"help": "name of the episode in the scene file; empty: the first"}
    )
    seed: int = field(default=0, metadata={"help": "seed of camera noise"})
    headless: bool = field(
        default=True, metadata={"help": "false: publish the spectator's view on 'spectator'"}
    )
    real_time_factor: float = field(
        default=1.0, metadata={"help": "simulated seconds in one of wall time; 0: as fast as it can"}
    )
    camera_rate_hz: float = field(default=10.0, metadata={"help": "pictures in a simulated second"})
    model: str = field(default="", metadata={"help": "vision-language model; empty: the configuration's"})
    namespace: str = field(default="", metadata={"help": "namespace of all nodes"})
    use_sim_time: bool = field(default=True, metadata={"help": "take time from /clock"})
    approval: str = field(
        default="",
        metadata={"help": "which plans wait for a person: never, risky, always; empty: the configuration's"},
    )
    camera: str = field(
        default="",
        metadata={
            "help": "profile in config/cameras: realsense, zed, oakd, webcam, or a YAML of your own; "
            "empty: the topics image, camera_info, depth"
        },
    )
    server: str = field(
        default="arm",
        metadata={
            "help": "who carries skills out: arm (the shipped one), ros2_control, moveit, nav2, "
            "or none (your own, docs/your_robot.md)"
        },
    )
    bringup: str = field(
        default="manager",
        metadata={
            "help": "who configures and activates executor and vlm: manager (the shipped one), self (each "
            "itself), or other (your own lifecycle manager)"
        },
    )
    console: bool = field(default=False, metadata={"help": "true: serve a page for the browser"})
    voice: bool = field(
        default=False, metadata={"help": "true: listen on the microphone and on 'audio', and speak"}
    )
    record: str = field(
        default="", metadata={"help": "folder for an MCAP file and a video; empty: record nothing"}
    )


@dataclass(frozen=True)
class NodeSpec:
    """One process of the graph: `module` is run with python -m."""

    name: str
    module: str
    parameters: dict[str, Any]
    namespace: str = ""
    remappings: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    """Variables of its process, beside those of all."""

    def arguments(self) -> list[str]:
        """Command line after the module's name. Values are YAML, so text is quoted."""
        words = ["--ros-args", *enclave_arguments(self.name, self.namespace)]
        if self.namespace:
            words += ["-r", f"__ns:=/{self.namespace.strip('/')}"]
        for name, topic in self.remappings.items():
            words += ["-r", f"{name}:={topic}"]
        for name, value in self.parameters.items():
            words += ["-p", f"{name}:={parameter_text(value)}"]
        return words


def parameter_text(value: object) -> str:
    """A parameter's value as ROS reads it from a command line, its type kept."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    # 1e-7 without a point would be text in YAML 1.1.
    text = repr(value)
    return text.replace("e", ".0e") if "e" in text and "." not in text else text


def graph_nodes(options: GraphOptions, simulate: bool = True) -> list[NodeSpec]:
    """The nodes of the graph, in the order of starting; without `simulate` for a real robot's topics.

    On a robot whose own server offers `execute_skill` the option `server` is "none", and none is started.
    Raises InvalidConfigError for an unknown one, an unknown camera or bring-up.
    """
    if options.server not in (*SERVERS, NO_SERVER):
        raise InvalidConfigError(
            f"server is '{options.server}'", f"choose one of {', '.join((*SERVERS, NO_SERVER))}"
        )
    if options.bringup not in BRINGUPS:
        raise InvalidConfigError(f"bringup is '{options.bringup}'", f"choose one of {', '.join(BRINGUPS)}")
    sim_time = {"use_sim_time": options.use_sim_time}
    alone = {"autostart": options.bringup == "self"}
    config = {"config": _absolute(options.config)}
    place = options.namespace
    seen = load_profile(options.camera, shared_folder("config") / "cameras") if options.camera else None
    topics = dict(seen.topics) if seen else {}
    nodes = []
    if simulate:
        scene = options.scene or str(shared_folder("sim") / "scenes" / DEFAULT_SCENE)
        parameters = {
            "scene": _absolute(scene),
            "episode": options.episode,
            "seed": options.seed,
            "headless": options.headless,
            "real_time_factor": float(options.real_time_factor),
            "camera_rate_hz": float(options.camera_rate_hz),
        }
        pictures = picture_environment(shared_folder("config"))
        nodes.append(
            NodeSpec("simulator", "mmrobot.ros.simulator_node", parameters, place, environment=pictures)
        )
    if options.server != NO_SERVER:
        module, parameters = SERVERS[options.server]
        nodes.append(NodeSpec("arm_server", module, {**config, **sim_time, **parameters}, place))
    nodes += [
        NodeSpec("executor", "mmrobot.ros.executor_node", {**config, **sim_time, **alone}, place),
        NodeSpec(
            "vlm",
            "mmrobot.ros.vlm_node",
            {**config, **sim_time, **alone, "model": options.model, "approval": options.approval},
            place,
            topics,
        ),
    ]
    if options.bringup == "manager":
        # It watches in wall time: a simulation's clock would only cost it a tenth of a core.
        nodes.append(NodeSpec("manager", "mmrobot.ros.manager_node", config, place))
    if options.console:
        nodes.append(NodeSpec("console", "mmrobot.ros.console_node", {**config, **sim_time}, place, topics))
    if options.voice:
        nodes.append(NodeSpec("voice", "mmrobot.ros.voice_node", {**config, **sim_time}, place, topics))
    if options.record or load_config(options.config or default_config_file()).recording.black_box:
        recorder = {"directory": _absolute(options.record), "spectator": simulate and not options.headless}
        parameters = {**config, **recorder, **sim_time}
        nodes.append(NodeSpec("recorder", "mmrobot.ros.recorder_node", parameters, place, topics))
    return nodes


def option_fields() -> list[tuple[str, Any, str]]:
    """(name, default, help) of every option: for launch arguments and the command line."""
    return [(f.name, f.default, f.metadata["help"]) for f in fields(GraphOptions)]


def _absolute(path: str) -> str:
    return str(Path(path).expanduser().resolve()) if path else ""
