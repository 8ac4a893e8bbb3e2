"""`mmrobot eval`: the suite with a progress bar, its figures as a table; `mmrobot eval-compare` of two."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from mmrobot.cli.output import Output
from mmrobot.config import default_config_file, load_config
from mmrobot.evals.compare import compare
from mmrobot.evals.results import EpisodeResult
from mmrobot.evals.suite import SuiteOptions, result_of, run_suite


@dataclass(frozen=True)
class EvalOptions:
    """As given on the command line; what is empty or None is the suite's own."""

    families: str
    levels: str
    episodes: int | None
    seed: int
    episodes_file: Path | None
    ablate: str
    jobs: int
    out: Path | None
    model: str
    config: Path | None
    suite: str = ""
    executor: str = "local"
    only_doable: bool | None = None


def run_eval(options: EvalOptions, output: Output) -> None:
    """Run the suite; the command fails only when it could not run, not when episodes fail."""
    config = load_config(options.config or default_config_file())
    chosen: dict[str, Any] = {"model": options.model} if options.model else {}
    suite = SuiteOptions(
        families=_names(options.families),
        levels=_names(options.levels),
        episodes=options.episodes,
        seed=options.seed,
        ablate=_names(options.ablate),
        jobs=options.jobs,
        # A report is what a named suite is run for.
        out=options.out or (Path("runs") / "eval" / options.suite if options.suite else None),
        episodes_file=options.episodes_file,
        config=config,
        suite=options.suite,
        executor=options.executor,
        only_doable=options.only_doable,
        **chosen,
    )
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("[dim]{task.fields[last]}"),
    )
    passed = 0
    with Progress(*columns, console=output.log) as bar:
        line = bar.add_task("episodes", total=None, last="")
        stages: dict[str, Any] = {}

        def tell(result: EpisodeResult, done: int, total: int) -> None:
            nonlocal passed
            passed += result.passed
            last = f"{result.name}: {'passed' if result.passed else result.reason}"
            bar.update(line, completed=done, total=total, last=last[:80], description=f"{passed} passed")

        def tell_stage(what: str, done: int, total: int) -> None:
            if what not in stages:
                stages[what] = bar.add_task(what, total=total or None, last="")
            bar.update(stages[what], completed=done, total=total or None)

        summary = run_suite(suite, tell, tell_stage)
    _show(summary, output)
    output.finish(summary.pop("ok"), **summary)


def run_compare(first: Path, second: Path, output: Output) -> None:
    """Compare two results on the same episodes."""
    found = compare(result_of(first), result_of(second))
    names = [str(name) for name in found["models"]]
    table = Table(title=f"{names[0]} against {names[1]}", box=None, pad_edge=False)
    for column in ("family", "n", "only first", "only second", "difference", "95 % interval", "McNemar p"):
        table.add_column(column, justify="left" if column == "family" else "right")
    for family, f in found["families"].items():
        low, high = (f"{100 * v:+.1f}" for v in f["interval95"])
        table.add_row(
            family,
            str(f["n"]),
            str(f["only_first"]),
            str(f["only_second"]),
            f"{100 * f['difference']:+.1f} points",
            f"{low} to {high}",
            f"{f['p']:.3g}",
        )
    output.console.print(table)
    output.finish(True, **found)


def _names(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _show(summary: dict[str, Any], output: Output) -> None:
    for name, figures in (summary.get("ablations") or {"": summary}).items():
        table = Table(title=name or None, box=None, pad_edge=False)
        for column in ("family", "level", "n", "success", "95 % interval", "strict"):
            table.add_column(column, justify="left" if column in ("family", "level") else "right")
        for family, levels in figures.get("families", {}).items():
            for level, cell in levels.items():
                low, high = cell["wilson95"]
                table.add_row(
                    family,
                    level,
                    str(cell["n"]),
                    f"{cell['success']:.1%}",
                    f"{low:.1%} to {high:.1%}",
                    f"{cell['strict']['success']:.1%}",
                )
        output.console.print(table)
    gap = summary.get("grounding_gap")
    if gap is not None:
        low, high = (100 * v for v in gap["interval95"])
        output.console.print(
            f"grounding gap: {100 * gap['difference']:.1f} points ({low:.1f} to {high:.1f}), n {gap['n']}"
        )
    if summary["not_doable"]["episodes"]:
        output.console.print(f"not doable, not counted: {', '.join(summary['not_doable']['episodes'])}")
    if summary["episodes_per_hour"]:
        output.console.print(f"{summary['episodes_per_hour']} episodes an hour")
    output.console.print(f"manifest {summary['manifest']}")
    if summary.get("report"):
        output.console.print(f"report: {summary['report']}")
