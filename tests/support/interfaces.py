"""True interfaces of other packages, built once for the tests into a folder outside of the project."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ROOT / "tests" / "interfaces"
WANTED = (
    "control_msgs/action/FollowJointTrajectory",
    "control_msgs/action/GripperCommand",
    "nav2_msgs/action/NavigateToPose",
    "moveit_msgs/action/MoveGroup",
)


def built_interfaces() -> Path:
    """Their prefix; built when its definitions or its builder are new."""
    content = hashlib.sha256(str(ROOT).encode())
    for file in (*sorted(SOURCES.rglob("*")), ROOT / "scripts/build_interfaces.py"):
        if file.is_file():
            content.update(file.read_bytes())
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    prefix = cache / "mmrobot_test_interfaces" / content.hexdigest()[:12]
    if (prefix / "use.sh").is_file():
        return prefix
    command = [sys.executable, str(ROOT / "scripts/build_interfaces.py"), "--source", str(SOURCES)]
    with tempfile.TemporaryFile("w+") as said:
        done = subprocess.run(
            [*command, "--prefix", str(prefix), *WANTED], stdout=said, stderr=said, check=False, timeout=1500
        )
        said.seek(0)
        assert done.returncode == 0, said.read()[-3000:]
    return prefix


def with_interfaces(prefix: Path) -> dict[str, str]:
    """Variables of processes that use them."""
    python = next(prefix.glob("lib/python3*/site-packages"))
    before = {
        name: os.environ.get(name, "") for name in ("PYTHONPATH", "LD_LIBRARY_PATH", "AMENT_PREFIX_PATH")
    }
    more = {
        "PYTHONPATH": f"{ROOT}{os.pathsep}{python}",
        "LD_LIBRARY_PATH": str(prefix / "lib"),
        "AMENT_PREFIX_PATH": str(prefix),
    }
    return {name: os.pathsep.join(filter(None, [more[name], before[name]])) for name in more}


if __name__ == "__main__":
    built_interfaces()
