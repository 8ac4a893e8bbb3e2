"""Growth is a slope with its interval; a task or a bring-up that fails is counted and named."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from mmrobot.errors import RobotUnavailableError
from mmrobot.evals import soak as module
from mmrobot.evals.soak import DONE, LEAST_SAMPLES, Soak, bring_up, resident_mb, slope


def samples(mb_per_hour: float, noise_mb: float, n: int = 200) -> list[tuple[float, float]]:
    random = np.random.default_rng(3)
    times_s = np.linspace(0.0, 3600.0, n)
    # What fills up at first is no growth.
    warm = np.where(times_s < 700.0, -40.0, 0.0)
    sizes_mb = 200.0 + warm + mb_per_hour * times_s / 3600.0 + random.normal(0, noise_mb, n)
    return list(zip(times_s, sizes_mb, strict=True))


@pytest.mark.parametrize("mb_per_hour", [0.0, 5.0, -3.0])
def test_the_slope_is_found_within_its_interval(mb_per_hour: float) -> None:
    found = slope(samples(mb_per_hour, 0.5))
    assert found is not None and found.n == 150
    assert found.low < mb_per_hour < found.high and found.high - found.low < 1.0


def test_few_samples_have_no_slope() -> None:
    assert slope(samples(1.0, 0.1, LEAST_SAMPLES)) is None and slope([]) is None


def test_memory_is_that_of_the_process() -> None:
    assert 5.0 < resident_mb(os.getpid()) < 5000.0
    with pytest.raises(FileNotFoundError):
        resident_mb(2**30)


class Rig:
    def __init__(self, code: str, pid: int) -> None:
        self.nodes = SimpleNamespace(pids={"vlm": pid})
        self.code = code

    def instruct(self, _: str) -> Any:
        return SimpleNamespace(code=self.code, words="")


@pytest.mark.parametrize(
    ("code", "pid", "result"),
    [(DONE, 2**30, DONE), ("NO_CAMERA", 2**30, "no plan: NO_CAMERA"), (DONE, os.getpid(), "vlm left behind")],
    ids=["well", "no plan", "left behind"],
)
def test_a_bring_up_needs_a_plan_and_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, code: str, pid: int, result: str
) -> None:
    @contextmanager
    def rig(*_: Any) -> Iterator[Rig]:
        yield Rig(code, pid)

    monkeypatch.setattr(module, "running_rig", rig)
    found, told = Soak(), []
    bring_up(found, tmp_path, 1.0, told.append)
    assert found.bringups == [result] and told == [f"bring-up 1: {result}"]
    assert found.ok is (result == DONE) and len(found.up_s) == len(found.down_s) == 1
    assert found.as_dict()["bringups"]["n"] == 1


def test_a_graph_that_does_not_come_up_is_counted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def fails(*_: Any) -> None:
        raise RobotUnavailableError("no arm", "wait")

    monkeypatch.setattr(module, "running_rig", fails)
    found = Soak(tasks=[DONE, DONE, "STALE: old"])
    bring_up(found, tmp_path, 1.0, print)
    told = found.as_dict()
    assert not found.ok and told["bringups"]["failed"] == ["1: RobotUnavailableError: no arm"]
    assert told["tasks"]["done"] == 2 and told["tasks"]["failed"] == ["3: STALE: old"]
    assert 0.2 < told["tasks"]["wilson95"][0] < 2 / 3 < told["tasks"]["wilson95"][1] < 1.0
