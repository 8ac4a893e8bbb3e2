"""`mmrobot faults`: puts each fault into the running graph, measures what comes of it, and its twin."""

from __future__ import annotations

from mmrobot.cli.output import Output
from mmrobot.errors import InvalidConfigError
from mmrobot.evals.faults import chosen
from mmrobot.evals.faults_suite import FaultOptions, machine, play_all
from mmrobot.evals.faults_table import FAILED, table


def run_faults(only: str, options: FaultOptions, list_only: bool, output: Output) -> None:
    """Everything; `ok` when no row failed."""
    faults = chosen(name.strip() for name in only.split(","))
    if list_only:
        for fault in faults:
            output.console.print(f"{fault.name:26s} {fault.does}: {fault.expected}", markup=False)
        output.finish(True, faults=[fault.name for fault in faults])
    if options.count < 1:
        raise InvalidConfigError(f"--count is {options.count}", "give 1 or more")
    rows = play_all(faults, options, lambda words: output.log.print(words, markup=False, soft_wrap=True))
    output.console.print(table(rows), markup=False, soft_wrap=True)
    failed = [row.fault.name for row in rows if row.verdict == FAILED]
    output.finish(
        not failed,
        rows=[{k: v for k, v in row.as_dict().items() if k not in ("runs", "twins")} for row in rows],
        failed=failed,
        machine=machine(options),
        out=str(options.out),
    )
