"""`mmrobot engine`: TensorRT engines of a model's graphs, built for this machine's GPU and kept."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from mmrobot.cli.output import Output
from mmrobot.errors import InvalidConfigError, ModelUnavailableError
from mmrobot.vlm.engines.trt_api import load_tensorrt
from mmrobot.vlm.engines.trt_engines import EngineMaker, Planned, Target, default_store, plan_engines
from mmrobot.vlm.engines.trt_key import BuildOptions
from mmrobot.vlm.engines.trt_memory import MIB
from mmrobot.vlm.engines.trt_parts import OnnxPart, read_parts
from mmrobot.vlm.engines.trt_progress import Phase
from mmrobot.vlm.registry import DEFAULT_MODEL, SHIPPED

UNKNOWN = "unknown"


@dataclass(frozen=True)
class EngineOptions:
    """As given on the command line."""

    model: str = ""
    graphs: Path | None = None
    precision: str = "fp32"
    device: str = "cuda"
    dry_run: bool = False
    anew: bool = False
    optimization_level: int = 3
    tf32: bool = False
    memory_check: bool = True
    gpu: str = ""
    capability: str = ""
    tensorrt: str = ""


def run_engine(options: EngineOptions, output: Output) -> None:
    """Build what is missing, or with `dry_run` say what would be built."""
    if not 0 <= options.optimization_level <= 5:
        raise InvalidConfigError(
            f"--optimization-level is {options.optimization_level}", "give 0 (quick) to 5 (thorough)"
        )
    build = BuildOptions(options.optimization_level, options.tf32)
    if options.dry_run:
        _dry_run(options, build, output)
    elif options.gpu or options.capability or options.tensorrt:
        raise InvalidConfigError(
            "--gpu, --capability and --tensorrt name another machine, and engines are built on their own",
            "add --dry-run, or leave them out",
        )
    trt = load_tensorrt()
    from mmrobot.vlm.engines.trt_device import CudaDevice

    device = CudaDevice(options.device)
    parts = _parts(options, output)
    store = default_store()
    maker = EngineMaker(trt, device, store, options.memory_check)
    target = maker.target
    output.console.print(
        f"TensorRT {target.tensorrt} on {target.gpu} (compute capability {_dotted(target.capability)})"
    )
    made = []
    with Progress(
        TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), console=output.log, transient=True
    ) as bar:
        for planned in plan_engines(parts, target, store, build):
            reporter = BarReporter(bar, planned.part.name)
            stored = maker.make(planned.part, build, reporter, options.anew)
            reporter.clear()
            kept = planned.stored is not None and not options.anew
            how = "kept" if kept else f"built in {stored.build_s:.1f} s"
            output.console.print(f"  {planned.part.name}: {how}, {stored.size / MIB:.1f} MiB")
            made.append({**_entry(planned), "bytes": stored.size, "build_s": stored.build_s, "kept": kept})
    output.finish(True, **_target(target), folder=str(store.folder), engines=made)


class BarReporter:
    """TensorRT's phases as bars, nested ones indented."""

    def __init__(self, bar: Progress, part: str) -> None:
        self._bar = bar
        self._part = part
        self._tasks: dict[str, Any] = {}

    def __call__(self, phase: Phase) -> None:
        if phase.name not in self._tasks:
            words = f"{self._part}: " + "  " * phase.depth + phase.name
            self._tasks[phase.name] = self._bar.add_task(words, total=phase.steps)
        done = phase.steps if phase.finished else phase.done
        self._bar.update(self._tasks[phase.name], completed=done, total=phase.steps)

    def clear(self) -> None:
        """Take the bars away."""
        for task in self._tasks.values():
            self._bar.remove_task(task)
        self._tasks.clear()


