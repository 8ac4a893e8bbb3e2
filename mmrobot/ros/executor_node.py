"""Carries plans out: `execute_plan` in, `execute_skill` and `locate` out, stop at any time.

    python -m mmrobot.ros.executor_node --ros-args -p config:=config/mmrobot.yaml

A lifecycle node: plans are taken only while it is active, deactivating it stops the robot, and cleaning up
forgets what the hand holds. Stop is heard in every state. The Runner is ticked by a wall timer and never
waits; one lock guards it, since stop comes from another thread than the ticks.
"""

from __future__ import annotations

import threading
from typing import Any

from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.action.server import ServerGoalHandle
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.clock import Clock, ClockType
from std_msgs.msg import Empty
from std_srvs.srv import Trigger

from mmrobot.config import Config
from mmrobot.errors import (
    BusyError,
    ErrorCode,
    MmrobotError,
    ModelReplyInvalidError,
    ModelUnavailableError,
    RobotUnavailableError,
    StoppedError,
)
from mmrobot.execution.events import EventKind, RunnerEvent, RunnerState
from mmrobot.execution.hand import HandFollower
from mmrobot.execution.runner import Runner
from mmrobot.ros.deferred_goal import DeferredGoal
from mmrobot.ros.emergency_stop import EmergencyStop
from mmrobot.ros.heartbeat import CATCH_UP_S, Heartbeat, HeartbeatMonitor
from mmrobot.ros.live_settings import LiveSettings
from mmrobot.ros.managed import ManagedNode
from mmrobot.ros.messages import object_to_message, plan_from_message
from mmrobot.ros.node_process import run_node
from mmrobot.ros.parameters import declare_config
from mmrobot.ros.qos import COMMAND, LATCHED
from mmrobot.ros.remote_looker import RemoteLooker
from mmrobot.ros.remote_robot import RemoteRobot
from mmrobot.ros.status import StatusPublisher
from mmrobot.ros.stop_listener import StopListener
from mmrobot.safety.gate import SafetyGate
from mmrobot_msgs.action import ExecutePlan
from mmrobot_msgs.msg import GroundedObject as GroundedObjectMsg

WATCHED = ("arm_server", "vlm")
LIVE = (
    "gate.min_confidence",
    "gate.max_target_age_s",
    "runner.look_timeout_s",
    "runner.step_timeout_s",
    "runner.plan_timeout_s",
    "runner.grasp_retries",
    "runner.place_retries",
    "runner.look_retries",
    "runner.repairs",
    "runner.verify_place",
    "runner.verify_tolerance_m",
)
"""Settings that are parameters too, changed while the node runs: each is asked anew where it is used."""
HEARD_S = 3.0
PHASES = {
    RunnerState.STARTING: "checking",
    RunnerState.LOOKING: "looking",
    RunnerState.MOVING: "acting",
    RunnerState.HOMING: "looking",
    RunnerState.VERIFYING: "verifying",
    RunnerState.CHECKING: "verifying",
}


