"""`mmrobot export`: a model as ONNX graphs with static shapes, and whether they compute what torch does."""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.progress import Progress
from rich.table import Table

from mmrobot.cli.output import Output
from mmrobot.errors import InvalidConfigError, ModelUnavailableError
from mmrobot.vlm.registry import DEFAULT_MODEL, SHIPPED

PRECISIONS = ("fp32", "fp16", "bf16", "int8", "int4")


@dataclass(frozen=True)
class ExportOptions:
    """As given on the command line."""

    model: str = ""
    precision: str = "fp32"
    out: Path | None = None
    check: bool = False
    prompts: int = 500
    calibrate: bool = False
    skeletons: bool = False
    anew: bool = False
    resolutions: str = ""
    lengths: str = "512"
    capacity: int = 1024
    whole_cache: bool = False


def run_export(options: ExportOptions, output: Output) -> None:
    """Makes what is missing and tells where it lies; `--check` compares it with torch."""
    if options.precision not in PRECISIONS:
        raise InvalidConfigError(
            f"--precision is '{options.precision}'", f"give one of {', '.join(PRECISIONS)}"
        )
    name = options.model or DEFAULT_MODEL
    folder = SHIPPED.get(name, Path(name))
    if not (folder / "config.json").is_file():
        raise ModelUnavailableError(
            f"no model '{name}': {folder / 'config.json'} is missing", "give mmrobot-nano or a model's folder"
        )
    kind = json.loads((folder / "config.json").read_text(encoding="utf-8")).get("model_type")
    if kind == "mmrobot-nano":
        _nano(folder, options, output)
    else:
        _decoder(folder, options, output)


def _nano(folder: Path, options: ExportOptions, output: Output) -> None:
    from mmrobot.vlm.engines.export_nano import export_nano

    if options.precision == "int4":
        raise InvalidConfigError("mmrobot-nano has no int4", "give fp32, fp16, bf16 or int8")
    if options.skeletons:
        from mmrobot.vlm.engines.trace_nano import write_skeletons
        from mmrobot.vlm.models.nano import NanoConfig

        place = write_skeletons(NanoConfig.from_pretrained(folder, local_files_only=True))
        output.console.print(f"graphs without weights: {place}")
    if options.calibrate:
        from mmrobot.learn.int8_ranges import measure

        with Progress(console=output.log) as bar:
            line = bar.add_task("int8 ranges: pictures", total=None)
            measure(folder, tell=lambda done, total: bar.update(line, completed=done, total=total))
    started = time.monotonic()
    graphs = export_nano(folder, options.precision, options.out, output.log.print, options.anew)
    content = _told(graphs, time.monotonic() - started, output)
    if options.check:
        content["parity"] = _parity(folder, options, output)
        exact = content["parity"]["backends"]["onnx-fp32"]["exact"]
        output.finish(bool(exact), **content)
    output.finish(True, **content)


def _decoder(folder: Path, options: ExportOptions, output: Output) -> None:
    from mmrobot.vlm.engines.export_decoder import DecoderShapes, export_decoder

    if options.check or options.calibrate or options.skeletons:
        raise InvalidConfigError(
            "--check, --calibrate and --skeletons are for mmrobot-nano", "leave them out for other models"
        )
    if options.precision == "int8":
        raise InvalidConfigError("int8 is for mmrobot-nano", "give int4 for a decoder's weights")
    four = options.precision == "int4"
    try:
        shapes = DecoderShapes(
            _pairs(options.resolutions or "224x224"),
            tuple(int(v) for v in options.lengths.split(",")),
            options.capacity,
            options.whole_cache,
        )
        started = time.monotonic()
        graphs = export_decoder(
            folder, shapes, "fp32" if four else options.precision, "int4" if four else "none", options.out
        )
    except ValueError as error:
        raise InvalidConfigError(str(error), "see mmrobot export --help") from error
    output.finish(True, **_told(graphs, time.monotonic() - started, output))


def _told(graphs: Path, seconds: float, output: Output) -> dict[str, Any]:
    from mmrobot.vlm.engines.cache import read_manifest

    manifest = read_manifest(graphs) or {}
    table = Table(box=None, pad_edge=False)
    for column in ("part", "inputs", "outputs", "MB"):
        table.add_column(column, justify="right" if column == "MB" else "left")
    for name, part in manifest["parts"].items():
        size = sum(p.stat().st_size for p in graphs.glob(f"{part['file']}*")) / 1e6
        table.add_row(name, _shapes(part["inputs"]), _shapes(part["outputs"]), f"{size:.1f}")
    output.console.print(table)
    output.console.print(f"{graphs}  ({seconds:.1f} s)")
    return {"graphs": str(graphs), "seconds": round(seconds, 2), "key": manifest["key"]}


def _shapes(tensors: dict[str, Any]) -> str:
    return ", ".join(f"{name} {'x'.join(map(str, shape))}" for name, (_, shape) in tensors.items())


def _parity(folder: Path, options: ExportOptions, output: Output) -> dict[str, Any]:
    from mmrobot.evals.parity import check_parity, known_backends, prompts
    from mmrobot.vlm.torch_backend import TorchNano

    backends, missing = {}, {}
    for name, load in known_backends().items():
        try:
            backends[name] = load(folder)
        except ModelUnavailableError as error:
            missing[name] = error.message
    with Progress(console=output.log) as bar:
        line = bar.add_task("the same as torch?", total=options.prompts)
        results = check_parity(
            TorchNano(folder),
            backends,
            prompts(options.prompts),
            lambda done: bar.update(line, completed=done),
        )
    table = Table(box=None, pad_edge=False)
    for column in ("backend", "part", "least cosine", "greatest difference", "n"):
        table.add_column(column, justify="left" if column in ("backend", "part") else "right")
    for name, result in results.items():
        for part, figures in result.parts.items():
            table.add_row(name, part, f"{figures.cosine:.6f}", f"{figures.max_abs:.2e}", str(figures.n))
        table.add_row(name, "objects that differ", "", str(result.objects_differ), str(result.objects))
        table.add_row(name, "plans token for token", "", str(result.prompts_equal), str(result.prompts))
    output.console.print(table)
    for name, reason in missing.items():
        output.console.print(f"{name}: not compared: {reason}")
    return {"backends": {n: r.as_dict() for n, r in results.items()}, "not_compared": missing}


def _pairs(text: str) -> tuple[tuple[int, int], ...]:
    found = []
    for word in text.split(","):
        match = re.fullmatch(r"(\d+)x(\d+)", word.strip())
        if match is None:
            raise ValueError(f"'{word}' is no resolution such as 448x448 (height x width)")
        found.append((int(match[1]), int(match[2])))
    return tuple(found)