def _dry_run(options: EngineOptions, build: BuildOptions, output: Output) -> None:
    target, missing = _named_target(options)
    store = default_store()
    planned = plan_engines(_parts(options, output), target, store, build)
    table = Table(title=f"TensorRT {target.tensorrt} on {target.gpu}", title_justify="left")
    for name in ("part", "precision", "state", "weights MiB", "GPU need MiB", "host need MiB", "key"):
        table.add_column(name, no_wrap=name != "key")
    for one in planned:
        state = "kept" if one.stored and not options.anew else "to build"
        sizes = [f"{value / MIB:.1f}" for value in (one.part.weights_bytes, one.need.gpu, one.need.host)]
        table.add_row(one.part.name, one.key.precision, state, *sizes, one.key.digest)
    output.console.print(table)
    output.console.print(f"kept in {store.folder}", soft_wrap=True)
    if missing:
        output.console.print(
            f"[bold]not final[/]: {', '.join(missing)} unknown here; name them with --gpu, --capability, "
            "--tensorrt to see the keys of another machine",
            soft_wrap=True,
        )
    entries = [{**_entry(one), "kept": one.stored is not None} for one in planned]
    output.finish(
        True, dry_run=True, **_target(target), final=not missing, folder=str(store.folder), engines=entries
    )


def _named_target(options: EngineOptions) -> tuple[Target, list[str]]:
    """What engines would be built for: as named, else this machine's; and what of it is not known."""
    gpu, capability, tensorrt = options.gpu, _capability(options.capability), options.tensorrt
    if not tensorrt:
        try:
            tensorrt = str(load_tensorrt().__version__)
        except ModelUnavailableError:
            tensorrt = UNKNOWN
    if not gpu and capability is None:
        from mmrobot.vlm.engines.trt_device import CudaDevice

        try:
            found = CudaDevice(options.device).gpu
        except ModelUnavailableError:
            gpu = UNKNOWN
        else:
            gpu, capability = found.name, found.capability
    target = Target(tensorrt, gpu or UNKNOWN, capability or (0, 0))
    missing = [
        name
        for name, known in (
            ("TensorRT's version", target.tensorrt != UNKNOWN),
            ("the GPU", target.gpu != UNKNOWN),
            ("its compute capability", target.capability != (0, 0)),
        )
        if not known
    ]
    return target, missing


def _parts(options: EngineOptions, output: Output) -> tuple[OnnxPart, ...]:
    if options.graphs is not None:
        return read_parts(options.graphs)
    from mmrobot.vlm.engines.export_nano import NANO_PRECISIONS, export_nano

    if options.precision not in NANO_PRECISIONS:
        raise InvalidConfigError(
            f"there is no precision '{options.precision}'", f"give one of {', '.join(NANO_PRECISIONS)}"
        )
    name = options.model or DEFAULT_MODEL
    folder = SHIPPED.get(name, Path(name))
    if not (folder / "config.json").is_file():
        raise ModelUnavailableError(
            f"no model '{name}'",
            "give the folder of an mmrobot-nano, or export another model with `mmrobot export` and name its "
            "folder with --graphs",
        )
    return read_parts(export_nano(folder, options.precision, tell=output.log.print))


def _capability(text: str) -> tuple[int, int] | None:
    if not text:
        return None
    found = re.fullmatch(r"(\d{1,2})\.(\d)", text)
    if found is None:
        raise InvalidConfigError(
            f"--capability is '{text}'", "write major.minor, such as 8.7 for Jetson Orin or 9.0 for an H200"
        )
    return int(found[1]), int(found[2])


def _dotted(capability: tuple[int, int]) -> str:
    return f"{capability[0]}.{capability[1]}"


def _target(target: Target) -> dict[str, str]:
    return {"tensorrt": target.tensorrt, "gpu": target.gpu, "capability": _dotted(target.capability)}


def _entry(planned: Planned) -> dict[str, Any]:
    return {
        "part": planned.part.name,
        "precision": planned.key.precision,
        "key": planned.key.digest,
        "path": str(planned.path),
        "weights_bytes": planned.part.weights_bytes,
        "gpu_need_bytes": planned.need.gpu,
        "host_need_bytes": planned.need.host,
    }
