"""From plain data (YAML, JSON) to a dataclass by pydantic, with errors that a person can act on."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from mmrobot.errors import InvalidSceneError

T = TypeVar("T")


_adapters: dict[Any, TypeAdapter[Any]] = {}


def _adapter(cls: Any) -> TypeAdapter[Any]:
    """Building one takes milliseconds, so each is kept."""
    if cls not in _adapters:
        _adapters[cls] = TypeAdapter(cls)
    return _adapters[cls]


def parse(cls: type[T], data: Any, source: str) -> T:
    """`data` as a `cls`: known keys only, none missing, right types. Raises InvalidSceneError."""
    try:
        result: T = _adapter(cls).validate_python(data)
    except ValidationError as e:
        fault = e.errors(include_url=False)[0]
        raise InvalidSceneError(f"{source}: {_message(fault)}", _fix(fault)) from e
    return result


def _field(loc: tuple[int | str, ...]) -> str:
    """objects[2].position from ('objects', 2, 'position', ...), without names of union branches."""
    out = ""
    for part in loc:
        if isinstance(part, int):
            out += f"[{part}]"
        elif part.isidentifier():
            out += f".{part}" if out else part
    return out or "the whole"


def _message(fault: Any) -> str:
    kind = fault["type"]
    field = _field(fault["loc"])
    if kind == "unexpected_keyword_argument":
        return f"{field}: unknown key, with value {fault['input']!r}"
    if kind in ("missing", "missing_argument"):
        return f"{field}: missing"
    return f"{field}: {fault['input']!r}: {fault['msg'][0].lower()}{fault['msg'][1:]}"


def _fix(fault: Any) -> str:
    kind = fault["type"]
    field = _field(fault["loc"])
    if kind == "unexpected_keyword_argument":
        return f"Remove '{field}', or correct its spelling; the schema of an episode is in the README."
    if kind in ("missing", "missing_argument"):
        return f"Add '{field}'."
    return f"Correct '{field}'."
