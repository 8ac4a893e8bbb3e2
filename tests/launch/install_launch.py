"""The true `ros2 launch` beside .venv: launch, launch_ros and ros2cli of Jazzy, built from their sources.

    python tests/launch/install_launch.py [--from URL_OR_FOLDER] [--where FOLDER]

No package registry has them, so they are cloned: from the public repositories, or from a folder or server
that holds clones of the same names (MMROBOT_LAUNCH_SOURCES). Nothing goes into .venv: Python's parts, the
command `ros2` and composition_interfaces (which launch_ros imports) go into the folder, by default `.launch`
in the checkout, which git ignores. One minute. Afterwards, for a terminal: source .launch/use.sh
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PUBLIC = "https://github.com/ros2"
BRANCH = "jazzy"
PACKAGES = {
    "launch": ("launch", "launch_xml", "launch_yaml"),
    "launch_ros": ("launch_ros", "ros2launch"),
    "ros2cli": (
        *("ros2cli", "ros2pkg", "ros2run", "ros2node", "ros2topic", "ros2service", "ros2param"),
        *("ros2action", "ros2interface", "ros2lifecycle"),
    ),
    "rosidl_runtime_py": (".",),
}
COMPOSITION = [f"composition_interfaces/srv/{n}" for n in ("LoadNode", "UnloadNode", "ListNodes")]
CLONE_S = 300.0
USE = """# To be sourced: `ros2 launch` of this folder over mmrobot's .venv.
export PATH="{site}/bin:{venv}/bin:$PATH"
export AMENT_PREFIX_PATH="{venv}:{site}:{interfaces}"
export LD_LIBRARY_PATH="{interfaces}/lib${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}}"
export PYTHONPATH="{root}:{site}:{python}${{PYTHONPATH:+:$PYTHONPATH}}"
"""


class InstallError(Exception):
    """A step failed; the message has the last lines of what it said."""


def default_folder() -> Path:
    """MMROBOT_LAUNCH_DIR, else `.launch` in the checkout."""
    return Path(os.environ.get("MMROBOT_LAUNCH_DIR") or ROOT / ".launch").resolve()


def environment(folder: Path) -> dict[str, str]:
    """Variables for a process that runs `ros2` of the folder; raises InstallError when it is not set up."""
    if not (folder / "done").is_file():
        raise InstallError(f"{folder} holds no ros2 launch: run python tests/launch/install_launch.py")
    site, interfaces, venv = folder / "site", folder / "interfaces", ROOT / ".venv"
    return {
        **os.environ,
        "PATH": os.pathsep.join([f"{site}/bin", f"{venv}/bin", os.environ["PATH"]]),
        "AMENT_PREFIX_PATH": os.pathsep.join(map(str, (venv, site, interfaces))),
        "LD_LIBRARY_PATH": os.pathsep.join([f"{interfaces}/lib", os.environ.get("LD_LIBRARY_PATH", "")]),
        "PYTHONPATH": os.pathsep.join(map(str, (ROOT, site, _python_folder(folder)))),
    }


def install(sources: str, folder: Path) -> Path:
    """Everything, anew, unless it is there; the folder. Raises InstallError naming the step."""
    if (folder / "done").is_file():
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as temporary:
        clones = Path(temporary)
        for name in (*PACKAGES, "rcl_interfaces"):
            print(f"==> {name}", file=sys.stderr, flush=True)
            command = ["git", "clone", "-q", "--depth", "1", "--branch", BRANCH, f"{sources}/{name}"]
            _run([*command, str(clones / name)], CLONE_S)
        python = str(ROOT / ".venv" / "bin" / "python")
        packages = [str(clones / repo / p) for repo, names in PACKAGES.items() for p in names]
        pip = [python, "-m", "pip", "install", "-q", "--no-deps", "--target", str(folder / "site")]
        _run([*pip, "--no-build-isolation", *packages])
        _run([*pip, "osrf-pycommon"])
        build = [python, str(ROOT / "scripts" / "build_interfaces.py")]
        build += ["--source", str(clones / "rcl_interfaces"), "--prefix", str(folder / "interfaces")]
        _run([*build, *COMPOSITION])
    (folder / "use.sh").write_text(
        USE.format(
            site=folder / "site",
            venv=ROOT / ".venv",
            interfaces=folder / "interfaces",
            root=ROOT,
            python=_python_folder(folder),
        ),
        encoding="utf-8",
    )
    (folder / "done").touch()
    return folder


def _python_folder(folder: Path) -> Path:
    return folder / "interfaces" / "lib" / f"python{sysconfig.get_python_version()}" / "site-packages"


def _run(command: Sequence[str], timeout_s: float = 600.0) -> None:
    # git asks for a name and password where a repository cannot be reached.
    variables = {**os.environ, "GIT_TERMINAL_PROMPT": "0"}
    try:
        ended = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=timeout_s,
            env=variables,
        )
    except subprocess.TimeoutExpired as error:
        raise InstallError(f"{' '.join(command[:4])} ... took longer than {timeout_s:g} s") from error
    if ended.returncode != 0:
        last = "\n".join(ended.stdout.splitlines()[-8:])
        raise InstallError(f"{' '.join(command[:4])} ... ended with status {ended.returncode}:\n{last}")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    given = os.environ.get("MMROBOT_LAUNCH_SOURCES") or PUBLIC
    parser.add_argument("--from", dest="sources", default=given, help=f"else {given}")
    parser.add_argument("--where", type=Path, help="folder; without it MMROBOT_LAUNCH_DIR, else .launch here")
    arguments = parser.parse_args()
    try:
        print(install(arguments.sources, (arguments.where or default_folder()).resolve()))
    except InstallError as error:
        print(f"ros2 launch was not set up: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
