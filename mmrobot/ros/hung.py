"""Which nodes live and do nothing: processes that have said they work, and are silent since."""

from __future__ import annotations

from collections.abc import Mapping

from mmrobot.ros.heartbeat import HeartbeatMonitor

HUNG_S = 5.0
"""The robot holds still long before (heartbeat.timeout_s); a node that is only starved is back by then."""


class HungWatch:
    """Ask `hung` some times a second.

    A node that is not active yet is never hung: what loads a model, or builds an engine of it, may hold its
    interpreter for minutes. Nor is one that has not been heard in its present process.
    """

    def __init__(self, monitor: HeartbeatMonitor, limit_s: float = HUNG_S) -> None:
        self._monitor, self._limit_s = monitor, limit_s
        self._processes: dict[str, tuple[int, str | None]] = {}
        """Of each node its process, and the life that was last heard when that began."""

    def hung(self, pids: Mapping[str, int]) -> list[str]:
        """Those of the living processes whose beat has not come for the limit."""
        lives = self._monitor.lives(pids)
        for name, pid in pids.items():
            if self._processes.get(name, (0, None))[0] != pid:
                before = lives.get(name) if name in self._processes else None
                self._processes[name] = (pid, before)
        heard = [name for name in pids if lives.get(name) not in (None, self._processes[name][1])]
        return [n for n in self._monitor.missing(heard, self._limit_s) if not self._monitor.idle([n])]
