"""Run a command quietly: a sign of life while it works, its last lines when it fails."""

from __future__ import annotations

import collections
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence

HEARTBEAT_S = 15.0
SHOWN_ON_FAILURE = 40
# Lines of pip that say nothing about how far it is.
NOISE = (
    "WARNING",
    "Attempting uninstall",
    "Found existing installation",
    "Uninstalling",
    "Successfully uninstalled",
)


class SetupError(Exception):
    """Set-up cannot go on; `fix` tells the person what to do."""

    def __init__(self, message: str, fix: str) -> None:
        super().__init__(message)
        self.fix = fix


def short(line: str, width: int = 90) -> str:
    return line if len(line) <= width else line[: width - 3] + "..."


def run(command: Sequence[str], env: Mapping[str, str]) -> None:
    """Run to the end; every HEARTBEAT_S say how far it is. Raises SetupError with its last words."""
    process = subprocess.Popen(
        command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    )
    assert process.stdout is not None
    lines: collections.deque[str] = collections.deque(maxlen=SHOWN_ON_FAILURE)
    latest = [""]
    finished = threading.Event()
    heart = threading.Thread(target=_beat, args=(latest, finished), daemon=True)
    heart.start()
    try:
        for line in process.stdout:
            if line.strip():
                lines.append(line.strip())
                if not line.strip().startswith(NOISE):
                    latest[0] = line.strip()
        status = process.wait()
    except BaseException:
        process.kill()
        raise
    finally:
        finished.set()
    if status != 0:
        raise SetupError(
            f"'{' '.join(command)}' ended with status {status}:\n  " + "\n  ".join(lines),
            "read the last lines above; network and disk space are the usual reasons. Then run it again.",
        )


def _beat(latest: list[str], finished: threading.Event) -> None:
    started = time.monotonic()
    while not finished.wait(HEARTBEAT_S):
        print(f"    {time.monotonic() - started:4.0f} s  {short(latest[0])}", flush=True)
