"""How every command ends: words for people, or one JSON line; exit status 0 done, 1 failed, 2 wrong usage."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable
from typing import Any

import typer
from rich.console import Console

from mmrobot.errors import CancelledError, MmrobotError

DONE, FAILED, USAGE = 0, 1, 2


class Output:
    """One command's output. With `as_json`, words go to stderr and stdout ends in one JSON line."""

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json
        self.console = Console(stderr=as_json, highlight=False)
        self.log = Console(stderr=True, highlight=False)

    def finish(self, ok: bool, **content: Any) -> None:
        """The command's answer; raises typer.Exit with the status."""
        if self.as_json:
            print(json.dumps({"ok": ok, **content}, default=str), flush=True)
        raise typer.Exit(DONE if ok else FAILED)

    def fail(self, error: MmrobotError, **content: Any) -> None:
        """An error of mmrobot: message and fix."""
        if self.as_json:
            print(json.dumps({"ok": False, "error": error.as_dict(), **content}, default=str), flush=True)
        else:
            self.log.print(f"[bold red]error[/] [dim]{error.code.name}[/]  {_escaped(error.message)}")
            if error.fix:
                self.log.print(f"[bold]fix[/]    {_escaped(error.fix)}")
        raise typer.Exit(FAILED)


def run(as_json: bool, work: Callable[[Output], None]) -> None:
    """Run a command's work; every error of mmrobot becomes a clear answer."""
    logging.basicConfig(
        stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s"
    )
    output = Output(as_json)
    try:
        work(output)
    except MmrobotError as error:
        output.fail(error)
    except KeyboardInterrupt:
        output.fail(CancelledError("interrupted by Ctrl-C", "run the command again"))


def _escaped(text: str) -> str:
    return text.replace("[", "\\[")
