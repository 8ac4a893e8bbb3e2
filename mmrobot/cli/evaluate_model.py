"""`mmrobot eval-model`: how well a model sees and reads, without an arm; the model card's figures."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.progress import Progress

from mmrobot.cli.output import Output
from mmrobot.evals.model_eval import evaluate_model
from mmrobot.evals.model_figures import card_table, kinds_table
from mmrobot.evals.plan_eval import evaluate_handwritten
from mmrobot.evals.statistics import Rate
from mmrobot.vlm.registry import load_model


@dataclass(frozen=True)
class ModelEvalOptions:
    """As given on the command line."""

    count: int
    seed: int
    levels: str
    model: str
    backend: str
    out: Path | None


def run_eval_model(options: ModelEvalOptions, output: Output) -> None:
    """Every operation over unseen scenes of each level, and the sentences written by hand."""
    vlm = load_model(options.model, backend=options.backend or "auto")
    levels = tuple(level.strip() for level in options.levels.split(",") if level.strip())
    with Progress(console=output.log) as bar:
        lines = {level: bar.add_task(level, total=options.count) for level in (*levels, "handwritten")}
        figures = evaluate_model(
            vlm,
            levels,
            options.count,
            seed=options.seed,
            folder=options.out,
            progress=lambda level, done, total: bar.update(lines[level], completed=done, total=total),
        )
        hand: dict[str, Any] | None = None
        if "plan" in vlm.operations:
            hand = evaluate_handwritten(
                vlm,
                options.seed,
                lambda done, total: bar.update(lines["handwritten"], completed=done, total=total),
            )
    tables = [
        card_table(figures),
        *(kinds_table(figures, op) for op in ("ground", "plan", "verify", "answer")),
    ]
    if hand is not None:
        tables.append(f"Sentences written by hand, to the exact plan: {Rate(hand['passed'], hand['n'])}")
    output.console.print("\n\n".join(tables), markup=False, soft_wrap=True)
    output.finish(True, model=vlm.name, seed=options.seed, levels=figures, handwritten=hand)
