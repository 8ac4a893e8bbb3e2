"""`mmrobot policy`: an SROS2 policy of the running graph, for people who enforce security on the network."""

from __future__ import annotations

import time
from pathlib import Path

from mmrobot.cli.output import Output
from mmrobot.errors import RobotUnavailableError
from mmrobot.ros.access_policy import Access, policy_xml, read_graph
from mmrobot.ros.client import RobotClient

NEEDED = ("executor", "vlm")
SEEN_S, SAME_S = 15.0, 3.0
"""So long the nodes are waited for, and so long nothing new may come before the graph counts as known."""


def run_policy(path: Path, namespace: str, output: Output) -> None:
    """Write it. Its client is this command's own kind: what `mmrobot say`, `stop` and `console` use."""
    with RobotClient(namespace=namespace) as client:
        accesses = _settled(client)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(policy_xml(accesses), encoding="utf-8")
    enclaves = [access.enclave for access in accesses]
    output.console.print(f"{path}: {', '.join(enclaves)}", markup=False, soft_wrap=True)
    output.finish(True, policy=str(path), enclaves=enclaves)


def _settled(client: RobotClient) -> list[Access]:
    began_s = same_s = time.monotonic()
    known: list[Access] = []
    while time.monotonic() - same_s < SAME_S:
        found = read_graph(client.node)
        if found != known:
            known, same_s = found, time.monotonic()
        missing = [name for name in NEEDED if name not in {access.name for access in known}]
        if missing:
            same_s = time.monotonic()
            if same_s - began_s > SEEN_S:
                raise RobotUnavailableError(
                    f"no node '{missing[0]}' was found within {SEEN_S:g} s",
                    "start the graph that the policy is for, with all its options: mmrobot up",
                )
        time.sleep(0.2)
    return known
