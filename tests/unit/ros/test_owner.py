"""A node's process ends with its owner, also with one that was killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mmrobot.ros.owner import OWNER

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="prctl is Linux's")
NODE = "import time; from mmrobot.ros.owner import end_with_owner; end_with_owner(exit); time.sleep(60)"
PARENT = """
import os, subprocess, sys, time
owner = {{"MMROBOT_OWNER_PID": str(os.getpid() + {other})}}
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


@pytest.mark.parametrize(("other", "ends"), [(0, True), (1_000_000, False)])
def test_a_killed_owner_ends_its_nodes_and_nobody_elses(other: int, ends: bool) -> None:
    code = PARENT.format(other=other, node=NODE)
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
    assert OWNER == "MMROBOT_OWNER_PID"
