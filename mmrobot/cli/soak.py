"""`mmrobot soak`: tasks for so many minutes with the memory of each node, and whole graphs up and down."""

from __future__ import annotations

import json
from pathlib import Path

from mmrobot.cli.output import Output
from mmrobot.errors import InvalidConfigError
from mmrobot.evals.faults_suite import FaultOptions, machine
from mmrobot.evals.soak import Soak, bring_up, work


def run_soak(minutes: float, bringups: int, out: Path, real_time_factor: float, output: Output) -> None:
    """Everything; `ok` when nothing failed or died. Growth is told, and left to whoever reads it."""
    if minutes < 0 or bringups < 0 or (minutes == 0 and bringups == 0):
        raise InvalidConfigError(f"--minutes {minutes:g} --bringups {bringups}", "give one of them above 0")
    soak = Soak()

    def tell(words: str) -> None:
        output.log.print(words, markup=False, soft_wrap=True)
        _write(soak, out, real_time_factor)

    out.mkdir(parents=True, exist_ok=True)
    for number in range(bringups):
        bring_up(soak, out / f"bringup_{number + 1}", real_time_factor, tell)
    if minutes > 0:
        work(soak, minutes * 60.0, out / "work", real_time_factor, tell)
    content = _write(soak, out, real_time_factor)
    for kind in ("tasks", "bringups"):
        of = content[kind]
        low, high = of["wilson95"]
        output.console.print(f"{kind}: {of['done']} of {of['n']} ({low:.0%} to {high:.0%})", markup=False)
    for name, of in content["memory"].items():
        output.console.print(
            f"{name:12s} {of['mb_per_hour']:+8.2f} MB an hour ({of['low']:+.2f} to {of['high']:+.2f}), "
            f"{of['first_mb']:.1f} to {of['last_mb']:.1f} MB, n = {of['n']}",
            markup=False,
        )
    output.finish(soak.ok, **content)


def _write(soak: Soak, out: Path, real_time_factor: float) -> dict:
    content = {"machine": machine(FaultOptions(out=out, real_time_factor=real_time_factor)), **soak.as_dict()}
    samples = {name: [list(s) for s in of] for name, of in soak.memory.items()}
    (out / "soak.json").write_text(json.dumps({**content, "samples": samples}, indent=1) + "\n", "utf-8")
    return content
