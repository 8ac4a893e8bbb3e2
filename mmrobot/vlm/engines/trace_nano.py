"""Makes the ONNX parts of mmrobot-nano with torch: fills the shipped graphs, or traces the model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray
from torch import nn

from mmrobot.errors import ModelUnavailableError
from mmrobot.vlm.engines.cache import ensure, mismatch, read_manifest, versions
from mmrobot.vlm.engines.export_nano import SKELETONS, graph_key
from mmrobot.vlm.engines.graph_skeleton import filled, take_out
from mmrobot.vlm.engines.onnx_graph import PRECISIONS, export_parts
from mmrobot.vlm.engines.static_nano import fused, nano_parts
from mmrobot.vlm.models.nano import NanoConfig, NanoModel
from mmrobot.vlm.models.nano.sizes import NanoSizes


def float_graphs(
    folder: Path, config: NanoSizes, precision: str, new: Path, tell: Callable[[str], None], anew: bool
) -> dict[str, Any]:
    """Skeletons filled with the weights in `folder`, or the model traced; the manifest's fields."""
    model = fused(load_nano(folder))
    shipped = None if mismatch(SKELETONS, graph_key(config)) else read_manifest(SKELETONS)
    if shipped is not None and precision == "fp32" and not anew:
        state = state_of(model)
        for name in shipped["parts"]:
            (new / f"{name}.onnx").write_bytes(filled(SKELETONS / f"{name}.onnx", state).SerializeToString())
        return {"opset": shipped["opset"], "parts": shipped["parts"]}
    tell(f"tracing mmrobot-nano into ONNX graphs ({precision}): once for these weights, about 10 s")
    parts = nano_parts(model, PRECISIONS[precision])
    return {**export_parts(parts, new, traced=True), "made_with": versions("torch", "onnx")}


def write_skeletons(config: NanoConfig, folder: Path = SKELETONS) -> Path:
    """Traces the architecture and writes its graphs without weights: what ships beside the model's code."""
    import onnx

    torch.manual_seed(0)
    model = NanoModel(config)
    with torch.no_grad():
        for tensor in model.state_dict().values():
            if tensor.is_floating_point():
                tensor.copy_(torch.rand_like(tensor) + 0.1)  # all different, variances positive
    model = fused(model)

    def make(new: Path) -> dict[str, Any]:
        fields = export_parts(nano_parts(model), new, traced=True)
        state = state_of(model)
        for name in fields["parts"]:
            graph = onnx.load(new / f"{name}.onnx")
            take_out(graph, state)
            (new / f"{name}.onnx").write_bytes(graph.SerializeToString())
        return {**fields, "made_with": versions("torch", "onnx")}

    ensure(folder, graph_key(config), make)
    folder.with_name(f"{folder.name}.lock").unlink(missing_ok=True)  # it would ship with the package
    return folder


def state_of(model: nn.Module) -> dict[str, NDArray[Any]]:
    """Parameters and buffers by name, as numpy arrays."""
    return {name: tensor.detach().cpu().numpy() for name, tensor in model.state_dict().items()}


def load_nano(folder: Path) -> NanoModel:
    """The model of a folder, whole. Raises ModelUnavailableError."""
    try:
        model, report = NanoModel.from_pretrained(folder, local_files_only=True, output_loading_info=True)
    except (OSError, ValueError, RuntimeError) as error:
        raise ModelUnavailableError(
            f"the weights in {folder} cannot be loaded: {error}", "install the package anew"
        ) from error
    wrong: Sequence[str] = sorted([*report["missing_keys"], *report["unexpected_keys"]])
    if wrong:
        raise ModelUnavailableError(
            f"the weights in {folder} do not fit the model: {len(wrong)} wrong keys, such as {wrong[0]}",
            "install the package anew",
        )
    return model