class ExecutorNode(ManagedNode):
    """Serves `execute_plan`, `stop` and `emergency_stop`; publishes `status` and what the hand holds."""

    def __init__(self) -> None:
        super().__init__("executor")
        settings = LiveSettings(self, declare_config(self), LIVE, self._use)
        self._config = settings.config
        self._gate = SafetyGate(self._config)
        # The arm server holds by itself at the heartbeat's timeout_s; here a plan is given up.
        self._silence_limit_s = self._config.heartbeat.give_up_s
        self._lock = threading.RLock()
        self._goal: DeferredGoal | None = None
        self._done_steps: set[int] = set()
        self._stops = StopListener(self, lambda reason, _: self._stop(reason))
        self._robot = RemoteRobot(self, self._stops)
        self._looker = RemoteLooker(self)
        self._make_runner()
        self._status = StatusPublisher(self)
        self._stop_out = self.create_publisher(Empty, "stop_all", COMMAND)
        self._held_out = self.create_publisher(GroundedObjectMsg, "~/held", LATCHED)
        self._held_label: str | None = None
        # A new start holds nothing that it knows of; what was told in the life before no longer counts.
        self._held_out.publish(GroundedObjectMsg())
        self._emergency = EmergencyStop(self, self._stop_all)
        self._monitor = HeartbeatMonitor(self, self._config.runner.tick_s, CATCH_UP_S)
        self._lives: dict[str, str] = {}
        self._server = ActionServer(
            self,
            ExecutePlan,
            "execute_plan",
            execute_callback=lambda handle: ExecutePlan.Result(),
            goal_callback=lambda _: GoalResponse.ACCEPT,
            handle_accepted_callback=self._accept,
            cancel_callback=self._cancel,
            callback_group=MutuallyExclusiveCallbackGroup(),
        )
        self.create_service(
            Trigger, "stop", self._serve_stop, callback_group=MutuallyExclusiveCallbackGroup()
        )
        self.create_timer(
            self._config.runner.tick_s,
            self._tick,
            callback_group=MutuallyExclusiveCallbackGroup(),
            clock=Clock(clock_type=ClockType.STEADY_TIME),
        )
        self._heartbeat = Heartbeat(self, "executor", lambda: self.state)
        self.begin()

    def _make_runner(self) -> None:
        self._runner = Runner(self._robot, self._looker, self._gate, self._config)
        self._hand = HandFollower(self._runner)

    def _use(self, config: Config) -> None:
        """Another configuration, from the next question on that is put to it."""
        with self._lock:
            self._config = self._gate.config = config
            self._runner.use(config)

    # -- lifecycle ---------------------------------------------------------------------------------

    def activate(self) -> None:
        """Wait a moment for those without whom plans are refused: a new process hears them late. Whoever is
        missing then is told of in the refusals."""
        self._monitor.await_heard(WATCHED, HEARD_S)

    def deactivate(self) -> None:
        """Hold the robot, end the running goal."""
        self._stop_all("the executor was deactivated")

    def cleanup(self) -> None:
        """Forget what the hand holds, and all tries."""
        with self._lock:
            self._end_if_over()
            self._make_runner()
            self._publish([])

    def tell(self, state: str, message: str, error: MmrobotError | None = None) -> None:
        """To `status`."""
        self._status.report(state, message, error)

    def close(self) -> None:
        """Hold the robot, end the running goal."""
        super().close()
        self._stop("the executor shuts down")
        self._heartbeat.close()

    def _now_s(self) -> float:
        return float(self.get_clock().now().nanoseconds) / 1e9

    def _accept(self, handle: ServerGoalHandle) -> None:
        goal = DeferredGoal(handle)
        self._stops.know(goal.request.stops_heard)
        with self._lock:
            try:
                self._end_if_over()
                self._emergency.check()
                if not self.active:
                    raise RobotUnavailableError(
                        f"the executor carries nothing out: it is {self.state}", self.how_to_activate
                    )
                if self._goal is not None:
                    raise BusyError("another plan is being carried out", "stop it first, or wait for its end")
                if self._stops.missed_by(goal.request.stops_heard):
                    raise StoppedError("a stop came before the plan", "give a new one when it is safe")
                missing = self._monitor.missing(WATCHED, self._silence_limit_s)
                if missing:
                    raise self._silent(missing)
                if self._now_s() <= 0:
                    raise RobotUnavailableError("no '/clock' has arrived yet", "start the simulator, or wait")
                try:
                    plan = plan_from_message(goal.request.plan)
                except ValueError as error:
                    raise ModelReplyInvalidError(
                        f"plan refused: {error}", "publish plans unchanged"
                    ) from error
                self._gate.check_plan(plan, self.get_clock().now().nanoseconds, self._runner.held)
                if self._monitor.reborn(["arm_server"], self._lives):
                    self._robot.forget()
                self._runner.start(plan)
            except MmrobotError as error:
                self._status.report("refused", error.message, error)
                steps = len(goal.request.plan.steps)
                goal.finish(self._result(error.code, error.message, error.fix, steps))
                return
            self._goal, self._done_steps = goal, set()
            self._lives = self._monitor.lives(WATCHED)

    def _cancel(self, handle: ServerGoalHandle) -> CancelResponse:
        with self._lock:
            goal = self._goal
            if goal is not None and goal.is_of(handle):
                self._publish(self._runner.stop("the plan was cancelled", ErrorCode.CANCELLED))
                # Finished by the next tick, once rclpy has set the goal to canceling.
        return CancelResponse.ACCEPT

    def _serve_stop(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        response.success = True
        response.message = self._stop_all("the stop service was called")
        return response

    def _stop_all(self, reason: str) -> str:
        # To the arm server first, and before the lock: it is what moves.
        self._stop_out.publish(Empty())
        return self._stop(reason)

    def _stop(self, reason: str) -> str:
        with self._lock:
            running = self._runner.status.state.running
            self._publish(self._runner.stop(reason))
            return "stopped" if running else "nothing was running; the robot holds still"

    def _silent(self, names: list[str]) -> MmrobotError:
        kind = RobotUnavailableError if "arm_server" in names else ModelUnavailableError
        limit = self._silence_limit_s
        return kind(
            f"no heartbeat of {' and '.join(names)} for over {limit:g} s, or a new start of it",
            "see that these nodes run, then give the instruction again",
        )

    def _tick(self) -> None:
        self._monitor.turn()
        with self._lock:
            if self._goal is None:
                return
            missing = self._monitor.missing(WATCHED, self._silence_limit_s, self._lives)
            if missing and self._runner.status.state.running:
                error = self._silent(missing)
                self._publish(self._runner.stop(error.message, error.code))
            self._publish(self._runner.tick(self._now_s()))
            self._end_if_over()

    def _end_if_over(self) -> None:
        """Tell the goal's client of its end, once it has one."""
        with self._lock:
            status = self._runner.status
            if self._goal is None or status.state.running:
                return
            goal, self._goal = self._goal, None
            done = status.state is RunnerState.SUCCEEDED
            code = ErrorCode.NONE if done else status.code
            message = "" if done else status.message
            goal.finish(self._result(code, message, "", status.steps, status.report))

    def _result(self, code: ErrorCode, message: str, fix: str, steps: int, report: str = "") -> Any:
        return ExecutePlan.Result(
            report=report,
            success=code is ErrorCode.NONE,
            error_code=int(code),
            error_message=message,
            fix=fix,
            steps_done=len(self._done_steps),
            steps_total=steps,
            stops_heard=self._stops.heard(),
        )

    def _publish(self, events: list[RunnerEvent]) -> None:
        status = self._runner.status
        for event in events:
            self._hand.follow(event)
            if event.kind is EventKind.STEP_FINISHED and event.step_index is not None:
                self._done_steps.add(event.step_index)  # a step may be done again
            self._status.report(
                event.kind.value,
                event.message,
                step=event.step_index,
                steps=status.steps,
                time_s=event.time_s,
                code=event.code.name,
                skill=event.step.skill if event.step else "",
            )
            if event.kind is EventKind.SAID:
                self._status.say(event.message)
            elif event.kind is EventKind.PLAN_FINISHED and status.report:
                self._status.say(status.report)
            if self._goal is not None:
                self._goal.feedback(
                    ExecutePlan.Feedback(
                        step_index=event.step_index or 0,
                        steps_total=status.steps,
                        phase=PHASES.get(status.state, status.state.value),
                        message=event.message,
                    )
                )
        held = self._runner.held
        label = None if held is None else held.label
        if label != self._held_label:
            self._held_label = label
            self._held_out.publish(GroundedObjectMsg() if held is None else object_to_message(held))


def main() -> int:
    """Run the node."""
    return run_node(ExecutorNode, threads=6)


if __name__ == "__main__":
    raise SystemExit(main())
