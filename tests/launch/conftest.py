"""`ros2 launch` for the tests here: of a sourced ROS, else of the folder that install_launch.py makes.

    python tests/launch/install_launch.py && make launch-tests
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from pathlib import Path

import pytest

from tests.launch.install_launch import InstallError, default_folder, environment

HOW = "ros2 launch comes with ROS from apt; without it: python tests/launch/install_launch.py"


def _use_folder() -> None:
    """The folder's Python parts, for the tests that load the launch files in this process."""
    try:
        variables = environment(default_folder())
    except InstallError:
        return
    # The libraries of composition_interfaces are not found so: launch_ros imports it, nothing here calls it.
    sys.path.extend(p for p in variables["PYTHONPATH"].split(os.pathsep) if p not in sys.path)


if importlib.util.find_spec("launch_ros") is None:
    _use_folder()


@pytest.fixture(scope="session")
def ros2() -> dict[str, str]:
    """Variables with which `ros2 launch` runs; skipped where there is none."""
    if shutil.which("ros2") is not None:
        return dict(os.environ)
    try:
        return environment(default_folder())
    except InstallError:
        pytest.skip(HOW)


@pytest.fixture
def launch_folder() -> Path:
    """The launch files of this checkout."""
    return Path(__file__).resolve().parents[2] / "launch"
