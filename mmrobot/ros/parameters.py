"""Node parameters with a description, a range and a check, and the one YAML behind them all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor
from rclpy.node import Node

from mmrobot.config import Config, default_config_file, load_config
from mmrobot.errors import InvalidConfigError


def declare(
    node: Node,
    name: str,
    default: Any,
    description: str,
    *,
    read_only: bool = True,
    low: float | None = None,
    high: float | None = None,
    choices: Sequence[str] = (),
) -> Any:
    """Declare one parameter and give its value; rclpy refuses later values of another type or out of range.

    `low` and `high` (both or none, inclusive) go with a number, `choices` with text: those are told to
    people, and checked here only. Raises InvalidConfigError naming the value and what is allowed.
    """
    allowed = f"give a {type(default).__name__}"
    descriptor = ParameterDescriptor(description=description, read_only=read_only)
    if low is not None and high is not None:
        allowed += f" from {low:g} to {high:g}"
        if isinstance(default, float):
            reach = FloatingPointRange(from_value=float(low), to_value=float(high))
            descriptor.floating_point_range = [reach]
        else:
            descriptor.integer_range = [IntegerRange(from_value=int(low), to_value=int(high))]
    if choices:
        descriptor.additional_constraints = f"one of: {', '.join(repr(c) for c in choices)}"
    try:
        value = node.declare_parameter(name, default, descriptor).value
    except Exception as error:
        raise InvalidConfigError(
            f"parameter '{name}' of node '{node.get_name()}': {error}", allowed
        ) from error
    if choices and value not in choices:
        raise InvalidConfigError(
            f"parameter '{name}' of node '{node.get_name()}' is '{value}'",
            f"choose one of {', '.join(repr(c) for c in choices)}",
        )
    return value


def declare_config(node: Node) -> Config:
    """The parameter `config` (path of the YAML, empty: the shipped one) as a checked Config."""
    path = declare(node, "config", "", "YAML of all settings; empty takes config/mmrobot.yaml")
    return load_config(path or default_config_file())
