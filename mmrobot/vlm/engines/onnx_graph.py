"""From a torch module to one ONNX file with static shapes and named inputs and outputs."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from mmrobot.vlm.engines.graph_formats import FLOATS, OPSET, TRACED_OPSET

EXTERNAL_BYTES = 1_500_000_000
"""Weights of larger graphs go into a file beside it: one protobuf holds at most 2 GB."""

PRECISIONS = dict(zip(FLOATS, (torch.float32, torch.float16, torch.bfloat16), strict=True))


@dataclass(frozen=True)
class Part:
    """One static-shape part of a model: a module, an example of each input by name, the outputs' names."""

    name: str
    module: nn.Module
    inputs: Mapping[str, Tensor]
    outputs: tuple[str, ...]


def export_part(part: Part, folder: Path, traced: bool = False) -> dict[str, Any]:
    """Writes `folder/<name>.onnx`; answers the part's entry for the manifest: file, inputs, outputs.

    Shapes and types are those of the example inputs; no dimension is dynamic. `traced` takes torch's
    older exporter, which needs a second where the newer needs ten; it is for modules of plain tensor
    operations. Source paths that exporters leave in a graph are taken out.
    """
    path = folder / f"{part.name}.onnx"
    size = sum(p.numel() * p.element_size() for p in [*part.module.parameters(), *part.module.buffers()])
    with torch.inference_mode():
        results = part.module(*part.inputs.values())
    results = (results,) if isinstance(results, Tensor) else tuple(results)
    if len(results) != len(part.outputs):
        raise ValueError(f"part {part.name} gives {len(results)} outputs, {len(part.outputs)} are named")
    if traced:
        _trace(part, path)
    else:
        _translate(part, path, size > EXTERNAL_BYTES)
    return {
        "file": path.name,
        "inputs": {k: _signature(v) for k, v in part.inputs.items()},
        "outputs": {k: _signature(v) for k, v in zip(part.outputs, results, strict=True)},
    }


def export_parts(parts: Sequence[Part], folder: Path, traced: bool = False) -> dict[str, Any]:
    """All parts into one folder; the manifest's fields `opset` and `parts`."""
    entries = {part.name: export_part(part, folder, traced) for part in parts}
    return {"opset": TRACED_OPSET if traced else OPSET, "parts": entries}


def _translate(part: Part, path: Path, external: bool) -> None:
    with _quiet(), torch.no_grad():
        program = torch.onnx.export(
            part.module,
            tuple(part.inputs.values()),
            input_names=list(part.inputs),
            output_names=list(part.outputs),
            opset_version=OPSET,
            dynamo=True,
        )
    if program is None:
        raise RuntimeError(f"torch.onnx.export gave nothing for part {part.name}")
    _strip(program.model)
    program.save(path, external_data=external)


def _trace(part: Part, path: Path) -> None:
    import onnx

    with _quiet(), torch.no_grad():
        torch.onnx.export(
            part.module,
            tuple(part.inputs.values()),
            path,
            input_names=list(part.inputs),
            output_names=list(part.outputs),
            opset_version=TRACED_OPSET,
            dynamo=False,
        )
    model = onnx.load(path)
    for node in model.graph.node:
        node.ClearField("doc_string")
        node.ClearField("metadata_props")
    path.write_bytes(model.SerializeToString())


def _signature(tensor: Tensor) -> list[Any]:
    return [str(tensor.dtype).removeprefix("torch."), list(tensor.shape)]


def _strip(model: Any) -> None:
    """Removes notes of the exporter, which name source files and lines of this machine."""
    model.metadata_props.clear()
    model.graph.metadata_props.clear()
    for node in model.graph.all_nodes():
        node.metadata_props.clear()
        node.doc_string = None
    for value in [*model.graph.inputs, *model.graph.outputs, *model.graph.initializers.values()]:
        value.metadata_props.clear()


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """The exporter prints its progress and warns of torchvision; neither is of use to a person."""
    loggers = [logging.getLogger(n) for n in ("torch.onnx", "torch.onnx._internal.exporter", "onnxscript")]
    levels = [one.level for one in loggers]
    for one in loggers:
        one.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        for one, level in zip(loggers, levels, strict=True):
            one.setLevel(level)
