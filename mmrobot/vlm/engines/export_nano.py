"""Exports mmrobot-nano as static-shape ONNX parts of batch 1.

`see` (picture to objects), `recognise` (one view to names), `spell` (one crop to characters), `read_<T>` and
`write_<T>` for texts of at most T words: most instructions fit a short bucket, which costs a third of the
long one. What the cache holds is taken without torch, whose import takes seconds; trace_nano.py makes what
it does not hold.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mmrobot.vlm.engines.cache import (
    Key,
    cache_folder,
    ensure,
    files_digest,
    read_manifest,
    versions,
    weights_digest,
)
from mmrobot.vlm.engines.graph_formats import FLOATS, TRACED_OPSET
from mmrobot.vlm.engines.quantise import CALIBRATION, has_int8_dot_products
from mmrobot.vlm.models.nano.sizes import NAMES, NanoSizes

NANO_PRECISIONS = (*FLOATS, "int8")
SKELETONS = Path(__file__).parent.parent / "models" / "nano" / "graphs"
"""Graphs without weights that ship with the package."""
SIZES = frozenset(name for name in NAMES if not name.endswith("temperature")) - {
    "dropout",
    "view_weights",
    "real_weights",
    "release",
}
"""Fields of the configuration that graphs depend on."""
ARCHITECTURE = (
    "blocks", "layout", "modeling", "reader", "recogniser", "speller", "vision", "vocabulary", "writer",
)  # fmt: skip
"""Files of the model's code that graphs depend on."""
_log = logging.getLogger(__name__)


def graph_key(config: NanoSizes) -> Key:
    """What the graphs rest on, whatever the weights: sizes and sources."""
    own, code = Path(__file__).parent, SKELETONS.parent
    sources = [own / "static_nano.py", own / "onnx_graph.py", *(code / f"{name}.py" for name in ARCHITECTURE)]
    sizes = {k: list(v) if isinstance(v, tuple) else v for k, v in sorted(vars(config).items()) if k in SIZES}
    return {"source": files_digest(sources), "sizes": sizes, "opset": TRACED_OPSET}


def nano_key(folder: Path, config: NanoSizes, precision: str) -> Key:
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
    return cache_folder() / "onnx" / f"mmrobot-nano-{weights_digest(folder)[:12]}-{precision}"


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
    config = NanoSizes.read(folder)
    place = out or nano_folder(folder, precision)

    def make(new: Path) -> dict[str, Any]:
        if precision != "int8":
            from mmrobot.vlm.engines.trace_nano import float_graphs

            return float_graphs(folder, config, precision, new, tell, anew)
        from mmrobot.vlm.engines.quantise_nano import quantise_nano

        exact = export_nano(folder, "fp32", None, tell, anew)
        fields = read_manifest(exact) or {}
        for part in fields["parts"].values():
            shutil.copyfile(exact / part["file"], new / part["file"])
        quantise_nano(new, folder)
        return {"opset": fields["opset"], "parts": fields["parts"]}

    if anew and place.exists():
        shutil.rmtree(place)
    return ensure(place, nano_key(folder, config, precision), make, tell)
