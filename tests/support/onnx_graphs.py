"""Small graphs for the tests of engines, and folders like those that `mmrobot export` writes."""

from __future__ import annotations

import io
import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from mmrobot.vlm.engines.cache import FORMAT, MANIFEST, file_digest

TYPES = {
    "float32": TensorProto.FLOAT,
    "float16": TensorProto.FLOAT16,
    "int64": TensorProto.INT64,
    "float64": TensorProto.DOUBLE,
}
Side = dict[str, tuple[str, list[Any]]]


def graph(
    nodes: list[Any], inputs: Side, outputs: Side, weights: dict[str, Any] | None = None, opset: int = 20
) -> Any:
    """A checked model; sides are {name: (dtype, shape)}, `weights` {name: array}."""
    values = [
        [helper.make_tensor_value_info(n, TYPES[dtype], shape) for n, (dtype, shape) in side.items()]
        for side in (inputs, outputs)
    ]
    stored = [numpy_helper.from_array(np.asarray(v), k) for k, v in (weights or {}).items()]
    made = helper.make_graph(nodes, "graph", *values, initializer=stored)
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)


def linear(size: int = 3, dtype: str = "float32", seed: int = 0) -> Any:
    """y = x W + 1 over (1, size)."""
    kind = {"float32": np.float32, "float16": np.float16}[dtype]
    weight = np.random.default_rng(seed).normal(size=(size, size)).astype(kind)
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["xw"], name="/product"),
        helper.make_node("Add", ["xw", "one"], ["y"], name="/sum"),
    ]
    side: Side = {"x": (dtype, [1, size])}
    return graph(nodes, side, {"y": (dtype, [1, size])}, {"w": weight, "one": np.ones(size, kind)})


def export_folder(folder: Path, models: dict[str, Any], precision: str = "fp32") -> Path:
    """A folder with a manifest, as the export writes it."""
    names = {v: k for k, v in TYPES.items()}
    folder.mkdir(parents=True, exist_ok=True)
    parts = {}
    for name, model in models.items():
        onnx.save(model, str(folder / f"{name}.onnx"))
        sides = {
            side: {
                v.name: [
                    names[v.type.tensor_type.elem_type],
                    [d.dim_value for d in v.type.tensor_type.shape.dim],
                ]
                for v in values
            }
            for side, values in (("inputs", model.graph.input), ("outputs", model.graph.output))
        }
        parts[name] = {"file": f"{name}.onnx", **sides}
    files = {p.name: file_digest(p) for p in folder.glob("*.onnx")}
    content = {"format": FORMAT, "key": {"precision": precision}, "files": files, "parts": parts}
    (folder / MANIFEST).write_text(json.dumps(content))
    return folder


def traced(module: Any, inputs: dict[str, Any], outputs: list[str]) -> Any:
    """A torch module as a graph, by torch's old exporter, which takes a tenth of the new one's time."""
    import torch

    file = io.BytesIO()
    module.eval()  # the old exporter would leave it, and all that it shares, in training
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        examples = tuple(value.clone() for value in inputs.values())
        results = module(*examples)
        torch.onnx.export(
            module,
            examples,
            file,
            input_names=list(inputs),
            output_names=outputs,
            dynamo=False,
            opset_version=17,
        )
    model = onnx.load_from_string(file.getvalue())
    # The old exporter loses track of some shapes, which are all known here.
    for value, result in zip(
        model.graph.output, results if isinstance(results, tuple) else [results], strict=True
    ):
        del value.type.tensor_type.shape.dim[:]
        for size in result.shape:
            value.type.tensor_type.shape.dim.add().dim_value = size
    return model
