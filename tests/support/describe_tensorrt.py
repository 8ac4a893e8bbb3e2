"""Prints the names and signatures of TensorRT's Python bindings as JSON. Run by tensorrt_api.py.

LD_LIBRARY_PATH=<stubs> python describe_tensorrt.py > api.json
"""

from __future__ import annotations

import json
import re
from types import ModuleType
from typing import Any

KINDS = {
    "typing.SupportsInt": "int",
    "typing.SupportsFloat": "float",
    "typing_extensions.Buffer": "buffer",
    "nvonnxparser::IParserError": "ParserError",
}


def describe(trt: ModuleType) -> dict[str, Any]:
    """Version and classes: enum members, constants, methods with overloads, properties (name: may be set)."""
    classes: dict[str, Any] = {}
    waiting = sorted((n, v) for n, v in vars(trt).items() if isinstance(v, type))
    while waiting:
        name, value = waiting.pop()
        if value.__module__.startswith(trt.__name__) and name not in classes:
            classes[name] = _class(value)
            nested = sorted((f"{name}.{n}", v) for n, v in vars(value).items() if isinstance(v, type))
            waiting += [(n, v) for n, v in nested if not n.rpartition(".")[2].startswith("_")]
    return {"version": trt.__version__, "classes": classes}


def _class(cls: type) -> dict[str, Any]:
    members = getattr(cls, "__members__", None)
    methods, properties, constants = {}, {}, {}
    for name in dir(cls):
        value = getattr(cls, name)
        if isinstance(value, property):
            properties[name] = value.fset is not None
        elif (not name.startswith("_") or name == "__init__") and callable(value):
            overloads = signatures(name, value.__doc__ or "")
            if overloads:
                methods[name] = overloads
        elif (
            not name.startswith("_") and not isinstance(members, dict) and hasattr(type(value), "__members__")
        ):
            constants[name] = type(value).__qualname__
    return {
        "bases": [base.__name__ for base in cls.__mro__[1:-2]],
        "enum": {k: int(v) for k, v in members.items()} if isinstance(members, dict) else None,
        "constants": constants,
        "methods": methods,
        "properties": properties,
    }


def signatures(name: str, doc: str) -> list[dict[str, Any]]:
    """Overloads of a method from the docstring that pybind11 writes: arguments and what is returned."""
    found = []
    for line in doc.splitlines():
        match = re.match(rf"(?:\d+\. )?{re.escape(name)}\((self: .*)\) -> (.*)$", line.strip())
        if match:
            arguments = [_argument(text) for text in _split(match[1])[1:]]
            found.append({"arguments": arguments, "returns": _kind(match[2])})
    return found


def _argument(text: str) -> list[Any]:
    name, _, rest = text.partition(": ")
    kind, has_default, _ = rest.partition(" = ")
    return [name, _kind(kind), bool(has_default)]


def _kind(text: str) -> str:
    text = text.strip()
    return KINDS.get(text, text).split("::")[-1].removeprefix("tensorrt_bindings.").removeprefix("tensorrt.")


def _split(text: str) -> list[str]:
    """At commas outside of brackets."""
    parts, depth, start = [], 0, 0
    for i, c in enumerate(text):
        depth += (c in "[(<") - (c in "])>")
        if c == "," and depth == 0:
            parts.append(text[start:i].strip())
            start = i + 1
    return [*parts, text[start:].strip()]


if __name__ == "__main__":
    import tensorrt_bindings

    described = describe(tensorrt_bindings)
    # One class a line: short, and a change is seen in a diff.
    lines = [
        f"{json.dumps(n)}: {json.dumps(c, sort_keys=True)}" for n, c in sorted(described["classes"].items())
    ]
    print(f'{{"version": "{described["version"]}", "classes": {{\n' + ",\n".join(lines) + "\n}}")
