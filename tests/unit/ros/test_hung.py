"""A process that worked and is silent is hung; one that starts, loads or was never heard is not."""

from __future__ import annotations

from mmrobot.ros.hung import HungWatch


class Beats:
    """What a HeartbeatMonitor tells."""

    def __init__(self) -> None:
        self.heard: dict[str, str] = {}
        self.silent: list[str] = []
        self.waiting: list[str] = []

    def lives(self, names) -> dict[str, str]:  # type: ignore[no-untyped-def]
        return {name: self.heard[name] for name in names if name in self.heard}

    def missing(self, names, limit_s: float) -> list[str]:  # type: ignore[no-untyped-def]
        return [name for name in names if name in self.silent]

    def idle(self, names) -> list[str]:  # type: ignore[no-untyped-def]
        return [name for name in names if name in self.waiting]


def test_what_worked_and_is_silent_hangs() -> None:
    beats = Beats()
    watch = HungWatch(beats)  # type: ignore[arg-type]
    beats.heard = {"vlm": "a"}
    assert watch.hung({"vlm": 1}) == []
    beats.silent = ["vlm"]
    assert watch.hung({"vlm": 1}) == ["vlm"]


def test_what_never_beats_is_left_alone() -> None:
    beats = Beats()
    beats.silent = ["simulator"]
    assert HungWatch(beats).hung({"simulator": 1}) == []  # type: ignore[arg-type]


def test_what_loads_a_model_is_left_alone() -> None:
    beats = Beats()
    beats.heard, beats.silent, beats.waiting = {"vlm": "a"}, ["vlm"], ["vlm"]
    assert HungWatch(beats).hung({"vlm": 1}) == []  # type: ignore[arg-type]


def test_a_new_process_is_not_judged_by_the_last_beat_of_the_old_one() -> None:
    beats = Beats()
    watch = HungWatch(beats)  # type: ignore[arg-type]
    beats.heard = {"vlm": "a"}
    watch.hung({"vlm": 1})
    beats.silent = ["vlm"]
    assert watch.hung({"vlm": 2}) == []
    beats.heard = {"vlm": "b"}
    assert watch.hung({"vlm": 2}) == ["vlm"]
