"""What the recorder takes for a failure, and what its film says below the picture."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from mmrobot.ros.film import Film
from mmrobot.ros.recorder_node import EVERYDAY, RecorderNode
from mmrobot.types import ActionPlan, PlanStep


def fault(*contents: dict) -> str:
    """What the last of several statuses is taken for."""
    recorder, told = SimpleNamespace(_was_ready=False), ""
    for content in contents:
        told = RecorderNode._fault(recorder, content)  # type: ignore[arg-type]
    return told


def failed(code: str) -> dict:
    return {"node": "vlm", "state": "failed", "message": "m", "error": {"code": code}}


@pytest.mark.parametrize(
    "code", ["TARGET_NOT_FOUND", "GRASP_FAILED", "STOPPED", "UNSAFE", "ROBOT_UNAVAILABLE"]
)
def test_failures_are_worth_a_file(code: str) -> None:
    assert fault(failed(code)) == f"failed {code}"


@pytest.mark.parametrize("code", sorted(EVERYDAY))
def test_everyday_words_are_not(code: str) -> None:
    assert fault(failed(code)) == ""


def test_faults_in_status() -> None:
    ready, lost = {"node": "vlm", "state": "ready"}, {"node": "vlm", "state": "not_ready"}
    assert fault(lost) == "", "at the start everything is missing"
    assert fault(ready, lost) == "vlm not ready"
    assert fault(ready, lost, lost) == "", "told once"
    assert fault({"node": "arm_server", "state": "held", "message": "no heartbeat"}) == "arm held"
    assert fault({"node": "vlm", "state": "held", "message": "hold on"}) == ""
    assert fault({"node": "executor", "state": "phase", "message": "approach"}) == ""
    assert fault({}) == ""


def test_the_film_tells_step_and_end(tmp_path: Path) -> None:
    film = Film(tmp_path / "a.mp4", with_spectator=False)
    step = PlanStep(0, "home")
    film.take_plan(ActionPlan("p", "go home", (step,), 0, "m"))
    film.take_status({"node": "vlm", "state": "planning", "instruction": "go home", "message": "looking"})
    assert film._caption.title == "go home" and film._caption.detail == "looking"
    film.take_status({"node": "executor", "state": "phase", "step": 0, "steps": 1, "message": "moving"})
    assert film._caption.detail == "step 1 of 1: home (moving)" and film._caption.success is None
    film.take_status({"node": "vlm", "state": "failed", "instruction": "go home", "message": "blocked"})
    assert film._caption.success is False
    film.take_status({"state": "odd"})
    film.write(np.zeros((48, 64, 3), np.uint8))
    film.close()
    assert (tmp_path / "a.mp4").stat().st_size > 0


def test_a_full_disk_ends_the_recording_and_is_told() -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    said: list[str] = []
    logger = SimpleNamespace(error=lambda words, **_: said.append(words))
    recorder = SimpleNamespace(_lost="", get_logger=lambda: logger)
    assert RecorderNode._writing(recorder, "messages", lambda: None)  # type: ignore[arg-type]
    assert recorder._lost == "" and not said
    assert not RecorderNode._writing(recorder, "messages", full)  # type: ignore[arg-type]
    assert "cannot record any more" in recorder._lost and "No space left" in said[0]
