"""TensorRT itself: found, checked for its version, and the few places where 10 and 11 differ.

Whatever depends on the version stands in this file. The other trt_* files use only names and signatures that
10.3 and 11.4 share; the tests hold all of them to the true bindings of both.
"""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from types import ModuleType
from typing import Any

from mmrobot.errors import ModelUnavailableError
from mmrobot.vlm.hardware import NotHereError

OLDEST = (10, 3)
"""JetPack 6's TensorRT; older ones lack strongly typed networks or int64 tensors."""
NEWEST_MAJOR = 11
_MODULES = ("tensorrt", "tensorrt_bindings")
_JETSON_MARK = Path("/etc/nv_tegra_release")

TORCH_DTYPE = {
    "FLOAT": "float32",
    "HALF": "float16",
    "BF16": "bfloat16",
    "INT8": "int8",
    "INT32": "int32",
    "INT64": "int64",
    "BOOL": "bool",
    "UINT8": "uint8",
}
"""TensorRT's data types that can be an engine's input or output here, by torch's names."""


def load_tensorrt() -> ModuleType:
    """The TensorRT module, of version 10.3 to 11.x.

    Raises ModelUnavailableError (NotHereError when there is none) that says what is missing, the Python
    part, its libraries or a fitting version, and how to get it on this machine.
    """
    reasons = []
    for name in _MODULES:
        try:
            module = importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name != name:
                reasons.append(f"{name} lacks {error.name}")
        except (ImportError, OSError) as error:
            reasons.append(f"{name} is there, its libraries are not: {error}")
        else:
            check_version(module)
            return module
    if not reasons:
        raise NotHereError("TensorRT is not installed", how_to_get())
    raise ModelUnavailableError(f"TensorRT cannot be loaded: {'; '.join(reasons)}", how_to_get())


def how_to_get() -> str:
    """One sentence on how to get TensorRT on this kind of machine."""
    if _JETSON_MARK.exists():
        return (
            "install JetPack's own: `sudo apt install tensorrt python3-libnvinfer`, and make the environment "
            "with --system-site-packages (docs/tensorrt.md)"
        )
    return (
        "on a desktop or server with an NVIDIA GPU: `pip install tensorrt`; on a Jetson: JetPack's own "
        "(docs/tensorrt.md); without a GPU use the torch or onnx backend"
    )


def version_of(trt: Any) -> tuple[int, ...]:
    """The leading numbers of TensorRT's version: (11, 4, 0, 106)."""
    found = re.match(r"\d+(\.\d+)*", str(trt.__version__))
    return tuple(int(part) for part in found.group().split(".")) if found else ()


def check_version(trt: Any) -> None:
    """Raises ModelUnavailableError for a TensorRT that is too old, or newer than this code knows."""
    version = version_of(trt)
    if version[:2] < OLDEST or version[:1] > (NEWEST_MAJOR,):
        raise ModelUnavailableError(
            f"TensorRT {trt.__version__} does not serve: needed is 10.3 to {NEWEST_MAJOR}.x",
            "install another version of TensorRT, or use the torch or onnx backend",
        )


def network_flags(trt: Any) -> int:
    """Creation flags of a strongly typed network.

    TensorRT 10 wants the flag; 11 knows only strong typing and calls the flag deprecated.
    """
    if version_of(trt)[0] >= 11:
        return 0
    return 1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED)


def aliased_input(engine: Any, output: str) -> str | None:
    """The input that an output must share its memory with, or None.

    Only layers that update a cache in place ask for it, and they came after 10.3, with this question.
    Without it input and output must never share memory: TensorRT may write before it has read.
    """
    ask = getattr(engine, "get_aliased_input_tensor", None)
    return None if ask is None else (ask(output) or None)


def torch_dtype(trt: Any, dtype: Any, tensor: str) -> str:
    """Torch's name of a TensorRT data type. Raises ModelUnavailableError for types torch cannot hold."""
    name = TORCH_DTYPE.get(dtype.name)
    if name is None:
        raise ModelUnavailableError(
            f"tensor '{tensor}' of the engine has the data type {dtype.name}, which is not served",
            f"export the graph with inputs and outputs of {', '.join(sorted(set(TORCH_DTYPE.values())))}",
        )
    return name


def create(factory: Any, what: str, *arguments: Any) -> Any:
    """`factory(*arguments)`; TensorRT's empty answers become ModelUnavailableError.

    The bindings raise TypeError when the library's factory gives nothing (no driver, no GPU).
    """
    try:
        made = factory(*arguments)
    except TypeError as error:
        if "nullptr" not in str(error):
            raise
        made = None
    if made is None:
        raise ModelUnavailableError(
            f"TensorRT made no {what}",
            "see TensorRT's log lines above; is there an NVIDIA GPU with a fitting driver (nvidia-smi)?",
        )
    return made
