"""The graph's nodes as launch actions. For launch files only: launch is not always installed."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

from mmrobot.errors import InvalidConfigError
from mmrobot.ros.graph import GraphOptions, graph_nodes, option_fields

RESPAWN_S = 1.0
RANGE = "ROS_AUTOMATIC_DISCOVERY_RANGE"


def arguments() -> list[tuple[str, str, str]]:
    """(name, default as text, description) of every launch argument."""
    return [(name, _text(default), text) for name, default, text in option_fields()]


def options_from_text(values: dict[str, str]) -> GraphOptions:
    """Launch's texts as typed options; raises InvalidConfigError naming argument and value."""
    typed: dict[str, Any] = {}
    defaults = {name: default for name, default, _ in option_fields()}
    for name, text in values.items():
        typed[name] = _typed(name, text, defaults[name])
    return GraphOptions(**typed)


def nodes(context: Any, simulate: bool) -> list[Any]:
    """The launch_ros actions for the arguments of this launch."""
    from launch_ros.actions import Node

    known = {name for name, _, _ in option_fields()}
    given = {k: str(v) for k, v in context.launch_configurations.items() if k in known}
    return [
        Node(
            executable=sys.executable,
            arguments=["-m", spec.module],
            name=spec.name,
            namespace=spec.namespace or None,
            parameters=[spec.parameters],
            remappings=list(spec.remappings.items()),
            output="screen",
            sigterm_timeout="5",
            # The simulator's end is the end of all (simulation.launch.py); the others are brought up again.
            respawn=spec.name != "simulator",
            respawn_delay=RESPAWN_S,
            additional_env=_local(),
        )
        for spec in graph_nodes(options_from_text(given), simulate)
    ]


def _local() -> dict[str, str]:
    """Whoever reaches the graph can command the robot: this machine only, unless the user opened it."""
    return {} if RANGE in os.environ else {RANGE: "LOCALHOST"}


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _typed(name: str, text: str, default: object) -> object:
    if isinstance(default, bool):
        if text.lower() not in ("true", "false", "1", "0"):
            raise InvalidConfigError(f"launch argument {name}:={text}", "give true or false")
        return text.lower() in ("true", "1")
    kinds: dict[type, Callable[[str], object]] = {int: int, float: float, str: str}
    kind = type(default)
    try:
        return kinds[kind](text)
    except ValueError as error:
        raise InvalidConfigError(f"launch argument {name}:={text}", f"give a {kind.__name__}") from error
