"""One skill at a time on a robot elsewhere, however late that one says that the last has ended."""

from __future__ import annotations

from typing import Any

import pytest

from mmrobot.errors import ErrorCode
from mmrobot.ros import remote_robot
from mmrobot.types import PlanStep
from mmrobot_msgs.action import ExecuteSkill

HOME, SAY = PlanStep(index=0, skill="home"), PlanStep(index=1, skill="say", text="hello")


class Call:
    def __init__(self, skill: str, on_end: Any) -> None:
        self.skill, self.on_end, self.cancelled = skill, on_end, False

    def cancel(self) -> None:
        self.cancelled = True

    def end(self, code: ErrorCode) -> None:
        self.on_end(ExecuteSkill.Result(error_code=int(code), error_message=code.name))


class Caller:
    ready = True

    def __init__(self, *_: Any) -> None:
        self.calls: list[Call] = []

    def send(self, goal: Any, on_end: Any, on_feedback: Any, on_accepted: Any) -> Call:
        self.calls.append(Call(goal.step.skill, on_end))
        return self.calls[-1]


class Stops:
    def heard(self) -> list[int]:
        return []

    def know(self, stops: Any) -> None:
        pass


@pytest.fixture
def robot(monkeypatch: pytest.MonkeyPatch) -> remote_robot.RemoteRobot:
    monkeypatch.setattr(remote_robot, "ActionCaller", Caller)
    return remote_robot.RemoteRobot(None, Stops())  # type: ignore[arg-type]


def calls(robot: remote_robot.RemoteRobot) -> list[Call]:
    return robot._caller.calls  # type: ignore[attr-defined,no-any-return]


def test_the_next_skill_is_sent_once_the_stopped_one_has_ended(robot: remote_robot.RemoteRobot) -> None:
    robot.start(HOME)
    robot.stop()
    robot.start(SAY)
    assert [c.skill for c in calls(robot)] == ["home"] and calls(robot)[0].cancelled
    assert not robot.poll().done
    calls(robot)[0].end(ErrorCode.CANCELLED)
    assert [c.skill for c in calls(robot)] == ["home", "say"]
    assert not robot.poll().done
    calls(robot)[1].end(ErrorCode.NONE)
    assert robot.poll().done and robot.poll().code is ErrorCode.NONE


def test_what_waits_is_dropped_by_a_stop(robot: remote_robot.RemoteRobot) -> None:
    robot.start(HOME)
    robot.stop()
    robot.start(SAY)
    robot.stop()
    calls(robot)[0].end(ErrorCode.CANCELLED)
    assert [c.skill for c in calls(robot)] == ["home"]
    assert robot.poll().code is ErrorCode.STOPPED


def test_after_a_skill_that_ended_the_next_is_sent_at_once(robot: remote_robot.RemoteRobot) -> None:
    robot.start(HOME)
    calls(robot)[0].end(ErrorCode.NONE)
    robot.stop()
    robot.start(SAY)
    assert [c.skill for c in calls(robot)] == ["home", "say"]


def test_a_robot_that_started_anew_is_asked_at_once(robot: remote_robot.RemoteRobot) -> None:
    robot.start(HOME)
    robot.stop()
    robot.forget()
    robot.start(SAY)
    assert [c.skill for c in calls(robot)] == ["home", "say"]


def test_one_that_accepted_too_late_is_waited_for_and_then_asked_again(
    robot: remote_robot.RemoteRobot, monkeypatch: pytest.MonkeyPatch
) -> None:
    robot.start(HOME)
    with monkeypatch.context() as late:
        late.setattr(remote_robot, "ACCEPT_TIMEOUT_S", -1.0)
        assert robot.poll().code is ErrorCode.ROBOT_UNAVAILABLE
    robot.stop()  # as the runner does with a skill that failed
    robot.start(SAY)
    assert [c.skill for c in calls(robot)] == ["home"] and calls(robot)[0].cancelled
    calls(robot)[0].end(ErrorCode.CANCELLED)
    assert [c.skill for c in calls(robot)] == ["home", "say"]


def test_a_robot_that_never_says_so_is_gone_and_then_asked_again(
    robot: remote_robot.RemoteRobot, monkeypatch: pytest.MonkeyPatch
) -> None:
    robot.start(HOME)
    robot.stop()
    robot.start(SAY)
    monkeypatch.setattr(remote_robot, "ACCEPT_TIMEOUT_S", -1.0)
    assert robot.poll().code is ErrorCode.ROBOT_UNAVAILABLE
    robot.start(SAY)
    assert [c.skill for c in calls(robot)] == ["home", "say"]
