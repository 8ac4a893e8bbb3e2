"""`mmrobot up`: the graph as processes, left running until Ctrl-C."""

from __future__ import annotations

import os
import signal
import threading

from mmrobot.cli.output import Output
from mmrobot.config import default_config_file, load_config
from mmrobot.ros.bringup import Supervisor
from mmrobot.ros.client import RobotClient
from mmrobot.ros.graph import GraphOptions, graph_nodes, shared_folder
from mmrobot.ros.hung import hung
from mmrobot.ros.scene_file import load_scene

CHECK_S = 0.3


def run_up(options: GraphOptions, simulate: bool, output: Output) -> None:
    """Start all nodes, and again what is killed or crashes; ends with Ctrl-C (ok), or with the error of a
    node whose next start would end the same way (see Supervisor.tend)."""
    load_config(options.config or default_config_file())
    if simulate:
        load_scene(options.scene or shared_folder("sim") / "scenes" / "demo.yaml", options.episode)
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    nodes = graph_nodes(options, simulate)
    domain = os.environ.get("ROS_DOMAIN_ID", "0")
    output.console.print(f"[bold]mmrobot[/] {', '.join(n.name for n in nodes)} on ROS domain {domain}")
    with Supervisor(nodes) as supervisor:
        ready = False
        with RobotClient(namespace=options.namespace) as client:
            while not ended.wait(CHECK_S):
                silent = hung(client.monitor, supervisor.started_s)
                for name in silent:
                    output.console.print(f"[yellow]{name} hangs[/]  it is killed")
                for name in supervisor.tend(silent):
                    ready, client.health = False, None
                    output.console.print(f"[yellow]{name} died[/]  it is started again")
                if not ready and client.health is not None and not any(client.health.values()):
                    ready = True
                    output.console.print(
                        '[green]ready[/]  try: mmrobot say "put the red cube in the blue bowl"'
                    )
    output.console.print("all nodes ended")
    output.finish(True)
