"""What a check answers: a finding in words, or a fault with its fix. And how checks look without being hurt.

Checks that need a library do so in a process of its own: a library that crashes is a finding, not the end
of the doctor.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

PROBE_TIMEOUT_S = 60.0
SETUP_FIX = "run: make setup"


@dataclass(frozen=True)
class Check:
    """One finding. `fix` is empty when `ok`; an `optional` thing is `ok` even when it is not there."""

    name: str
    ok: bool
    detail: str
    fix: str = ""
    optional: bool = False


class Fault(Exception):
    """What a check found wrong, and the fix."""

    def __init__(self, detail: str, fix: str) -> None:
        super().__init__(detail)
        self.detail = detail
        self.fix = fix


def probe(code: str, fix: str, timeout_s: float | None = None) -> str:
    """Run Python code in a process of its own; its last line of output, or Fault with its last words."""
    limit_s = PROBE_TIMEOUT_S if timeout_s is None else timeout_s
    try:
        result = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=limit_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Fault(
            f"no answer within {limit_s:.0f} s",
            f"if this machine is overloaded, end other programs; or {fix}",
        ) from None
    if result.returncode != 0:
        words = [line for line in result.stderr.splitlines() if line.strip()] or ["no words"]
        died = f"crashed by signal {-result.returncode}: " if result.returncode < 0 else ""
        raise Fault(died + words[-1].strip(), fix)
    return result.stdout.strip().splitlines()[-1] if result.stdout.strip() else ""


def examine(name: str, check: Callable[[], str], optional: bool = False) -> Check:
    """Carry one check out."""
    try:
        return Check(name, True, check(), optional=optional)
    except Fault as fault:
        return Check(name, False, fault.detail, fault.fix, optional)
    except OSError as error:
        return Check(name, False, str(error), "see whether this user may read and run it", optional)


def shared_folder(name: str) -> Path:
    """`sim`, `config` or `launch`: of the checkout, or of the installation's share folder."""
    checkout = Path(__file__).resolve().parents[2] / name
    prefixes = os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep)
    places = [checkout, *(Path(p, "share/mmrobot", name) for p in [*prefixes, sys.prefix] if p)]
    found = [place for place in places if place.is_dir()]
    if not found:
        raise Fault(f"no folder '{name}' of mmrobot in {', '.join(map(str, places))}", SETUP_FIX)
    return found[0]
