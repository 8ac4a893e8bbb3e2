"""`mmrobot eval`: the suite with a progress bar, its figures as a table."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from mmrobot.cli.output import Output
from mmrobot.config import default_config_file, load_config
from mmrobot.evals.results import EpisodeResult
from mmrobot.evals.suite import SuiteOptions, run_suite


@dataclass(frozen=True)
class EvalOptions:
    """As given on the command line."""

    families: str
    levels: str
    episodes: int
    seed: int
    episodes_file: Path | None
    ablate: str
    jobs: int
    out: Path | None
    model: str
    config: Path | None


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
        out=options.out,
        episodes_file=options.episodes_file,
        config=config,
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

        def tell(result: EpisodeResult, done: int, total: int) -> None:
            nonlocal passed
            passed += result.passed
            last = f"{result.name}: {'passed' if result.passed else result.reason}"
            bar.update(line, completed=done, total=total, last=last[:80], description=f"{passed} passed")

        summary = run_suite(suite, tell)
    _show(summary, output)
    output.finish(summary.pop("ok"), **summary)


def _names(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _show(summary: dict[str, Any], output: Output) -> None:
    for name, figures in (summary.get("ablations") or {"": summary}).items():
        table = Table(title=name or None, box=None, pad_edge=False)
        for column in ("family", "level", "n", "success", "95 % interval"):
            table.add_column(column, justify="left" if column in ("family", "level") else "right")
        for family, levels in figures.get("families", {}).items():
            for level, cell in levels.items():
                low, high = cell["wilson95"]
                table.add_row(
                    family, level, str(cell["n"]), f"{cell['success']:.1%}", f"{low:.1%} to {high:.1%}"
                )
        output.console.print(table)
    if summary.get("report"):
        output.console.print(f"report: {summary['report']}")
