"""The graph's nodes as launch actions. For launch files only: launch is not always installed."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from mmrobot.config import default_config_file, load_config
from mmrobot.errors import InvalidConfigError, MmrobotError
from mmrobot.ros.enclave import enclave_arguments
from mmrobot.ros.graph import DEFAULT_SCENE, GraphOptions, NodeSpec, graph_nodes, option_fields, shared_folder
from mmrobot.ros.launch_keeper import kept, node_environment
from mmrobot.ros.scene_file import load_scene

RESPAWN_S = 1.0
SIMULATION_ONLY = ("scene", "episode", "seed", "headless", "real_time_factor", "camera_rate_hz")


class RefusedError(Exception):
    """Arguments that do not do. Launch shows an error's text alone: here with what to do about it."""


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


def refusing(make: Callable[[Any], list[Any]], file: str, names: Iterable[str]) -> Callable[[Any], list[Any]]:
    """`make` for a launch file of these argument `names`: what is wrong with an argument is told in words.

    Raises RefusedError, which ends the launch with exit status 1.
    """

    def checked(context: Any) -> list[Any]:
        try:
            check_known(sys.argv, file, names)
            return make(context)
        except MmrobotError as error:
            raise RefusedError(f"{error.message}: {error.fix}") from error

    return checked


def check_known(words: Sequence[str], file: str, names: Iterable[str]) -> None:
    """Raises InvalidConfigError for an argument of `ros2 launch ... file name:=value` that `file` has not.

    A launch file that includes this one may have arguments of its own: only a command line that names the
    file is looked at.
    """
    places = [i for i, word in enumerate(words) if Path(word).name == Path(file).name]
    known = list(names)
    for word in words[places[0] + 1 :] if places else ():
        name, is_argument, _ = word.partition(":=")
        if is_argument and name not in known:
            near = difflib.get_close_matches(name, known, 1, 0.5)
            meant = f"did you mean '{near[0]}'? " if near else ""
            raise InvalidConfigError(f"there is no launch argument '{name}'", f"{meant}see --show-args")


def nodes(context: Any, simulate: bool) -> list[Any]:
    """The launch actions for the arguments of this launch: the nodes, and what keeps them."""
    known = {name for name, _, _ in option_fields()}
    options = options_from_text({k: str(v) for k, v in context.launch_configurations.items() if k in known})
    load_config(options.config or default_config_file())
    if simulate:
        load_scene(options.scene or shared_folder("sim") / "scenes" / DEFAULT_SCENE, options.episode)
    return kept_nodes(graph_nodes(options, simulate), options.namespace)


def kept_nodes(specs: Sequence[NodeSpec], namespace: str) -> list[Any]:
    """The nodes as launch_ros actions, in their order, then what keeps them."""
    actions = {spec.name: _action(spec) for spec in specs}
    return [*actions.values(), *kept(actions, namespace)]


def _action(spec: NodeSpec) -> Any:
    from launch_ros.actions import Node

    return Node(
        executable=sys.executable,
        arguments=["-m", spec.module],
        name=spec.name,
        namespace=spec.namespace or None,
        parameters=[spec.parameters],
        remappings=list(spec.remappings.items()),
        ros_arguments=enclave_arguments(spec.name, spec.namespace),
        output="screen",
        sigterm_timeout="5",
        # The simulator's end is the end of all; the others are brought up again.
        respawn=spec.name != "simulator",
        respawn_delay=RESPAWN_S,
        additional_env={**node_environment(), **spec.environment},
    )


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _typed(name: str, text: str, default: object) -> object:
    if isinstance(default, bool):
        if text.lower() not in ("true", "false", "1", "0"):
            raise InvalidConfigError(f"launch argument {name}:={text} is no boolean", "give true or false")
        return text.lower() in ("true", "1")
    kinds: dict[type, Callable[[str], object]] = {int: int, float: float, str: str}
    kind = type(default)
    try:
        return kinds[kind](text)
    except ValueError as error:
        raise InvalidConfigError(
            f"launch argument {name}:={text} is no number", f"give a {kind.__name__}"
        ) from error
