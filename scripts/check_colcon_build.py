"""Build both packages with colcon into a temporary folder, and look at what was installed.

    .venv/bin/python scripts/check_colcon_build.py

The command is the one for a machine with ROS 2 from apt; only the underlay differs: here it is .venv.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = Path(sys.prefix)
EXECUTABLES = ("mmrobot", "simulator_node", "vlm_node", "executor_node", "arm_server_node", "recorder_node")
SHARED_FOLDERS = ("launch", "config", "sim")

# Runs in the new overlay: the packages must come from there, and a message's C code must load.
USE = """
import sys
import rclpy, mmrobot, mmrobot_msgs
from rclpy.serialization import deserialize_message, serialize_message
from mmrobot_msgs.action import ExecutePlan, ExecuteSkill, FollowInstruction
from mmrobot_msgs.msg import ActionPlan, PlanStep
from mmrobot_msgs.srv import ApprovePlan, Ask, Ground, Locate
plan = ActionPlan(plan_id="p", steps=[PlanStep(skill="home")])
assert deserialize_message(serialize_message(plan), ActionPlan) == plan
for package in (mmrobot, mmrobot_msgs):
    assert package.__file__.startswith(sys.argv[1]), f"{package.__name__} comes from {package.__file__}"
"""


def tracked(folder: str) -> list[Path]:
    """The files of a folder of this checkout, without caches."""
    return [
        path.relative_to(ROOT)
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    ]


def faults(install: Path) -> list[str]:
    """What is missing below the install folder of mmrobot."""
    prefix = install / "mmrobot"
    found = (
        []
        if (prefix / "share/ament_index/resource_index/packages/mmrobot").is_file()
        else ["no resource marker"]
    )
    shared = [Path("package.xml"), *(path for folder in SHARED_FOLDERS for path in tracked(folder))]
    found += [
        f"share/mmrobot lacks {path}" for path in shared if not (prefix / "share/mmrobot" / path).is_file()
    ]
    found += [
        f"lib/mmrobot/{name} is missing or not executable"
        for name in EXECUTABLES
        if not os.access(prefix / "lib/mmrobot" / name, os.X_OK)
    ]
    (packages,) = prefix.glob("lib/python*/site-packages")
    found += [f"site-packages lacks {path}" for path in tracked("mmrobot") if not (packages / path).is_file()]
    return found


def build(work: Path) -> None:
    """colcon build with .venv as the underlay. Raises CalledProcessError."""
    env = {
        **os.environ,
        "PATH": f"{VENV / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "AMENT_PREFIX_PATH": str(VENV),
        "CMAKE_PREFIX_PATH": str(VENV),
    }
    command = [
        str(VENV / "bin/colcon"), "--log-base", str(work / "log"), "build",
        "--base-paths", str(ROOT), str(ROOT / "mmrobot_msgs"),
        "--build-base", str(work / "build"), "--install-base", str(work / "install"),
        "--event-handlers", "console_direct-", "desktop_notification-",
        "--cmake-args", "-DBUILD_TESTING=OFF", f"-DPython3_EXECUTABLE={sys.executable}",
    ]  # fmt: skip
    subprocess.run(command, env=env, check=True, cwd=work)


def use(install: Path, code: str) -> None:
    """Run Python in the new overlay. Raises CalledProcessError."""
    # COLCON_PYTHON_EXECUTABLE: colcon's own hooks run on the Python of .venv, too.
    script = f'. "{install}/local_setup.sh" && exec "{sys.executable}" -P -c "$CODE" "{install}"'
    env = {**os.environ, "CODE": code, "COLCON_PYTHON_EXECUTABLE": sys.executable}
    subprocess.run(["sh", "-c", script], env=env, check=True, cwd="/")


def main() -> int:
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="mmrobot_colcon_") as folder:
        install = Path(folder) / "install"
        try:
            build(Path(folder))
            found = faults(install)
            use(install, USE)
        except subprocess.CalledProcessError as error:
            found = [f"status {error.returncode} of {error.cmd[0]}"]
    for fault in found:
        print(f"    fault: {fault}", file=sys.stderr)
    print(
        f"    colcon build: {'failed' if found else 'both packages build, are whole and work'}"
        f" ({time.monotonic() - started:.0f} s)"
    )
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
