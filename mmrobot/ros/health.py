"""What works and what is missing: /diagnostics once a second, and `status` when it changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.node import Node

from mmrobot.errors import MmrobotError, ModelUnavailableError
from mmrobot.ros.qos import STATE
from mmrobot.ros.status import StatusPublisher

Problems = Callable[[], list[tuple[str, MmrobotError | None]]]
Facts = Callable[[], Mapping[str, str]]


class StillLoadingError(ModelUnavailableError):
    """The model is on its way: waiting helps."""


class HealthReporter:
    """Asks `problems` for (part, error or None) and tells; `facts` of a part are told in any case."""

    def __init__(
        self,
        node: Node,
        status: StatusPublisher,
        problems: Problems,
        facts: Mapping[str, Facts] | None = None,
        ready: str = "camera, model and robot are ready",
    ) -> None:
        self._ready = ready
        self._node, self._status, self._problems = node, status, problems
        self._facts = facts or {}
        self._out = node.create_publisher(DiagnosticArray, "/diagnostics", STATE)
        self._told: tuple[str, ...] | None = None

    def report(self) -> None:
        """One round."""
        parts = self._problems()
        message = DiagnosticArray(status=[self._diagnostic(part, error) for part, error in parts])
        message.header.stamp = self._node.get_clock().now().to_msg()
        self._out.publish(message)
        faulty = [(part, error) for part, error in parts if error is not None]
        names = tuple(part for part, _ in faulty)
        if names == self._told:
            return
        self._told = names
        if not faulty:
            self._status.report("ready", self._ready, missing=[])
            return
        words = "; ".join(f"{part}: {error.message}" for part, error in faulty)
        self._status.report("not_ready", f"waiting for {words}", missing=list(names))

    def _diagnostic(self, part: str, error: MmrobotError | None) -> DiagnosticStatus:
        facts = dict(self._facts[part]()) if part in self._facts else {}
        message = DiagnosticStatus(
            level=DiagnosticStatus.OK,
            name=f"{self._node.get_fully_qualified_name().strip('/')}: {part}",
            message="ok",
            hardware_id=part,
        )
        if error is not None:
            waiting = isinstance(error, StillLoadingError)
            message.level = DiagnosticStatus.WARN if waiting else DiagnosticStatus.ERROR
            message.message = error.message
            facts |= {"code": error.code.name, "fix": error.fix}
        message.values = [KeyValue(key=key, value=value) for key, value in facts.items()]
        return message
