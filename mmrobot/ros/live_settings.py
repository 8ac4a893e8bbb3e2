"""Settings of the configuration as parameters that may be changed while the node runs.

Each is named as in the YAML (`grounding.threshold`), with its description, default and range. A value
that the configuration would not take is refused with the reason, and nothing changes. Settings that are
not here are read at the start: change the YAML and start the node again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, get_args, get_origin

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from rcl_interfaces.msg import SetParametersResult
from rclpy.node import Node
from rclpy.parameter import Parameter

from mmrobot.config import Config
from mmrobot.errors import InvalidConfigError
from mmrobot.ros.parameters import declare


class LiveSettings:
    """Declares parameters for `names` ("section.key") and keeps `config` as they say.

    `also` names parameters that stand for a setting of another name: text, where "" means what the YAML
    says. `take` gets each new configuration, from a callback of the node. Raises InvalidConfigError for a
    value that was given at the start and is not allowed.
    """

    def __init__(
        self,
        node: Node,
        config: Config,
        names: Iterable[str],
        take: Callable[[Config], None],
        also: Mapping[str, str] | None = None,
    ) -> None:
        self._given, self._take = config, take
        self._keys = {name: name for name in names} | dict(also or {})
        values = {name: self._declare(node, name, key) for name, key in self._keys.items()}
        try:
            self.config = self._with(config, values)
        except ValueError as error:
            raise InvalidConfigError(
                f"a parameter of node '{node.get_name()}': {error}", "give a value in its range"
            ) from error
        node.add_on_set_parameters_callback(self._judge)
        node.add_post_set_parameters_callback(self._set)

    def _declare(self, node: Node, name: str, key: str) -> Any:
        field = _field(self._given, key)
        words = f"{field.description} ({key})" if name != key else str(field.description)
        if name != key:
            choices = ("", *_choices(field))
            return declare(node, name, "", f"{words}; empty: the YAML's", read_only=False, choices=choices)
        low, high = _bounds(field)
        default = _value(self._given, key)
        return declare(
            node, name, default, words, read_only=False, low=low, high=high, choices=_choices(field)
        )

    def _with(self, config: Config, values: Mapping[str, Any]) -> Config:
        """The configuration with other values; raises ValueError naming setting, value and bound."""
        changes: dict[str, dict[str, Any]] = {}
        for name, value in values.items():
            section, key = self._keys[name].split(".")
            own = name != self._keys[name] and value == ""
            changes.setdefault(section, {})[key] = _value(self._given, self._keys[name]) if own else value
        made = {}
        for name, change in changes.items():
            section = getattr(config, name)
            try:
                made[name] = type(section).model_validate({**section.model_dump(), **change})
            except ValidationError as error:
                first = error.errors()[0]
                where = ".".join([name, *map(str, first["loc"])])
                raise ValueError(f"'{where}' is {first['input']!r}: {first['msg'].lower()}") from error
        return config.model_copy(update=made)

    def _mine(self, parameters: list[Parameter]) -> dict[str, Any]:
        return {p.name: p.value for p in parameters if p.name in self._keys}

    def _judge(self, parameters: list[Parameter]) -> SetParametersResult:
        try:
            self._with(self.config, self._mine(parameters))
        except ValueError as error:
            return SetParametersResult(successful=False, reason=f"{error}; nothing was changed")
        return SetParametersResult(successful=True)

    def _set(self, parameters: list[Parameter]) -> None:
        mine = self._mine(parameters)
        if mine:
            self.config = self._with(self.config, mine)
            self._take(self.config)


def _value(config: Config, key: str) -> Any:
    section, name = key.split(".")
    return getattr(getattr(config, section), name)


def _field(config: Config, key: str) -> FieldInfo:
    section, name = key.split(".")
    return type(getattr(config, section)).model_fields[name]


def _choices(field: FieldInfo) -> tuple[str, ...]:
    return get_args(field.annotation) if get_origin(field.annotation) is Literal else ()


def _bounds(field: FieldInfo) -> tuple[float | None, float | None]:
    """Inclusive, as parameters have them; a bound that excludes itself is refused by the section's check."""

    def limit(*names: str) -> float | None:
        found = (getattr(each, name, None) for each in field.metadata for name in names)
        return next((value for value in found if value is not None), None)

    return limit("ge", "gt"), limit("le", "lt")
