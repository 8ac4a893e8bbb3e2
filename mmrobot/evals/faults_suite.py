"""All chosen faults, each with its healthy twin, so many times: on as few graphs as they need; to a table."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any

from mmrobot import __version__
from mmrobot.errors import MmrobotError
from mmrobot.evals.faults import DONE, FAULTS, Fault
from mmrobot.evals.faults_rig import SETTINGS, Rig, running_rig
from mmrobot.evals.faults_runs import play, weights_at_start
from mmrobot.evals.faults_table import FAILED, Measured, Row, table

Tell = Callable[[str], object]
OWN_GRAPH = "none"


@dataclass(frozen=True)
class FaultOptions:
    """How often each, where to, how fast the simulation goes."""

    count: int = 1
    out: Path = Path("runs/faults")
    real_time_factor: float = 1.0

    def command(self, names: Sequence[str]) -> str:
        """The command line that plays these faults so; without names all."""
        words = ["mmrobot faults"]
        if names:
            words.append(f"--only {','.join(names)}")
        if self.count != 1:
            words.append(f"--count {self.count}")
        if self.real_time_factor != 1.0:
            words.append(f"--real-time-factor {self.real_time_factor:g}")
        return " ".join([*words, f"--out {self.out.name}"])


def play_all(faults: Sequence[Fault], options: FaultOptions, tell: Tell) -> list[Row]:
    """Every fault and its twin `count` times. A run that breaks down is a failed one; the rest goes on."""
    rows: list[Row] = []
    began = datetime.now(UTC)

    def write(more: Sequence[Row] = ()) -> None:
        _write([*rows, *more], faults, options, began)

    for rig, group in groupby(sorted(faults, key=lambda f: f.rig), key=lambda f: f.rig):
        rows += _on_rig(rig, list(group), options, tell, write)
    order = [fault.name for fault in faults]
    rows.sort(key=lambda row: order.index(row.fault.name))
    write()
    return rows


def _on_rig(
    name: str,
    faults: list[Fault],
    options: FaultOptions,
    tell: Tell,
    write: Callable[[Sequence[Row]], None],
) -> list[Row]:
    done: list[Row] = []
    waiting = list(faults)
    while waiting:
        folder = options.out / "graphs" / f"{name}_{waiting[0].name}"
        try:
            if name == OWN_GRAPH:
                done.append(_row(waiting.pop(0), options, tell, _alone(folder, options)))
                continue
            with running_rig(SETTINGS[name], folder, options.real_time_factor) as rig:
                while waiting:
                    fault = waiting[0]
                    row = _row(fault, options, tell, _shared(rig))
                    done.append(row)
                    waiting.pop(0)
                    write(done)
                    if any(b.startswith("broke down") for m in (*row.runs, *row.twins) for b in m.broken):
                        break  # the next ones get a graph of their own
        except MmrobotError as error:
            tell(f"the graph '{name}' does not come up: {error.message}")
            if waiting:
                broken = Measured(False, "", broken=(f"no graph: {error.message}",))
                done.append(Row(waiting.pop(0), (broken,), (broken,)))
    return done


Play = Callable[[Fault, bool], Measured]


def _shared(rig: Rig) -> Play:
    def one(fault: Fault, harmed: bool) -> Measured:
        rig.refresh()
        rig.clean = False
        measured = play(fault, rig, harmed)
        rig.clean = not harmed and measured.code == DONE and not rig.nodes.dead()
        return measured

    return one


def _alone(folder: Path, options: FaultOptions) -> Play:
    return lambda fault, harmed: weights_at_start(fault, folder, options.real_time_factor, harmed)


def _row(fault: Fault, options: FaultOptions, tell: Tell, one: Play) -> Row:
    runs: list[Measured] = []
    twins: list[Measured] = []
    for _ in range(options.count):
        for harmed, kept in ((False, twins), (True, runs)):
            try:
                kept.append(one(fault, harmed))
            except Exception as error:  # noqa: BLE001 - whatever breaks down is told in the row
                kept.append(Measured(False, "", broken=(f"broke down: {type(error).__name__}: {error}",)))
    row = Row(fault, tuple(runs), tuple(twins))
    tell(f"{row.verdict:8s} {fault.name}" + "".join(f"\n         {w}" for w in row.why))
    return row


def _write(rows: Sequence[Row], faults: Sequence[Fault], options: FaultOptions, began: datetime) -> None:
    options.out.mkdir(parents=True, exist_ok=True)
    names = [] if len(faults) == len(FAULTS) else [fault.name for fault in faults]
    head = {
        "command": options.command(names),
        "began": began.isoformat(timespec="minutes"),
        "minutes": round((datetime.now(UTC) - began).total_seconds() / 60),
        **machine(options),
    }
    content = {"machine": head, "rows": [row.as_dict() for row in rows]}
    (options.out / "faults.json").write_text(json.dumps(content, indent=1, default=str) + "\n", "utf-8")
    told = "".join(f"- {name}: {value}\n" for name, value in head.items())
    failed = sum(row.verdict == FAILED for row in rows)
    count = f"{len(rows)} of {len(faults)} rows played, {failed} failed"
    (options.out / "faults.md").write_text(f"{told}- {count}\n\n{table(rows)}", "utf-8")


def machine(options: FaultOptions) -> dict[str, Any]:
    """Where it was measured."""
    load = os.getloadavg() if hasattr(os, "getloadavg") else ()
    return {
        "mmrobot": __version__,
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "load_1_5_15_min": [round(v, 2) for v in load],
        "real_time_factor": options.real_time_factor,
    }
