"""`mmrobot doctor`: the checks as a table."""

from __future__ import annotations

from dataclasses import asdict

from rich.table import Table

from mmrobot.cli.output import Output
from mmrobot.doctor import run_checks


def run_doctor(output: Output) -> None:
    """All checks; fails when one that is needed does."""
    with output.log.status("looking at this machine"):
        checks = run_checks()
    table = Table(box=None, pad_edge=False)
    for title in ("", "check", "finding"):
        table.add_column(title, overflow="fold")
    for check in checks:
        mark = "[green]ok[/]" if check.ok else "[red]fault[/]"
        table.add_row(mark, check.name, check.detail + (f"\n[bold]fix[/] {check.fix}" if check.fix else ""))
    output.console.print(table)
    faults = [c for c in checks if not c.ok]
    word = (
        "[green]everything works[/]"
        if not faults
        else f"[red]{len(faults)} of {len(checks)} checks failed[/]"
    )
    output.console.print(f"\n{word}")
    output.finish(not faults, checks=[asdict(c) for c in checks], **_error(faults))


def _error(faults: list) -> dict:
    if not faults:
        return {}
    first = faults[0]
    return {"error": {"code": "CHECK_FAILED", "message": f"{first.name}: {first.detail}", "fix": first.fix}}
