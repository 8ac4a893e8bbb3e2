"""Which nodes live and do nothing: processes that have said they work, and are silent since."""

from __future__ import annotations

from collections.abc import Mapping

from mmrobot.ros.heartbeat import HeartbeatMonitor

HUNG_S = 5.0
"""The robot holds still long before (heartbeat.timeout_s); a node that is only starved is back by then."""


def hung(monitor: HeartbeatMonitor, started_s: Mapping[str, float], limit_s: float = HUNG_S) -> list[str]:
    """Of the living processes, by the monotonic time of their start, those whose beat has not come for the
    limit.

    A node that is not active yet is never hung: what loads a model, or builds an engine of it, may hold its
    interpreter for minutes. Nor is one that has not been heard since its process began.
    """
    heard = [name for name, begun_s in started_s.items() if monitor.life_since_s(name) > begun_s]
    return [name for name in monitor.missing(heard, limit_s) if not monitor.idle([name])]
