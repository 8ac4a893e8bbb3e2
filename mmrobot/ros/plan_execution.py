"""The vlm node's side of `execute_plan`: a plan goes to the executor, and those needed for it are watched."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from rclpy.node import Node

from mmrobot.errors import ErrorCode, MmrobotError, RobotUnavailableError
from mmrobot.ros.action_caller import ActionCall, ActionCaller
from mmrobot.ros.heartbeat import HeartbeatMonitor
from mmrobot.ros.messages import error_code, plan_to_message
from mmrobot.ros.stop_listener import StopListener
from mmrobot.types import ActionPlan
from mmrobot_msgs.action import ExecutePlan

MEND_FIRST = "mend that, then give the instruction again"


class PlanExecution:
    """One plan at a time. `watched` are the nodes without which it cannot go on."""

    def __init__(
        self,
        node: Node,
        monitor: HeartbeatMonitor,
        stops: StopListener,
        watched: Sequence[str],
        silence_limit_s: float,
    ) -> None:
        self._monitor, self._stops = monitor, stops
        self._watched, self._silence_limit_s = watched, silence_limit_s
        self._executor = ActionCaller(node, ExecutePlan, "execute_plan")
        self._call: ActionCall | None = None
        self._lives: Mapping[str, str] = {}

    def begin(
        self,
        plan: ActionPlan,
        on_step: Callable[[int, str], None],
        on_end: Callable[[MmrobotError | None, int, str], None],
    ) -> None:
        """Send the plan to the executor; its answers arrive in callbacks. Raises RobotUnavailableError."""
        if not self._executor.ready:
            raise RobotUnavailableError("nobody serves the action 'execute_plan'", "start the executor node")

        def ended(result: ExecutePlan.Result | None) -> None:
            if result is None:
                on_end(RobotUnavailableError("the executor refused the plan", "start it again"), 0, "")
                return
            code = error_code(result.error_code)
            if code is ErrorCode.STOPPED:
                self._stops.know(result.stops_heard)
            error = None
            if code is not ErrorCode.NONE:
                error = MmrobotError(result.error_message, result.fix or MEND_FIRST)
                error.code = code
            on_end(error, int(result.steps_done), str(result.report))

        self._lives = self._monitor.lives(self._watched)
        self._call = self._executor.send(
            ExecutePlan.Goal(plan=plan_to_message(plan), stops_heard=self._stops.heard()),
            on_end=ended,
            on_feedback=lambda f: on_step(int(f.step_index), f.message),
        )

    def cancel(self) -> None:
        """Cancel the executor's goal, also one that it has not accepted yet."""
        call, self._call = self._call, None
        if call is not None:
            call.cancel()

    def silent(self) -> list[str]:
        """Watched nodes whose beat is missed, or that have started anew since the plan was sent."""
        return self._monitor.missing(self._watched, self._silence_limit_s, self._lives)

    def problems(self) -> list[tuple[str, MmrobotError | None]]:
        """Of each watched node what is wrong with it."""
        return [(name, self._problem(name)) for name in self._watched]

    def _problem(self, name: str) -> MmrobotError | None:
        if self._monitor.missing([name], self._silence_limit_s):
            return RobotUnavailableError(f"no heartbeat of '{name}'", "start the node")
        if self._monitor.idle([name]):
            return RobotUnavailableError(f"'{name}' is not active", "activate it: ros2 lifecycle set")
        return None
