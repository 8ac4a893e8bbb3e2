"""Waiting for the graph: a model on its way is waited for, whatever else is missing is told in time."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus

from mmrobot.errors import DeadlineError, ErrorCode
from mmrobot.ros import client as client_module
from mmrobot.ros.client import Follow, RobotClient

OK, WARN, ERROR = DiagnosticStatus.OK, DiagnosticStatus.WARN, DiagnosticStatus.ERROR


class Client(RobotClient):
    """Without a graph: hears what a test says."""

    def __init__(self) -> None:
        self.node = SimpleNamespace(get_namespace=lambda: "/")
        self.health, self.model_fault, self.recorder = None, None, None
        self._loading_told_s = float("-inf")

    def hear(self, **levels: bytes) -> None:
        status = [
            DiagnosticStatus(name=f"vlm: {part}", hardware_id=part, level=level, message="not yet")
            for part, level in levels.items()
        ]
        self._take_health(DiagnosticArray(status=status))


def test_a_model_that_is_loading_is_waited_for() -> None:
    client, ticks = Client(), []

    def tick(_: object) -> None:
        ticks.append(1)
        client.hear(camera=OK, model=WARN if len(ticks) < 5 else OK)

    client.wait_ready(0.0, tick)
    assert len(ticks) == 5


@pytest.mark.parametrize(("camera", "model"), [(ERROR, WARN), (ERROR, OK)])
def test_anything_else_that_is_missing_is_told_in_time(camera: bytes, model: bytes) -> None:
    client = Client()
    with pytest.raises(DeadlineError, match="not ready after 0 s: camera: not yet"):
        client.wait_ready(0.0, lambda _: client.hear(camera=camera, model=model))


def test_a_node_that_tells_no_more_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "TOLD_S", 0.0)
    client = Client()
    client.hear(camera=OK, model=WARN)
    with pytest.raises(DeadlineError, match="model: not yet"):
        client.wait_ready(0.0, lambda _: None)


def test_a_recording_that_was_asked_for_is_waited_for() -> None:
    client, ticks = Client(), []

    def tick(_: object) -> None:
        ticks.append(1)
        client.hear(camera=OK, model=OK)
        if len(ticks) > 2:
            level = OK if len(ticks) > 4 else WARN
            told = DiagnosticStatus(name="recorder: recording", level=level, message="nothing of image yet")
            client._take_health(DiagnosticArray(status=[told]))

    client.wait_ready(5.0, tick)
    assert len(ticks) == 1
    client.wait_ready(5.0, tick, recording=True)
    assert len(ticks) == 5
    client.recorder = "nothing of image yet"
    with pytest.raises(DeadlineError, match="recorder: nothing of image yet"):
        client.wait_ready(0.0, lambda _: None, recording=True)


class Beats:
    """What was heard of the vlm node."""

    def __init__(self) -> None:
        self.gone: list[str] = []

    def turn(self) -> bool:
        return True

    def missing(self, names: object, limit_s: float, lives: object) -> list[str]:
        return self.gone


def test_an_instruction_ends_in_words_when_the_vlm_node_dies() -> None:
    client, beats, told = Client(), Beats(), []
    client.monitor = beats  # type: ignore[assignment]
    known, unknown = Follow("pick up the cube"), Follow("nobody was heard when it was said")
    client._under_way = {
        1: (known, told.append, {"vlm": "a"}),
        2: (unknown, told.append, {}),
    }
    client._watch()
    assert not known.done.is_set()
    beats.gone = ["vlm"]
    client._watch()
    client._watch()
    assert known.done.is_set() and told == [known]
    assert known.error is not None and known.error.code is ErrorCode.ROBOT_UNAVAILABLE
    assert "'vlm'" in known.error.message and "pick up the cube" in known.error.message and known.error.fix
    assert not unknown.done.is_set()
