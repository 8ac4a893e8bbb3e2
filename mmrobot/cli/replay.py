"""`mmrobot replay`: a recorded run through perception and planning again, compared with what was planned."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from rich.table import Table

from mmrobot.cli.output import Output
from mmrobot.config import default_config_file, load_config
from mmrobot.errors import InvalidConfigError
from mmrobot.pipeline import Pipeline
from mmrobot.replay.comparison import Tolerance
from mmrobot.replay.recording import read_recording
from mmrobot.replay.replaying import Replayed, replay
from mmrobot.vlm.registry import load_model


def run_replay(
    file: Path, model: str, config: Path | None, tolerance_mm: float, min_iou: float, output: Output
) -> None:
    """`ok` when every plan that can be judged is the same, and at least one turn was judged."""
    recording = read_recording(file)
    if not recording.turns:
        raise InvalidConfigError(
            f"'{file}' holds no request with a plan or an answer",
            "record while somebody speaks to the robot: mmrobot demo --record DIR, mmrobot up --record DIR",
        )
    settings = recording.config if config is None else None
    settings = settings or load_config(config or default_config_file())
    with output.log.status("loading the model"):
        pipeline = Pipeline(load_model(model, config=settings), settings)
    tolerance = Tolerance(min_iou=min_iou, position_m=tolerance_mm / 1000)
    turns = list(replay(recording, pipeline, tolerance))
    judged = [t for t in turns if t.same is not None]
    differ = [t for t in judged if not t.same]
    output.console.print(_table(turns))
    for words in recording.defects:
        output.log.print(f"[yellow]left out[/] {words}")
    for plan in recording.orphans:
        output.log.print(f"[dim]not judged: plan '{plan.plan_id[:8]}', its request is not in the file[/]")
    content = {
        "turns": [asdict(t) for t in turns],
        "judged": len(judged),
        "differ": len(differ),
        "left_out": len(recording.defects) + len(recording.orphans),
        "model": pipeline.vlm.name,
    }
    if not judged:
        raise InvalidConfigError(
            f"of {len(turns)} requests in '{file}' none can be judged: {turns[0].why}",
            "record with mmrobot's recorder, which keeps the pictures that plans rest on",
        )
    word = f"[red]{len(differ)} differ[/]" if differ else "[green]all the same[/]"
    output.console.print(f"\n{len(judged)} of {len(turns)} requests judged with {pipeline.vlm.name}: {word}")
    if differ:
        first = differ[0]
        message = f"'{first.words}': {first.differences[0]}"
        content["error"] = {
            "code": "VERIFICATION_FAILED",
            "message": message,
            "fix": "see what changed since: model, backend, configuration or code",
        }
    output.finish(not differ, **content)


def _table(turns: list[Replayed]) -> Table:
    table = Table(box=None, pad_edge=False)
    for title in ("", "request", "recorded", "again"):
        table.add_column(title, overflow="fold")
    for turn in turns:
        mark = {True: "[green]same[/]", False: "[red]differs[/]", None: "[dim]not judged[/]"}[turn.same]
        numbers = ""
        if turn.min_iou is not None and turn.max_position_mm is not None:
            numbers = f"\n[dim]IoU {turn.min_iou:.3f}, {turn.max_position_mm:.2f} mm[/]"
        again = "\n".join(turn.differences) or turn.why or f"{turn.again}{numbers}"
        table.add_row(mark, turn.words, turn.recorded, again)
    return table
