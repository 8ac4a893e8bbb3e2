"""Graphs without their weights: exported once for an architecture, filled in a moment for any weights.

Tracing mmrobot-nano takes half a minute, which a robot's first instruction shall not wait for. A skeleton
is an ONNX file whose weights are named, not stored: each says which parameter it is and how it lies
(whole, transposed as a matrix, or its first rows).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmrobot.errors import ModelUnavailableError

State = Mapping[str, NDArray[Any]]
PLACE = "weights"
"""The external_data location that marks a named weight."""
_SMALL = 64


def take_out(model: Any, state: State) -> None:
    """Replaces a ModelProto's weights by their names; `state` must be what it was exported from.

    Every value in `state` must differ from all others (random weights), or folded ones could not be told
    apart. Constants stay. Raises ValueError for a large initializer that no parameter explains.
    """
    from onnx import TensorProto, numpy_helper

    for tensor in model.graph.initializer:
        array = numpy_helper.to_array(tensor)
        found = _source(tensor.name, array, state)
        if found is None:
            if array.size > _SMALL and array.dtype.kind == "f" and array.min() != array.max():
                raise ValueError(f"no parameter explains the initializer {tensor.name} {array.shape}")
            continue
        tensor.ClearField("raw_data")
        tensor.ClearField("float_data")
        tensor.data_location = TensorProto.EXTERNAL
        for key, value in (("location", PLACE), ("parameter", found[0]), ("layout", found[1])):
            entry = tensor.external_data.add()
            entry.key, entry.value = key, value


def fill(model: Any, state: State) -> None:
    """Puts the weights of `state` where `take_out` named them. Raises ModelUnavailableError on a misfit."""
    from onnx import TensorProto, helper

    for tensor in model.graph.initializer:
        named = {entry.key: entry.value for entry in tensor.external_data}
        if named.get("location") != PLACE:
            continue
        array = state.get(named["parameter"])
        shape = tuple(tensor.dims)
        laid = None if array is None else _laid(array, named["layout"], shape)
        if laid is None:
            held = "missing" if array is None else f"of shape {array.shape}"
            raise ModelUnavailableError(
                f"the weight {named['parameter']} is {held}; the graph needs {shape}",
                "these weights are of another architecture: run `mmrobot export --anew`",
            )
        kind = helper.tensor_dtype_to_np_dtype(tensor.data_type)
        tensor.ClearField("external_data")
        tensor.data_location = TensorProto.DEFAULT
        tensor.raw_data = np.ascontiguousarray(laid, dtype=kind).tobytes()


def filled(skeleton: Path, state: State) -> Any:
    """The ModelProto of a skeleton's file with the weights of `state`."""
    import onnx

    model = onnx.load(skeleton, load_external_data=False)
    fill(model, state)
    return model


def _laid(array: NDArray[Any], layout: str, shape: tuple[int, ...]) -> NDArray[Any] | None:
    """A parameter as a layout says, in the initializer's shape; None where it does not fit."""
    if layout == "transposed":
        array = array.reshape(array.shape[0], -1).T
    elif layout == "rows":
        if array.ndim != len(shape) or array.shape[0] < shape[0] or array.shape[1:] != shape[1:]:
            return None
        array = array[: shape[0]]
    return array.reshape(shape) if array.size == int(np.prod(shape)) else None


def _source(name: str, array: NDArray[Any], state: State) -> tuple[str, str] | None:
    """Which parameter an initializer is, and its layout: by name, else by what it holds."""
    for prefix in ("", "model."):
        own = name.removeprefix(prefix)
        if own in state and state[own].shape == array.shape and np.array_equal(state[own], array):
            return own, "whole"
    if array.dtype.kind != "f" or array.size < 2:
        return None
    for parameter, value in state.items():
        if value.size == array.size and np.array_equal(value.ravel(), array.ravel()):
            return parameter, "whole"
        if value.ndim > 1 and np.array_equal(value.reshape(value.shape[0], -1).T, array):
            return parameter, "transposed"
        rows = value.ndim == array.ndim and value.ndim > 1 and value.shape[1:] == array.shape[1:]
        if rows and value.shape[0] > array.shape[0] and np.array_equal(value[: array.shape[0]], array):
            return parameter, "rows"
    return None
