"""A node's process ends with its owner, also with one that was killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mmrobot.ros.owner import OWNER, end_with_owner

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="prctl is Linux's")
NODE = "import time; from mmrobot.ros.owner import end_with_owner; end_with_owner(exit); time.sleep(60)"
PARENT = """
import os, subprocess, sys, time
owner = {{"MMROBOT_OWNER_PID": str({owner})}}
node = subprocess.Popen([sys.executable, "-c", {node!r}], env={{**os.environ, **owner}})
time.sleep(2.0)
print(node.pid, flush=True)
time.sleep(60)
"""


def living(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split(") ")[1][0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize(("who", "ends"), [("os.getpid()", True), ("1", False)])
def test_a_killed_owner_ends_its_nodes_and_nobody_elses(who: str, ends: bool) -> None:
    code = PARENT.format(owner=who, node=NODE)
    owner = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert owner.stdout is not None
    node = int(owner.stdout.readline())
    try:
        assert living(node)
        owner.kill()
        owner.wait()
        deadline = time.monotonic() + (10.0 if ends else 1.0)
        while living(node) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert living(node) is not ends
    finally:
        if living(node):
            os.kill(node, signal.SIGKILL)
        owner.stdout.close()


@pytest.mark.parametrize(("owner", "calls"), [(str(2**30), 1), ("1", 0), ("", 0)])
def test_an_owner_that_is_gone_already_ends_the_node_at_once(
    monkeypatch: pytest.MonkeyPatch, owner: str, calls: int
) -> None:
    monkeypatch.setenv(OWNER, owner)
    ended: list[bool] = []
    end_with_owner(lambda: ended.append(True))
    assert len(ended) == calls
