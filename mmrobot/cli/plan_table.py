"""A plan for people, as a table, and for programs, as JSON."""

from __future__ import annotations

from typing import Any

from rich import box
from rich.table import Table

from mmrobot.types import ActionPlan, GroundedObject, PlanStep, Vector3


def plan_table(plan: ActionPlan, marks: dict[int, str] | None = None) -> Table:
    """Steps with their targets in metres and the model's confidence; `marks` (markup) by step index."""
    total = plan.timings_ms.get("total")
    took = f"  ·  {total:.0f} ms" if total is not None else ""
    table = Table(
        box=box.ROUNDED,
        border_style="dim",
        title_justify="left",
        expand=False,
        caption=f"{plan.model}  ·  confidence {plan.confidence:.0%}{took}  ·  metres in {plan.frame_id}",
        caption_justify="left",
    )
    table.add_column("", width=2)
    table.add_column("step", style="bold")
    table.add_column("target")
    for axis in ("x", "y", "z"):
        table.add_column(axis, justify="right", style="cyan")
    table.add_column("confidence", justify="right")
    for step in plan.steps:
        where = _where(step)
        cells = ["", "", ""] if where is None else [f"{v:+.3f}" for v in where]
        mark = (marks or {}).get(step.index, "[dim]·[/]")
        table.add_row(mark, _verb(step), _what(step), *cells, f"{step.confidence:.0%}")
    return table


def plan_as_dict(plan: ActionPlan) -> dict[str, Any]:
    """Plain values for JSON: metres, radians, pixels."""
    return {
        "plan_id": plan.plan_id,
        "digest": plan.digest,
        "instruction": plan.instruction,
        "frame_id": plan.frame_id,
        "model": plan.model,
        "confidence": round(plan.confidence, 4),
        "steps": [_step(step) for step in plan.steps],
    }


def _step(step: PlanStep) -> dict[str, Any]:
    return {
        "index": step.index,
        "skill": step.skill,
        "target": _thing(step.target),
        "relation": step.relation,
        "reference": _thing(step.reference),
        "goal_position_m": None
        if step.goal_position_m is None
        else [round(v, 4) for v in step.goal_position_m],
        "text": step.text,
        "confidence": round(step.confidence, 4),
    }


def _thing(thing: GroundedObject | None) -> dict[str, Any] | None:
    if thing is None:
        return None
    return {
        "label": thing.label,
        "box_xyxy": [round(v, 1) for v in thing.box_xyxy],
        "score": round(thing.score, 4),
        "position_m": [round(v, 4) for v in thing.position_m],
        "size_m": [round(v, 4) for v in thing.size_m],
        "yaw_rad": round(thing.yaw_rad, 4),
    }


def _verb(step: PlanStep) -> str:
    return f"{step.skill} {(step.relation or '').replace('_', ' ')}".strip()


def _what(step: PlanStep) -> str:
    if step.skill == "place":
        return step.reference.label if step.reference else ""
    return step.target.label if step.target else step.text or ""


def _where(step: PlanStep) -> Vector3 | None:
    if step.goal_position_m is not None:
        return step.goal_position_m
    return None if step.target is None else step.target.position_m
