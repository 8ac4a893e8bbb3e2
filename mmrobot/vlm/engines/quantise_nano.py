"""Which of mmrobot-nano is in int8, and how its ranges are measured.

Convolutions of `see` and `spell`, with what lies between them, and the products of `read`: pictures and
words meet in no product, so each has ranges of its own. What decides last (heatmap, heads, layout) and the
small `write` stay in float32.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmrobot.errors import ModelUnavailableError
from mmrobot.vlm.engines.quantise import (
    Feeds,
    Ranges,
    measure_ranges,
    quantisable,
    quantise_int8,
    read_calibration,
    write_calibration,
)

PICTURE_KINDS = ("Conv", "Relu", "Add", "Resize", "Gemm")
TEXT_KINDS = ("MatMul",)


def chosen(name: str, model: Any) -> list[str]:
    """The nodes of a part that will be in int8."""
    if name.startswith("read_"):
        return quantisable(model, TEXT_KINDS)
    if name == "spell":
        return quantisable(model, PICTURE_KINDS)
    if name == "see":
        return _before_peaks(model, quantisable(model, PICTURE_KINDS))
    return []


def _before_peaks(model: Any, nodes: list[str]) -> list[str]:
    """Those before the heatmap's own convolution, which is the last one and decides what is an object."""
    last = [n.name for n in model.graph.node if n.op_type == "Conv"][-1]
    return nodes[: nodes.index(last)]


def calibrate(
    graphs: Path, folder: Path, feeds: Mapping[str, Sequence[Feeds]], counts: tuple[int, int]
) -> Path:
    """Measures the ranges of the float32 parts in `graphs` and writes them beside the weights in `folder`.

    `feeds` gives each part's inputs, from pictures and texts of the training kind; `counts` are theirs.
    """
    import onnx

    ranges: dict[str, Ranges] = {}
    for name, given in feeds.items():
        model = onnx.load(graphs / f"{name}.onnx")
        ranges[name] = measure_ranges(model, chosen(name, model), given)
    return write_calibration(folder, ranges, *counts)


def quantise_nano(graphs: Path, folder: Path) -> None:
    """The parts in `graphs` in int8, in place. Raises ModelUnavailableError without fitting ranges."""
    import onnx

    for name, ranges in read_calibration(folder).items():
        path = graphs / f"{name}.onnx"
        model = onnx.load(path)
        nodes = chosen(name, model)
        try:
            path.write_bytes(quantise_int8(model, nodes, ranges).SerializeToString())
        except (KeyError, ValueError) as error:
            raise ModelUnavailableError(
                f"the int8 ranges of {name} do not fit its graph: {error}", "run `mmrobot export --calibrate`"
            ) from error
