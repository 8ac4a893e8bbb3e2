"""Rates with their uncertainty: Wilson intervals, and McNemar's test for two models on the same episodes."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

Z95 = 1.959963984540054


def wilson(successes: int, n: int, z: float = Z95) -> tuple[float, float]:
    """Wilson's score interval of a rate (E. B. Wilson, 1927); (0, 1) when nothing was tried."""
    if n < 0 or not 0 <= successes <= n:
        raise ValueError(f"successes must be in 0..n, got {successes} of {n}")
    if n == 0:
        return (0.0, 1.0)
    rate, z2 = successes / n, z * z
    middle = (rate + z2 / (2 * n)) / (1 + z2 / n)
    half = z / (1 + z2 / n) * math.sqrt(rate * (1 - rate) / n + z2 / (4 * n * n))
    return (max(0.0, middle - half), min(1.0, middle + half))


def mcnemar(only_first: int, only_second: int) -> float:
    """Exact two-sided p that two models differ, from the episodes that only one of them passed."""
    n = only_first + only_second
    if n == 0:
        return 1.0
    tail = sum(math.comb(n, k) for k in range(min(only_first, only_second) + 1)) / 2**n
    return min(1.0, 2 * tail)


@dataclass(frozen=True)
class Paired:
    """Two ways of doing the same episodes: how many both passed, one only, none."""

    both: int
    only_first: int
    only_second: int
    neither: int

    @classmethod
    def of(cls, pairs: Iterable[tuple[bool, bool]]) -> Paired:
        """From (first passed, second passed) of each episode."""
        counts = Counter((bool(a), bool(b)) for a, b in pairs)
        return cls(counts[True, True], counts[True, False], counts[False, True], counts[False, False])

    @property
    def n(self) -> int:
        return self.both + self.only_first + self.only_second + self.neither

    @property
    def difference(self) -> float:
        """Rate of the first less that of the second."""
        return (self.only_first - self.only_second) / self.n if self.n else 0.0

    @property
    def interval95(self) -> tuple[float, float]:
        """Of the difference: Newcombe's score interval for paired rates (R. G. Newcombe 1998, Statistics in
        Medicine 17, 2635-2650, method 10); (-1, 1) when nothing was tried."""
        n, a, b, c, d = self.n, self.both, self.only_first, self.only_second, self.neither
        if n == 0:
            return (-1.0, 1.0)
        first, second = (a + b) / n, (a + c) / n
        (l1, u1), (l2, u2) = wilson(a + b, n), wilson(a + c, n)
        margins = (a + b) * (c + d) * (a + c) * (b + d)
        agreement = float(a * d - b * c)
        if agreement > 0:
            agreement = max(agreement - n / 2, 0)
        phi = agreement / math.sqrt(margins) if margins else 0.0

        def reach(x: float, y: float) -> float:
            return math.sqrt(max(x * x - 2 * phi * x * y + y * y, 0.0))

        low = self.difference - reach(first - l1, u2 - second)
        high = self.difference + reach(u1 - first, second - l2)
        return (max(-1.0, low), min(1.0, high))

    @property
    def p(self) -> float:
        """Exact two-sided p of McNemar's test."""
        return mcnemar(self.only_first, self.only_second)

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        low, high = self.interval95
        return {
            "n": self.n,
            "both": self.both,
            "only_first": self.only_first,
            "only_second": self.only_second,
            "neither": self.neither,
            "difference": round(self.difference, 4),
            "interval95": [round(low, 4), round(high, 4)],
            "p": self.p,
        }


@dataclass(frozen=True)
class Rate:
    """Successes among tries, with the 95 % interval."""

    passed: int
    n: int

    @property
    def value(self) -> float:
        return self.passed / self.n if self.n else 0.0

    @property
    def wilson95(self) -> tuple[float, float]:
        return wilson(self.passed, self.n)

    def as_dict(self) -> dict[str, object]:
        """The figures of a report's cell."""
        low, high = self.wilson95
        return {
            "n": self.n,
            "passed": self.passed,
            "success": round(self.value, 4),
            "wilson95": [round(low, 4), round(high, 4)],
        }

    def __str__(self) -> str:
        low, high = self.wilson95
        return f"{100 * self.value:.1f} % ({100 * low:.1f}..{100 * high:.1f}, n={self.n})"
