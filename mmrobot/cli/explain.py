"""`mmrobot explain`: why a plan is as it is, from its audit record; no robot needs to run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PIL import Image
from rich.table import Table

from mmrobot.audit.drawing import draw_record
from mmrobot.audit.store import AuditStore
from mmrobot.cli.output import Output
from mmrobot.config import default_config_file, load_config


def run_explain(plan: str, config: Path | None, out: Path | None, output: Output) -> None:
    """The record of a plan, by its name or the beginning of it; the last one without a name."""
    store = AuditStore(load_config(config or default_config_file()).audit)
    record, picture = store.load(plan)
    console = output.console
    console.print(f"[bold]\u201c{record['instruction']}\u201d[/]  [dim]{record['made_at']}[/]", markup=True)
    console.print(f"plan {record['plan_id'][:12]}  ·  {record['model']}", style="dim", markup=False)
    if record["reply"]:
        console.print(f"read as: {record['reply']}  ({record['reading_confidence']:.0%} sure)", markup=False)
    if record["steps"]:
        console.print(_steps(record))
    if record["answer"]:
        console.print(f"answered: {record['answer']}", markup=False)
    if record["refused"]:
        refused = record["refused"]
        console.print(f"refused, {refused['code']}: {refused['message']}", style="red", markup=False)
        console.print(f"fix: {refused['fix']}", markup=False)
    broken = [v for v in record["gate"] if v["refusal"]]
    for verdict in broken:
        console.print(verdict["refusal"], style="red", markup=False)
    if record["gate"] and not broken:
        rules = list(dict.fromkeys(v["rule"] for v in record["gate"]))
        console.print(f"the gate checked {len(record['gate'])} times by {len(rules)} rules: all hold")
    if record["timings_ms"]:
        spent = ", ".join(f"{k} {v:g}" for k, v in record["timings_ms"].items())
        console.print(f"ms: {spent}", style="dim", markup=False)
    drawing = ""
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(draw_record(record, picture)).save(out)
        drawing = str(out)
        console.print(f"drawn: {out}", markup=False)
    output.finish(True, record=record, picture=str(picture) if picture else "", drawing=drawing)


def _steps(record: dict[str, Any]) -> Table:
    table = Table(box=None, pad_edge=False, show_edge=False)
    for title in ("", "step", "phrase", "box (px)", "sure", "else it might be"):
        table.add_column(title, overflow="fold")
    for step in record["steps"]:
        told = [("", step["target"]), (step["relation"] or "", step["reference"])]
        things = [(role, thing) for role, thing in told if thing]
        for i, (role, thing) in enumerate(things or [("", None)]):
            first = i == 0
            others = thing["rivals"] if thing else []
            rivals = ", ".join(f"{r['score']:.0%} at {_box(r['box_xyxy'])}" for r in others)
            table.add_row(
                str(step["index"] + 1) if first else "",
                step["skill"] if first else role,
                thing["phrase"] if thing else "",
                _box(thing["box_xyxy"]) if thing else "",
                f"{thing['score']:.0%}" if thing else "",
                rivals or "nothing",
            )
    return table


def _box(box: list[float]) -> str:
    return "(" + ", ".join(f"{v:.0f}" for v in box) + ")"
