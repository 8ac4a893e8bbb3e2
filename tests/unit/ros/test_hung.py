"""A process that worked and is silent is hung; one that starts, loads or was never heard is not."""

from __future__ import annotations

import pytest

from mmrobot.ros.hung import hung


class Beats:
    """What a HeartbeatMonitor tells of one node."""

    def __init__(self, since_s: float, silent: bool, idle: bool = False) -> None:
        self.since_s, self.silent, self.is_idle = since_s, silent, idle

    def life_since_s(self, _: str) -> float:
        return self.since_s

    def missing(self, names: list[str], _: float) -> list[str]:
        return names if self.silent else []

    def idle(self, names: list[str]) -> list[str]:
        return names if self.is_idle else []


@pytest.mark.parametrize(
    ("beats", "hangs"),
    [
        (Beats(12.0, silent=True), True),
        (Beats(12.0, silent=False), False),
        (Beats(12.0, silent=True, idle=True), False),  # it loads a model
        (Beats(8.0, silent=True), False),  # the last beats were of the process before
        (Beats(float("-inf"), silent=True), False),  # it has no beat
    ],
)
def test_what_worked_and_is_silent_hangs(beats: Beats, hangs: bool) -> None:
    assert hung(beats, {"vlm": 10.0}) == (["vlm"] if hangs else [])  # type: ignore[arg-type]
