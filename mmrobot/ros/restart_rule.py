"""Whether a node's process that has ended is started again: `mmrobot up` and the launch files ask here."""

from __future__ import annotations

from collections import deque

STARTED_S = 20.0
"""A node that ends by itself sooner would do so again: its error is told instead."""
MAX_DEATHS, DEATHS_WITHIN_S = 5, 120.0


class RestartRule:
    """Counts the deaths of each node. Times are monotonic seconds."""

    def __init__(self) -> None:
        self._deaths: dict[str, deque[float]] = {}

    def again(self, name: str, status: int, lived_s: float, now_s: float) -> bool:
        """False for a node that ended by itself within STARTED_S of its start, or that died MAX_DEATHS times
        within DEATHS_WITHIN_S: another start would end the same way. `status` below 0: a signal killed it.
        """
        deaths = self._deaths.setdefault(name, deque(maxlen=MAX_DEATHS))
        deaths.append(now_s)
        often = len(deaths) == MAX_DEATHS and now_s - deaths[0] < DEATHS_WITHIN_S
        return not often and (status < 0 or lived_s > STARTED_S)
