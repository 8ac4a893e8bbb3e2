"""`mmrobot bench`: speed of every backend that is to be had here, beside its quality; ratios first."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmrobot.cli.output import Output
from mmrobot.errors import InvalidConfigError
from mmrobot.vlm.registry import DEFAULT_MODEL, nano_folder

SECTIONS = ("speed", "pruning", "selective", "gate", "large")


@dataclass(frozen=True)
class BenchOptions:
    """As given on the command line."""

    model: str
    backends: str
    rounds: int
    tasks: int
    scenes: int
    levels: str
    threads: int
    sections: tuple[str, ...]
    out: Path | None


def run_bench(options: BenchOptions, output: Output) -> None:
    """Every section asked for; each says in the JSON when it was not run, and why."""
    for name, value in (("rounds", options.rounds), ("tasks", options.tasks), ("scenes", options.scenes)):
        if value < 1:
            raise InvalidConfigError(f"{value} {name}", "give 1 or more")
    if options.threads < 0:
        raise InvalidConfigError(f"{options.threads} threads", "give 0 (the library's choice) or more")
    results: dict[str, Any] = {"model": options.model or DEFAULT_MODEL}
    with output.log.status("beginning") as status:

        def tell(words: str) -> None:
            status.update(words)

        if {"speed", "pruning", "selective"} & set(options.sections):
            results |= _with_model(options, output, tell)
        if "gate" in options.sections:
            results["gate"] = _gate(options, output, tell)
        results["large"] = _large(options, output, tell)
    if options.out is not None:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(json.dumps(results, indent=1, default=str) + "\n")
    output.finish(True, **results)


def _with_model(options: BenchOptions, output: Output, tell: Any) -> dict[str, Any]:
    from mmrobot.evals.bench.backends import check_names
    from mmrobot.evals.bench.pruning import measure_pruning
    from mmrobot.evals.bench.report import rows_table, tables
    from mmrobot.evals.bench.samples import make_samples
    from mmrobot.evals.bench.selective import measure_selective
    from mmrobot.evals.bench.speed import measure_speed
    from mmrobot.tabletop.levels import LEVELS

    names = tuple(name.strip() for name in options.backends.split(",") if name.strip())
    check_names(names)
    levels = tuple(level.strip() for level in options.levels.split(",") if level.strip())
    if not levels or not set(levels) <= set(LEVELS):
        raise InvalidConfigError(f"unknown levels '{options.levels}'", f"known: {', '.join(LEVELS)}")
    folder = nano_folder(options.model)
    samples = make_samples(
        options.tasks,
        options.scenes,
        levels,
        tell=lambda done, total: tell(f"rendering {done} of {total} held-out scenes"),
    )
    results: dict[str, Any] = {}
    if "speed" in options.sections:
        results |= measure_speed(folder, samples, names, options.rounds, options.threads, tell)
        for table in tables(results):
            output.console.print(table)
    if "pruning" in options.sections:
        pruning = measure_pruning(
            folder, samples.scenes, samples.tasks, options.threads, options.rounds, tell
        )
        results["pruning"] = pruning
        output.console.print(rows_table("fewer visual tokens", pruning["ways"]))
    if "selective" in options.sections:
        selective = measure_selective(
            folder, samples.scenes, "onnx" if "onnx" in names else names[0], options.threads, tell
        )
        results["selective"] = selective
        output.console.print(rows_table("second looks", selective["ways"]))
    return results


def _gate(options: BenchOptions, output: Output, tell: Any) -> dict[str, Any]:
    from mmrobot.evals.bench.gate import measure_gate
    from mmrobot.evals.bench.report import rows_table

    figures = measure_gate(
        options.scenes, progress=lambda done, total: tell(f"gate: {done} of {total} scenes")
    )
    rows = {f"moved by {d}: noticed": {"rate": rate} for d, rate in figures["noticed"].items()}
    rows["nothing moved: looked again"] = {"rate": figures["looked_again_though_still"]}
    output.console.print(rows_table("change gate", rows))
    return figures


def _large(options: BenchOptions, output: Output, tell: Any) -> dict[str, Any]:
    if "large" not in options.sections:
        return {"run": False, "reason": "not asked for: add --large on a machine with a GPU"}
    if importlib.util.find_spec("torch") is None:
        return {"run": False, "reason": "torch is not installed"}
    from mmrobot.errors import MmrobotError
    from mmrobot.evals.bench.report import rows_table
    from mmrobot.vlm.hardware import check_cuda

    try:
        check_cuda("cuda")
    except MmrobotError as error:
        reason = f"not run: {error.message}"
        output.console.print(f"2B-class decode: {reason}", markup=False)
        return {"run": False, "reason": reason}
    from mmrobot.vlm.large_decode import measure_large

    tell("2B-class decode")
    figures = measure_large()
    output.console.print(rows_table(f"2B-class decode on {figures['device']}", figures["ways"]))
    return {"run": True, **figures}
