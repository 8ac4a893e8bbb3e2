"""The Robot protocol over the `execute_skill` action: whoever serves it is the robot."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from rclpy.node import Node

from mmrobot.errors import ErrorCode, RobotUnavailableError
from mmrobot.execution.robot import SkillStatus
from mmrobot.ros.action_caller import ActionCall, ActionCaller
from mmrobot.ros.messages import error_code, step_to_message
from mmrobot.ros.stop_listener import StopListener
from mmrobot.types import PlanStep
from mmrobot_msgs.action import ExecuteSkill

ACCEPT_TIMEOUT_S = 5.0


class RemoteRobot:
    """One skill at a time on a robot elsewhere. No call waits; answers arrive in callbacks.

    A skill that was stopped may not have ended there when the next is started: that one is sent once it has.
    """

    def __init__(self, node: Node, stops: StopListener) -> None:
        self._stops = stops
        self._caller = ActionCaller(node, ExecuteSkill, "execute_skill")
        self._lock = threading.Lock()
        # Answers to goals of an earlier number come too late and are dropped.
        self._number = 0
        self._call: ActionCall | None = None
        self._sent = 0
        self._leaving: int | None = None
        self._next: Callable[[], None] | None = None
        self._accepted = False
        self._status = SkillStatus(done=True)
        self._sent_s = 0.0

    def start(self, step: PlanStep) -> None:
        """Send a skill; raises RobotUnavailableError when nobody serves it."""
        if not self._caller.ready:
            raise RobotUnavailableError(
                "nobody serves the action 'execute_skill'",
                "start the arm server, or the robot's own skill server",
            )
        with self._lock:
            self._number += 1
            number = self._number
            self._accepted = False
            self._status = SkillStatus(done=False, phase="sent")
            self._sent_s = time.monotonic()
            if self._leaving is not None:
                self._next = lambda: self._send(step, number)
                return
            self._send(step, number)

    def _send(self, step: PlanStep, number: int) -> None:
        """Under the lock."""
        self._sent = number
        self._call = self._caller.send(
            ExecuteSkill.Goal(step=step_to_message(step), stops_heard=self._stops.heard()),
            on_end=lambda result: self._take_result(number, result),
            on_feedback=lambda feedback: self._take_feedback(number, feedback),
            on_accepted=lambda: self._take_acceptance(number),
        )

    def poll(self) -> SkillStatus:
        """How the skill stands; a server that does not answer within ACCEPT_TIMEOUT_S is gone."""
        with self._lock:
            waiting = not self._status.done and not self._accepted
            if waiting and time.monotonic() - self._sent_s > ACCEPT_TIMEOUT_S:
                self._number += 1
                self._leaving = self._next = None
                self._status = SkillStatus(
                    True,
                    ErrorCode.ROBOT_UNAVAILABLE,
                    f"no answer from 'execute_skill' within {ACCEPT_TIMEOUT_S} s",
                )
            return self._status

    def stop(self) -> None:
        """Cancel the skill, if one runs. The arm server hears every stop itself as well."""
        with self._lock:
            call, self._call, self._next = self._call, None, None
            if call is not None:
                # Not `_number`: that one has moved on where its acceptance was given up.
                self._leaving = self._sent
            self._number += 1
            self._status = SkillStatus(True, ErrorCode.STOPPED, "stopped")
        if call is not None:
            call.cancel()

    def forget(self) -> None:
        """The server has started anew: it knows of no skill, and will tell of no end."""
        with self._lock:
            self._leaving = None

    def _take_acceptance(self, number: int) -> None:
        with self._lock:
            self._accepted = self._accepted or number == self._number

    def _take_feedback(self, number: int, feedback: ExecuteSkill.Feedback) -> None:
        with self._lock:
            if number == self._number and not self._status.done:
                self._status = SkillStatus(False, phase=feedback.phase, progress=feedback.progress)

    def _take_result(self, number: int, result: Any | None) -> None:
        if result is not None and result.error_code == ErrorCode.STOPPED:
            self._stops.know(result.stops_heard)
        with self._lock:
            if number == self._leaving:
                self._leaving = None
                send, self._next = self._next, None
                if send is not None:
                    send()
            if number != self._number:
                return
            self._call = None
            if result is None:
                self._status = SkillStatus(True, ErrorCode.BUSY, "the robot refused the skill: it is busy")
                return
            code = error_code(result.error_code)
            self._status = SkillStatus(True, code, result.error_message, phase="done", progress=1.0)
