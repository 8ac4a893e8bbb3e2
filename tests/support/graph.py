"""The real graph for tests: all nodes as processes on a ROS domain of its own, a client beside them.

The model is the shipped one, which phrases that begin with "busily" keep busy first.
Limits in wall time are wide: the graph must work on a loaded machine too. The tests of
reaction times say their own.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from mmrobot.errors import DeadlineError
from mmrobot.ros.bringup import Supervisor, free_domain
from mmrobot.ros.client import Follow, RobotClient
from mmrobot.ros.graph import GraphOptions, NodeSpec, graph_nodes
from mmrobot.ros.hung import hung

SCENE: dict[str, Any] = {
    "seed": 7,
    "objects": [
        {"id": "red_cube", "shape": "cube", "color": "red", "position": [0.42, 0.10], "yaw": 0.3},
        {"id": "blue_bowl", "shape": "bowl", "color": "blue", "position": [0.50, -0.15]},
        {"id": "green_ball", "shape": "ball", "color": "green", "position": [0.36, -0.05]},
    ],
}
PATIENT: dict[str, Any] = {
    "heartbeat": {"timeout_s": 10.0, "give_up_s": 30.0},
    "camera": {"timeout_s": 8.0, "depth_timeout_s": 8.0},
    "model": {"timeout_s": 120.0},
}
READY_S = 120.0
LOCAL = {"ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST"}


class Graph:
    """Running nodes and a client; `wait` polls with a limit that a loaded machine can keep."""

    def __init__(self, nodes: Supervisor, client: RobotClient, domain: int) -> None:
        self.nodes, self.client, self.domain = nodes, client, domain
        self.recording = "recorder" in nodes.pids
        self.statuses: list[dict[str, Any]] = []
        client.on_status = self.statuses.append

    def wait(self, condition: Callable[[], Any], what: str, timeout_s: float = 60.0) -> Any:
        deadline = time.monotonic() + timeout_s
        while not (found := condition()):
            if time.monotonic() > deadline:
                raise DeadlineError(f"{what}: not within {timeout_s} s; statuses: {self.statuses[-5:]}")
            time.sleep(0.02)
        return found

    def follow(self, words: str, plan_only: bool = False, timeout_s: float = 150.0) -> Follow:
        """Say it and wait for the end."""
        follow = self.client.follow(words, plan_only, timeout_s=20.0)
        self.wait(follow.done.is_set, f"the end of '{words}'", timeout_s)
        return follow

    def start(self, words: str) -> Follow:
        """Say it and wait until the arm moves."""
        self.statuses.clear()
        follow = self.client.follow(words, timeout_s=20.0)
        self.wait(
            lambda: follow.done.is_set() or self.seen("phase", "approach") or self.seen("phase", "carry"),
            f"motion of '{words}'",
            90.0,
        )
        assert not follow.done.is_set(), follow.error
        return follow

    def seen(self, state: str, text: str = "") -> bool:
        return any(s["state"] == state and text in s["message"] for s in self.statuses)

    def tend(self) -> list[str]:
        """As `mmrobot up` does: start again what has died or hangs. In the main thread, whose end a node
        follows."""
        return self.nodes.tend(hung(self.client.monitor, self.nodes.started_s))

    def ready(self) -> None:
        self.client.wait_ready(READY_S, lambda _: self.nodes.check(), self.recording)


@contextmanager
def running_graph(
    folder: Path,
    config: dict[str, Any] | None = None,
    scene: dict[str, Any] | None = None,
    environment: dict[str, str] | None = None,
    wait: bool = True,
    **options: Any,
) -> Iterator[Graph]:
    """All nodes up and ready; ended at the end. Logs lie in `folder`/logs."""
    config_file, scene_file = folder / "config.yaml", folder / "scene.yaml"
    config_file.write_text(yaml.safe_dump(PATIENT if config is None else config))
    scene_file.write_text(yaml.safe_dump(scene or SCENE))
    chosen = {"camera_rate_hz": 5.0, **options}
    graph_options = GraphOptions(config=str(config_file), scene=str(scene_file), **chosen)
    nodes = [_with_busy_model(n) for n in graph_nodes(graph_options)]
    domain, reserved = free_domain()
    root = str(Path(__file__).resolve().parents[2])
    python_path = os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])
    variables = {
        **LOCAL,
        "ROS_DOMAIN_ID": str(domain),
        "PYTHONPATH": python_path,
        "XDG_DATA_HOME": str(folder / "data"),
        **(environment or {}),
    }
    os.environ.update(LOCAL)
    with (
        reserved,
        Supervisor(nodes, variables, folder / "logs") as supervisor,
        RobotClient(domain) as client,
    ):
        client.watch_truth()
        graph = Graph(supervisor, client, domain)
        if wait:
            graph.ready()
            graph.wait(lambda: client.world, "the simulator's truth")
        yield graph


def _with_busy_model(node: NodeSpec) -> NodeSpec:
    return replace(node, module="tests.support.busy_model_node") if node.name == "vlm" else node
