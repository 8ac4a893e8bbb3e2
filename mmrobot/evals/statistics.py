"""Rates with their uncertainty: Wilson intervals, and McNemar's test for two models on the same episodes."""

from __future__ import annotations

import math
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
