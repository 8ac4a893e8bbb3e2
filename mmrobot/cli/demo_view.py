"""The demo on a terminal: what is waited for, the plan as a table, its steps ticking."""

from __future__ import annotations

import time
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from mmrobot.cli.plan_table import plan_table
from mmrobot.types import ActionPlan

PARTS = ("camera", "model", "executor", "arm_server")


class DemoView:
    """Live on a terminal; on anything else each change is printed once."""

    def __init__(self, console: Console, title: str) -> None:
        self._console, self._title = console, title
        self._began_s = time.monotonic()
        self._health: dict[str, str] | None = None
        self._ready = False
        self._plan: ActionPlan | None = None
        self._step, self._detail, self._failed = -1, "starting", False
        self._told: set[str] = set()
        self._live = Live(console=console, refresh_per_second=8, transient=True, get_renderable=self._render)

    def __enter__(self) -> DemoView:
        self._console.print(f"\n[bold]mmrobot demo[/]  [italic]“{self._title}”[/]\n")
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._console.is_terminal:
            self._live.stop()

    def health(self, parts: dict[str, str] | None) -> None:
        """What is ready so far."""
        self._health = parts
        for part in PARTS if parts is not None else ():
            if not (parts or {}).get(part, "?"):
                self._once(f"{part} ready")

    def ready(self) -> None:
        """All is."""
        self._ready, self._detail = True, "looking"

    def plan(self, plan: ActionPlan) -> None:
        """The plan is known; homing plans of no model are not shown."""
        self._plan = plan
        if not self._console.is_terminal:
            self._console.print(plan_table(plan))

    def status(self, status: dict[str, Any]) -> None:
        """One message of `status`."""
        if status["node"] == "executor" and status.get("step") is not None:
            self._step = int(status["step"]) + (status["state"] == "step_finished")
        if status["state"] in (
            "looking",
            "planning",
            "executing",
            "phase",
            "step_started",
            "retrying",
            "step_failed",
        ):
            self._detail = status["message"]
        if status["state"] in ("step_started", "step_finished", "retrying", "step_failed"):
            self._once(f"{status['state'].replace('_', ' ')}: {status['message']}", again=True)

    def line(self, words: str) -> None:
        """Something out of the usual, above the rest."""
        self._console.print(f"[yellow]{words}[/]")

    def close_plan(self, success: bool) -> None:
        """Leave the table with its last marks on the screen."""
        self._failed = not success
        if self._console.is_terminal:
            self._live.stop()
            if self._plan is not None:
                self._console.print(self._table())

    def _once(self, line: str, again: bool = False) -> None:
        if self._console.is_terminal or (line in self._told and not again):
            return
        self._told.add(line)
        self._console.print(f"{time.monotonic() - self._began_s:6.1f} s  {line}", markup=False)

    def _table(self) -> Table:
        assert self._plan is not None
        marks = {}
        for step in self._plan.steps:
            if step.index < self._step:
                marks[step.index] = "[green]✓[/]"
            elif step.index == self._step:
                marks[step.index] = "[red]✗[/]" if self._failed else "[yellow]▶[/]"
        return plan_table(self._plan, marks)

    def _render(self) -> RenderableType:
        elapsed = f"{time.monotonic() - self._began_s:5.1f} s"
        if not self._ready:
            rows = Table.grid(padding=(0, 2))
            for part in PARTS:
                problem = "starting" if self._health is None else self._health.get(part, "")
                mark: RenderableType = (
                    Text("✓", style="green") if not problem else Spinner("dots", style="yellow")
                )
                rows.add_row(mark, Text(part.replace("_", " ")), Text(problem or "ready", style="dim"))
            return Group(rows, Text(elapsed, style="dim"))
        line = Spinner("dots", text=Text.assemble(f" {self._detail}  ", (elapsed, "dim")), style="yellow")
        return Group(self._table(), line) if self._plan is not None else line
