"""SROS2 enclaves of the graph's nodes: under which name each process finds its keys. No rclpy here."""

from __future__ import annotations

import os
from collections.abc import Mapping

ENCLAVES = "/mmrobot"
ENABLED = "ROS_SECURITY_ENABLE"


def enclave_of(name: str, namespace: str = "") -> str:
    """/mmrobot/vlm, or /mmrobot/arm1/vlm in the namespace arm1."""
    return "/".join([ENCLAVES, *filter(None, [namespace.strip("/"), name])])


def enclave_arguments(name: str, namespace: str, variables: Mapping[str, str] = os.environ) -> list[str]:
    """ROS arguments of a node's process: its enclave where security is on, else none."""
    on = (variables.get(ENABLED) or "").lower() == "true"
    return ["--enclave", enclave_of(name, namespace)] if on else []
