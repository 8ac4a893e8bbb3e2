"""A node's process ends with the process that owns it, however that ended: no robot runs on unwatched."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

OWNER = "MMROBOT_OWNER_PID"
"""Variable of a node's process: who started it."""
_PR_SET_PDEATHSIG = 1


def end_with_owner(end: Callable[[], object]) -> None:
    """Linux: SIGTERM comes when the owner's end does; `end` is called when it has ended already.

    A process without OWNER, or started by another while the owner lives, is left alone.
    """
    owner = int(os.environ.get(OWNER) or 0)
    if sys.platform != "linux" or owner == 0:
        return
    if os.getppid() == owner:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if not Path(f"/proc/{owner}").exists():
        end()
