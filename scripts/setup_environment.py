"""Make .venv: libraries, mmrobot's ROS messages, and mmrobot itself in development mode.

    python3 scripts/setup_environment.py [--dev]

Run by `make setup`. Each step is done once and again only when what it rests on has changed; two
runs at the same time wait for each other. Only the standard library is used.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from debian_packages import install_missing
from run_command import SetupError, run

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMPS = VENV / "mmrobot_setup"
SUPPORTED = ((3, 11), (3, 12))
NODES = (
    "simulator_node",
    "vlm_node",
    "executor_node",
    "manager_node",
    "arm_server_node",
    "console_node",
    "recorder_node",
    "gazebo_companion_node",
    "voice_node",
    "moveit_server_node",
    "navigation_server_node",
    "fault_injector_node",
    "faulty_vlm_node",
)

# Variables of a sourced ROS, or of another environment, would mix two installations.
FOREIGN_VARIABLES = (
    "PYTHONPATH",
    "AMENT_PREFIX_PATH",
    "CMAKE_PREFIX_PATH",
    "COLCON_PREFIX_PATH",
    "LD_LIBRARY_PATH",
    "_ROS_WHEELS_BOOTSTRAP_COMPLETE",
)


def environment() -> dict[str, str]:
    """This process's variables without those of other installations, .venv/bin first on the path."""
    kept = {name: value for name, value in os.environ.items() if name not in FOREIGN_VARIABLES}
    return {**kept, "VIRTUAL_ENV": str(VENV), "PATH": f"{VENV / 'bin'}{os.pathsep}{os.environ['PATH']}"}


def digest(paths: Iterable[Path], *words: str) -> str:
    """SHA-256 over files (name and content) and words; moving the checkout changes it too."""
    content = hashlib.sha256("\0".join([str(ROOT), *words]).encode())
    for path in sorted(paths):
        content.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes())
    return content.hexdigest()


def files_of(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def made_by_hand() -> bool:
    """Whether a whole .venv of this Python is there that set-up did not make: it is kept as it is."""
    settings = VENV / "pyvenv.cfg"
    if (STAMPS / "environment").exists() or not settings.exists() or not (VENV / "bin" / "pip").exists():
        return False
    return f"version = {sys.version_info.major}.{sys.version_info.minor}." in settings.read_text()


def make_environment() -> None:
    """An empty .venv; one that belongs to another place or Python is made anew."""
    run([sys.executable, "-m", "venv", "--clear", str(VENV)], env=environment())


def install_libraries(requirements: str) -> None:
    """The packages of a requirements file, as pinned."""
    pip = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "install", "--progress-bar", "off"]
    run([*pip, "-r", str(ROOT / requirements), "-c", str(ROOT / "constraints.txt")], env=environment())


def build_interfaces(package: Path) -> None:
    """An ament_cmake package of interfaces, built and installed into .venv."""
    build = VENV / "build" / package.name
    shutil.rmtree(build, ignore_errors=True)
    cmake = str(VENV / "bin" / "cmake")
    run(
        [
            cmake,
            "-S",
            str(package),
            "-B",
            str(build),
            "-DBUILD_TESTING=OFF",
            f"-DCMAKE_PREFIX_PATH={VENV}",
            f"-DCMAKE_INSTALL_PREFIX={VENV}",
            f"-DPython3_EXECUTABLE={PYTHON}",
        ],
        env=environment(),
    )
    run([cmake, "--build", str(build), "--parallel", str(os.cpu_count() or 1)], env=environment())
    run([cmake, "--install", str(build)], env=environment())
    shutil.rmtree(build)


def install_mmrobot() -> None:
    """mmrobot in development mode, and what `ros2 launch` looks for, linked to this checkout."""
    pip = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "install"]
    run(
        [*pip, "--no-deps", "--no-build-isolation", "--use-pep517", "--editable", str(ROOT)],
        env=environment(),
    )
    marker = VENV / "share/ament_index/resource_index/packages/mmrobot"
    marker.parent.mkdir(parents=True, exist_ok=True)
    marker.touch()
    for name in ("package.xml", "config", "sim"):
        link(VENV / "share/mmrobot" / name, ROOT / name)
    link_files(VENV / "share/mmrobot/launch", ROOT / "launch")
    for name in ("mmrobot", *NODES):
        link(VENV / "lib/mmrobot" / name, VENV / "bin" / name)


def link(place: Path, target: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.unlink(missing_ok=True)
    place.symlink_to(target)


def link_files(place: Path, folder: Path) -> None:
    """A true folder of links: `ros2 launch` looks for files and does not follow links to folders."""
    if place.is_symlink():
        place.unlink()
    place.mkdir(parents=True, exist_ok=True)
    for file in sorted(folder.glob("*.py")):
        link(place / file.name, file)


def step(title: str, name: str, key: str, action: Callable[[], None]) -> None:
    """Do the action unless it was done before with the same key."""
    stamp = STAMPS / name
    if stamp.is_file() and stamp.read_text() == key:
        return
    print(f"==> {title}", flush=True)
    started = time.monotonic()
    stamp.unlink(missing_ok=True)
    action()
    STAMPS.mkdir(parents=True, exist_ok=True)
    stamp.write_text(key)
    print(f"    done in {time.monotonic() - started:.0f} s", flush=True)


def check_python() -> None:
    if sys.version_info[:2] not in SUPPORTED:
        raise SetupError(
            f"Python {sys.version.split()[0]} is not supported; mmrobot needs 3.11 or 3.12.",
            "install python3.12 (Ubuntu 24.04) or python3.11 (Debian 12), or name one: "
            "make setup PYTHON=/path/to/python3.12",
        )


def set_up(dev: bool) -> None:
    check_python()
    install_missing(SetupError, dev)
    version = ".".join(map(str, sys.version_info[:3]))
    constraints = ROOT / "constraints.txt"
    if not made_by_hand():
        step("Python environment in .venv", "environment", digest([], version), make_environment)
    step(
        "Libraries (some hundred MB, a few minutes)",
        "libraries",
        digest([ROOT / "requirements.txt", constraints], version),
        partial(install_libraries, "requirements.txt"),
    )
    if dev:
        step(
            "Libraries for tests",
            "libraries_dev",
            digest([ROOT / "requirements-dev.txt", constraints], version),
            partial(install_libraries, "requirements-dev.txt"),
        )
    for package in (ROOT / "compat/tf2_msgs", ROOT / "mmrobot_msgs"):
        step(
            f"ROS messages: {package.name} (up to two minutes)",
            package.name,
            digest(files_of(package), version),
            partial(build_interfaces, package),
        )
    step(
        "mmrobot in development mode",
        "mmrobot",
        digest([ROOT / "setup.py", ROOT / "setup.cfg", *sorted((ROOT / "launch").glob("*.py"))], version),
        install_mmrobot,
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--dev", action="store_true", help="install what the tests need, too")
    arguments = parser.parse_args()
    started = time.monotonic()
    try:
        # Beside .venv, not in it: making .venv anew empties it.
        with (ROOT / ".setup.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            set_up(arguments.dev)
    except SetupError as error:
        print(f"\nset-up failed: {error}\nfix: {error.fix}", file=sys.stderr)
        return 1
    print(f"Set-up is complete ({time.monotonic() - started:.1f} s).", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
