"""Who has gone silent: ages of heartbeats and pictures against what is allowed. Time comes in by hand."""

from __future__ import annotations

import math
from dataclasses import dataclass, field


@dataclass
class Monitor:
    """Watches sources that must be heard of. `limits_s` maps a source's name to its greatest age.

    A source never heard counts as silent from the time that watching began.
    """

    limits_s: dict[str, float]
    _last_s: dict[str, float] = field(default_factory=dict)
    _since_s: float = math.nan

    def begin(self, now_s: float) -> None:
        """Watching begins: sources get their whole limit from now on."""
        self._since_s = now_s
        self._last_s = {}

    def heard(self, source: str, now_s: float) -> None:
        """A source gave a sign of life; sources that are not watched are ignored."""
        if source in self.limits_s:
            self._last_s[source] = now_s

    def ages_s(self, now_s: float) -> dict[str, float]:
        """Age of each source's last sign of life."""
        return {source: now_s - self._last_s.get(source, self._since_s) for source in self.limits_s}

    def reason_to_stop(self, now_s: float) -> str | None:
        """None while all are heard; else who is silent, for how long and what is allowed.

        A clock that ran backwards, or watching that never began, is a reason too.
        """
        for source, age_s in self.ages_s(now_s).items():
            limit_s = self.limits_s[source]
            # Written so that NaN is a reason.
            if not age_s <= limit_s:
                return f"'{source}' has been silent for {age_s:.2f} s, allowed are {limit_s} s"
            if age_s < -limit_s:
                return f"the clock ran backwards by {-age_s:.2f} s since '{source}' was heard"
        return None
