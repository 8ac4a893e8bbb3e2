"""Interfaces of packages that only some robots need: imported where they are used, and only there."""

from __future__ import annotations

import importlib
from typing import Any

from mmrobot.errors import InvalidConfigError


def interface(name: str, wanted_for: str) -> Any:
    """The type of an interface such as control_msgs/action/FollowJointTrajectory.

    Raises InvalidConfigError with the package to install where it is missing, or was not built.
    """
    package, kind, type_name = name.split("/")
    try:
        return getattr(importlib.import_module(f"{package}.{kind}"), type_name)
    except (ImportError, AttributeError) as error:
        raise InvalidConfigError(
            f"{wanted_for} needs the interface '{name}', which is not installed: {error}",
            f"sudo apt-get install ros-jazzy-{package.replace('_', '-')}; without apt: "
            "scripts/build_interfaces.py (docs/your_robot.md)",
        ) from error
