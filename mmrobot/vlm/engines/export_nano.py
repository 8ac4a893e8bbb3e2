"""Exports mmrobot-nano as static-shape ONNX parts of batch 1.

`see` (picture to objects), `recognise` (one view to names), `spell` (one crop to characters), `read_<T>` and
`write_<T>` for texts of at most T words: most instructions fit a short bucket, which costs a third of the
long one.
"""

from __future__ import annotations

import inspect
import logging
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray
from torch import nn

from mmrobot.errors import ModelUnavailableError
from mmrobot.vlm.engines.cache import (
    Key,
    cache_folder,
    ensure,
    files_digest,
    mismatch,
    read_manifest,
    versions,
    weights_digest,
)
from mmrobot.vlm.engines.graph_skeleton import filled, take_out
from mmrobot.vlm.engines.onnx_graph import PRECISIONS, TRACED_OPSET, export_parts
from mmrobot.vlm.engines.quantise import CALIBRATION, has_int8_dot_products
from mmrobot.vlm.engines.quantise_nano import quantise_nano
from mmrobot.vlm.engines.static_nano import fused, nano_parts
from mmrobot.vlm.models.nano import NanoConfig, NanoModel

NANO_PRECISIONS = (*PRECISIONS, "int8")
SKELETONS = Path(__file__).parent.parent / "models" / "nano" / "graphs"
"""Graphs without weights that ship with the package."""
SIZES = frozenset(
    name for name in inspect.signature(NanoConfig.__init__).parameters if not name.endswith("temperature")
) - {"self", "kwargs", "dropout", "view_weights", "real_weights"}
"""Fields of the configuration that graphs depend on."""
ARCHITECTURE = (
    "blocks", "layout", "modeling", "reader", "recogniser", "speller", "vision", "vocabulary", "writer",
)  # fmt: skip
"""Files of the model's code that graphs depend on."""
_log = logging.getLogger(__name__)


def graph_key(config: NanoConfig) -> Key:
    """What the graphs rest on, whatever the weights: sizes and sources."""
    own, code = Path(__file__).parent, SKELETONS.parent
    sources = [own / "static_nano.py", own / "onnx_graph.py", *(code / f"{name}.py" for name in ARCHITECTURE)]
    sizes = {k: list(v) if isinstance(v, tuple) else v for k, v in sorted(vars(config).items()) if k in SIZES}
    return {"source": files_digest(sources), "sizes": sizes, "opset": TRACED_OPSET}


def nano_key(folder: Path, config: NanoConfig, precision: str) -> Key:
    """What an export of the weights in `folder` rests on."""
    if precision not in NANO_PRECISIONS:
        raise ValueError(f"precision '{precision}', known: {', '.join(NANO_PRECISIONS)}")
    key = {"weights": weights_digest(folder), "precision": precision, **graph_key(config)}
    if precision == "int8":
        own = Path(__file__).parent
        sources = [own / "quantise.py", own / "quantise_nano.py", folder / CALIBRATION]
        key["quantised"] = files_digest(p for p in sources if p.is_file())
        key["dot_products"] = has_int8_dot_products()
        key |= versions("onnxruntime")
    return key


def nano_folder(folder: Path, precision: str) -> Path:
    """Where the graphs of the weights in `folder` lie in the cache."""
    return cache_folder() / "onnx" / f"{NanoConfig.model_type}-{weights_digest(folder)[:12]}-{precision}"


def export_nano(
    folder: Path,
    precision: str = "fp32",
    out: Path | None = None,
    tell: Callable[[str], None] = _log.info,
    anew: bool = False,
) -> Path:
    """The graphs of the weights in `folder`, from the cache or made now; answers their folder.

    `precision`: fp32, fp16, bf16 or int8 (Q/DQ). With fp32 and int8 the shipped skeletons are filled, in
    a second, when they are of this architecture; else, and with `anew`, the model is traced.
    Raises ModelUnavailableError.
    """
    config = NanoConfig.from_pretrained(folder, local_files_only=True)
    place = out or nano_folder(folder, precision)

    def make(new: Path) -> dict[str, Any]:
        if precision != "int8":
            return _float_graphs(fused(load_nano(folder)), config, precision, new, tell, anew)
        exact = export_nano(folder, "fp32", None, tell, anew)
        fields = read_manifest(exact) or {}
        for part in fields["parts"].values():
            shutil.copyfile(exact / part["file"], new / part["file"])
        quantise_nano(new, folder)
        return {"opset": fields["opset"], "parts": fields["parts"]}

    if anew and place.exists():
        shutil.rmtree(place)
    return ensure(place, nano_key(folder, config, precision), make, tell)


def _float_graphs(
    model: NanoModel, config: NanoConfig, precision: str, new: Path, tell: Callable[[str], None], anew: bool
) -> dict[str, Any]:
    """Skeletons filled, or the model traced; the manifest's fields."""
    shipped = None if mismatch(SKELETONS, graph_key(config)) else read_manifest(SKELETONS)
    if shipped is not None and precision == "fp32" and not anew:
        state = state_of(model)
        for name in shipped["parts"]:
            (new / f"{name}.onnx").write_bytes(filled(SKELETONS / f"{name}.onnx", state).SerializeToString())
        return {"opset": shipped["opset"], "parts": shipped["parts"]}
    tell(f"tracing {config.model_type} into ONNX graphs ({precision}): once for these weights, about 10 s")
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
