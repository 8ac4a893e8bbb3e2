"""A node's process ends with the process that owns it, however that ended: no robot runs on unwatched."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Callable

OWNER = "MMROBOT_OWNER_PID"
"""Variable of a node's process: who started it."""
_PR_SET_PDEATHSIG = 1


def end_with_owner(end: Callable[[], object]) -> None:
    """Linux: SIGTERM comes when the owner's end does; `end` is called when it has ended already.

    A process that was started by another than OWNER says, or without it, is left alone.
    """
    owner = int(os.environ.get(OWNER) or 0)
    if sys.platform != "linux" or owner == 0 or os.getppid() != owner:
        return
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != owner:
        end()
