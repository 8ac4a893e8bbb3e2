"""Node parameters with a description and a check, and the one YAML behind them all."""

from __future__ import annotations

from typing import Any

from rcl_interfaces.msg import ParameterDescriptor
from rclpy.node import Node

from mmrobot.config import Config, default_config_file, load_config
from mmrobot.errors import InvalidConfigError


def declare(node: Node, name: str, default: Any, description: str, *, read_only: bool = True) -> Any:
    """Declare one parameter and give its value; raises InvalidConfigError for a value of another type."""
    try:
        return node.declare_parameter(
            name, default, ParameterDescriptor(description=description, read_only=read_only)
        ).value
    except Exception as error:
        raise InvalidConfigError(
            f"parameter '{name}' of node '{node.get_name()}': {error}", f"give a {type(default).__name__}"
        ) from error


def declare_config(node: Node) -> Config:
    """The parameter `config` (path of the YAML, empty: the shipped one) as a checked Config."""
    path = declare(node, "config", "", "YAML of all settings; empty takes config/mmrobot.yaml")
    return load_config(path or default_config_file())
