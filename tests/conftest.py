"""What every test runs under: rendering without a screen, and a ROS domain that nobody else uses."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# Before any test module imports mujoco or rclpy, and for all processes that tests start.
os.environ.setdefault("MUJOCO_GL", "egl")
os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
# Domains above 101 may collide with ports that Linux gives out; two test runs at once stay apart, and so do
# the processes of one run (pytest-xdist), which inherit their parent's.
_DOMAIN = str(20 + os.getpid() % 80)
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ["ROS_DOMAIN_ID"] = _DOMAIN
os.environ.setdefault("ROS_DOMAIN_ID", _DOMAIN)


def _has_gpu() -> bool:
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return False
    count = ctypes.c_int(0)
    return driver.cuInit(0) == 0 and driver.cuDeviceGetCount(ctypes.byref(count)) == 0 and count.value > 0


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that need what this machine lacks are skipped, and say so."""
    lacking = {
        "gpu": None if _has_gpu() else "no NVIDIA GPU on this machine",
    }
    for item in items:
        for marker, reason in lacking.items():
            if reason is not None and item.get_closest_marker(marker):
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def repository() -> Path:
    """The checkout's root."""
    return ROOT
