"""A person's or program's side of the graph: say, stop, watch. One node on threads of its own."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import rclpy
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.clock import Clock, ClockType
from rclpy.context import Context
from rclpy.executors import ExternalShutdownException, InvalidHandle, MultiThreadedExecutor
from rclpy.signals import SignalHandlerOptions
from std_msgs.msg import Empty, String
from std_srvs.srv import SetBool, Trigger

from mmrobot.errors import (
    DeadlineError,
    ErrorCode,
    ExecutionFailedError,
    MmrobotError,
    RobotUnavailableError,
)
from mmrobot.ros.action_caller import ActionCall, ActionCaller
from mmrobot.ros.enclave import enclave_arguments
from mmrobot.ros.heartbeat import CATCH_UP_S, HeartbeatMonitor
from mmrobot.ros.messages import error_code, plan_from_message, pointing_to_message
from mmrobot.ros.qos import COMMAND, LATCHED, STATE
from mmrobot.ros.retarget import Retarget, retarget_to_message
from mmrobot.tabletop.goals import ObjectState, WorldState
from mmrobot.types import ActionPlan, Pointing
from mmrobot_msgs.action import FollowInstruction
from mmrobot_msgs.msg import ActionPlan as ActionPlanMsg
from mmrobot_msgs.srv import ApprovePlan, EditPlan

# A starved machine takes minutes to load a model's libraries. Its node tells of it every second meanwhile.
LOADING_S = 600.0
TOLD_S = 10.0
# A vlm node that is silent for so long carries nothing out any more: executor and arm gave up before.
SILENT_S, WATCH_S = 8.0, 0.5


@dataclass
class Follow:
    """An instruction under way; `done` is set at its end, `error` says why it failed."""

    instruction: str
    done: threading.Event = field(default_factory=threading.Event)
    error: MmrobotError | None = None
    plan: ActionPlan | None = None
    answer: str = ""
    report: str = ""
    steps_done: int = 0
    steps_total: int = 0
    call: ActionCall | None = None


class RobotClient:
    """Talks to the nodes of one ROS domain. A context manager; calls are made from any thread."""

    def __init__(self, domain: int | None = None, namespace: str = "", name: str = "mmrobot_client") -> None:
        self._context = Context()
        enclave = enclave_arguments(name, namespace)
        rclpy.init(
            args=["--ros-args", *enclave] if enclave else None,
            context=self._context,
            domain_id=domain,
            signal_handler_options=SignalHandlerOptions.NO,
        )
        self.node = rclpy.create_node(name, namespace=namespace or None, context=self._context)
        self._executor = MultiThreadedExecutor(num_threads=3, context=self._context)
        self._executor.add_node(self.node)
        self.on_status: Callable[[dict[str, Any]], None] = lambda _: None
        self.on_plan: Callable[[ActionPlan], None] = lambda _: None
        self.on_feedback: Callable[[Follow, Any], None] = lambda *_: None
        self._services: dict[str, Any] = {}
        self.health: dict[str, str] | None = None
        self.model_fault: MmrobotError | None = None
        self.recorder: str | None = None
        """What the recorder waits for; "" while it records, None where it has told nothing."""
        self._loading_told_s = float("-inf")
        self.world: WorldState | None = None
        self.speech: list[str] = []
        self.monitor = HeartbeatMonitor(self.node, WATCH_S, CATCH_UP_S)
        self._under_way: dict[int, tuple[Follow, Callable[[Follow], None], dict[str, str]]] = {}
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self.node.create_timer(
            WATCH_S, self._watch, callback_group=MutuallyExclusiveCallbackGroup(), clock=steady
        )
        self._follow = ActionCaller(self.node, FollowInstruction, "follow_instruction")
        self._stop_client = self.node.create_client(
            Trigger, "stop", callback_group=MutuallyExclusiveCallbackGroup()
        )
        self._emergency_client = self.node.create_client(
            SetBool, "emergency_stop", callback_group=MutuallyExclusiveCallbackGroup()
        )
        self._stop_out = self.node.create_publisher(Empty, "stop_all", COMMAND)
        group = MutuallyExclusiveCallbackGroup()
        subscribe = self.node.create_subscription
        subscribe(String, "status", self._take_status, STATE, callback_group=group)
        subscribe(String, "speech", self._take_speech, STATE, callback_group=group)
        subscribe(ActionPlanMsg, "plan", self._take_plan, LATCHED, callback_group=group)
        subscribe(DiagnosticArray, "/diagnostics", self._take_health, STATE, callback_group=group)
        self._thread = threading.Thread(target=self._spin, name="client", daemon=True)
        self._thread.start()

    def __enter__(self) -> RobotClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Leave the graph."""
        self._context.try_shutdown()
        self._executor.shutdown(timeout_sec=1.0)
        self._thread.join(2.0)

    def _spin(self) -> None:
        try:
            self._executor.spin()
        except (ExternalShutdownException, InvalidHandle):
            return
        except RuntimeError:
            # What rclpy raises when the context ends between two of its calls; any other is a fault.
            if self._context.ok():
                raise

    def watch_truth(self) -> None:
        """Fill `world` from the simulator's truth: for judges and tests only."""
        self.node.create_subscription(
            String,
            "simulator/truth",
            self._take_truth,
            STATE,
            callback_group=MutuallyExclusiveCallbackGroup(),
        )

    def follow(
        self,
        instruction: str,
        plan_only: bool = False,
        timeout_s: float = 5.0,
        conversation: str = "",
        pointings: Sequence[Pointing] = (),
        on_end: Callable[[Follow], None] = lambda _: None,
    ) -> Follow:
        """Send an instruction; raises RobotUnavailableError when nobody serves follow_instruction.

        When the vlm node dies meanwhile, it ends with that error: no result would ever come.
        """
        if not self._follow.wait_ready(timeout_s):
            raise RobotUnavailableError(
                f"nobody serves 'follow_instruction' on ROS domain {self._context.get_domain_id()}",
                "start the robot with: mmrobot up; and use its ROS_DOMAIN_ID",
            )
        follow = Follow(instruction)
        goal = FollowInstruction.Goal(
            instruction=instruction,
            plan_only=plan_only,
            conversation=conversation,
            pointings=[pointing_to_message(p) for p in pointings],
        )

        def ended(result: Any | None) -> None:
            if self._under_way.pop(id(follow), None) is not None:
                self._ended(follow, result)
                on_end(follow)

        self._under_way[id(follow)] = (follow, on_end, self.monitor.lives(["vlm"]))
        follow.call = self._follow.send(
            goal,
            on_end=ended,
            on_feedback=lambda told: self.on_feedback(follow, told),
        )
        return follow

    def decide(self, plan_id: str, digest: str, approve: bool) -> str:
        """On the plan that waits; what became of it, in a word. Errors as `call`."""
        request = ApprovePlan.Request(plan_id=plan_id, digest=digest, approve=approve)
        return str(self.call(ApprovePlan, "approve_plan", request).message)

    def edit(
        self, plan_id: str, digest: str, keep: Sequence[int], retargets: Sequence[Retarget]
    ) -> ActionPlan:
        """The plan that waits now in the other's place. Errors as `call`."""
        request = EditPlan.Request(
            plan_id=plan_id,
            digest=digest,
            steps=list(keep),
            retargets=[retarget_to_message(r) for r in retargets],
        )
        return plan_from_message(self.call(EditPlan, "edit_plan", request).plan)

    def call(self, kind: Any, name: str, request: Any, timeout_s: float = 20.0) -> Any:
        """The response of a service; raises its error, RobotUnavailableError where nobody serves it, and
        DeadlineError."""
        client = self._services.get(name)
        if client is None:
            group = MutuallyExclusiveCallbackGroup()
            client = self._services[name] = self.node.create_client(kind, name, callback_group=group)
        if not client.wait_for_service(5.0):
            raise RobotUnavailableError(
                f"nobody serves '{name}' on ROS domain {self._context.get_domain_id()}",
                "start the robot with: mmrobot up; and use its ROS_DOMAIN_ID",
            )
        done = threading.Event()
        future = client.call_async(request)
        future.add_done_callback(lambda _: done.set())
        if not done.wait(timeout_s):
            raise DeadlineError(f"'{name}' was not answered within {timeout_s:g} s", "try again")
        response = future.result()
        if response.error_code:
            raise _told_error(response)
        return response

    def stop(self, timeout_s: float = 2.0) -> str:
        """Stop by topic at once and by service; raises RobotUnavailableError when nobody answers."""
        self._stop_out.publish(Empty())
        if not self._stop_client.wait_for_service(timeout_s):
            raise RobotUnavailableError(
                f"nobody serves 'stop' on ROS domain {self._context.get_domain_id()}; stop_all was published",
                "use the robot's ROS_DOMAIN_ID, or its emergency button",
            )
        # Once more, now that the nodes are known to be connected.
        self._stop_out.publish(Empty())
        done = threading.Event()
        future = self._stop_client.call_async(Trigger.Request())
        future.add_done_callback(lambda _: done.set())
        if not done.wait(timeout_s):
            raise DeadlineError(
                f"'stop' was not answered within {timeout_s} s", "use the robot's emergency button"
            )
        return str(future.result().message)

    def emergency_stop(self, latch: bool = True, timeout_s: float = 5.0) -> str:
        """Stop at once, and take nothing on until it is called with `latch` false; what was done, in words.

        Raises RobotUnavailableError when nobody keeps it (the robot was told to stop nevertheless),
        DeadlineError, and ExecutionFailedError where it cannot be kept or reset.
        """
        if latch:
            self._stop_out.publish(Empty())
        if not self._emergency_client.wait_for_service(timeout_s):
            told = "; stop_all was published" if latch else ""
            raise RobotUnavailableError(
                f"nobody serves 'emergency_stop' on ROS domain {self._context.get_domain_id()}{told}",
                "use the robot's ROS_DOMAIN_ID, start its executor, or press its emergency button",
            )
        done = threading.Event()
        future = self._emergency_client.call_async(SetBool.Request(data=latch))
        future.add_done_callback(lambda _: done.set())
        if not done.wait(timeout_s):
            raise DeadlineError(
                f"'emergency_stop' was not answered within {timeout_s:g} s",
                "press the robot's emergency button",
            )
        response = future.result()
        if not response.success:
            raise ExecutionFailedError(str(response.message), "see the executor's output")
        return str(response.message)

    def wait_ready(
        self, timeout_s: float, tick: Callable[[dict[str, str] | None], None], recording: bool = False
    ) -> None:
        """Until all that /diagnostics tells of is ok; with `recording` the recorder too.

        Raises DeadlineError naming what is missing after `timeout_s`, or after LOADING_S where it is the
        model alone, which tells that it is loading; and at once the model's error: it will not mend.
        """
        began_s = time.monotonic()
        while True:
            tick(self.health)
            if self.model_fault is not None:
                raise self.model_fault
            recorded = self.recorder == "" or not recording
            if self.health is not None and not any(self.health.values()) and recorded:
                return
            now_s = time.monotonic()
            loading = now_s - self._loading_told_s < TOLD_S
            limit_s = max(timeout_s, LOADING_S) if loading else timeout_s
            if now_s - began_s > limit_s:
                parts = {**(self.health or {"graph": "no /diagnostics"})}
                if not recorded:
                    parts["recorder"] = self.recorder or "it tells nothing"
                words = "; ".join(f"{k}: {v}" for k, v in parts.items() if v)
                raise DeadlineError(f"not ready after {limit_s:.0f} s: {words}", "run: mmrobot doctor")
            time.sleep(0.1)

    def _watch(self) -> None:
        self.monitor.turn()
        for key, (follow, on_end, lives) in list(self._under_way.items()):
            # A life that was not heard of yet when the words were said is no other one.
            gone = self.monitor.missing(["vlm"], SILENT_S, lives) if lives else []
            if gone and self._under_way.pop(key, None) is not None:
                follow.error = RobotUnavailableError(
                    f"no heartbeat of 'vlm' for over {SILENT_S:g} s, or a new start of it, "
                    f"while '{follow.instruction[:60]}' was under way",
                    "see that the node runs, and where things are by now; then give the instruction again",
                )
                follow.done.set()
                on_end(follow)

    def _ended(self, follow: Follow, result: Any | None) -> None:
        if result is None:
            follow.error = RobotUnavailableError("the instruction was not accepted", "try again")
            follow.done.set()
            return
        if error_code(result.error_code) is not ErrorCode.NONE:
            follow.error = _told_error(result)
        if result.plan.plan_id:
            follow.plan = plan_from_message(result.plan)
        follow.answer, follow.report = str(result.answer), str(result.report)
        follow.steps_done, follow.steps_total = int(result.steps_done), int(result.steps_total)
        follow.done.set()

    def _take_status(self, message: String) -> None:
        self.on_status(json.loads(message.data))

    def _take_speech(self, message: String) -> None:
        self.speech.append(message.data)

    def _take_plan(self, message: ActionPlanMsg) -> None:
        self.on_plan(plan_from_message(message))

    def _take_health(self, message: DiagnosticArray) -> None:
        place = self.node.get_namespace().strip("/")
        for status in message.status:
            if status.name == f"{place}/recorder: recording".lstrip("/"):
                self.recorder = "" if status.level == DiagnosticStatus.OK else status.message
        mine = [s for s in message.status if s.name.startswith(f"{place}/vlm: ".lstrip("/"))]
        if not mine:
            return
        self.health = {s.hardware_id: "" if s.level == DiagnosticStatus.OK else s.message for s in mine}
        # Of a model, a warning says that it is on its way (see HealthReporter).
        faulty = [(s.hardware_id, s.level) for s in mine if s.level != DiagnosticStatus.OK]
        if faulty == [("model", DiagnosticStatus.WARN)]:
            self._loading_told_s = time.monotonic()
        broken = [s for s in mine if s.hardware_id == "model" and s.level == DiagnosticStatus.ERROR]
        self.model_fault = None
        for status in broken:
            told = {pair.key: pair.value for pair in status.values}
            self.model_fault = MmrobotError(status.message, told.get("fix", ""))
            self.model_fault.code = ErrorCode[told["code"]]

    def _take_truth(self, message: String) -> None:
        content = json.loads(message.data)
        objects = {
            name: ObjectState(
                name,
                tuple(state["position_m"]),
                tuple(state["quaternion_wxyz"]),
                tuple(state["linear_velocity_m_s"]),
                tuple(state["angular_velocity_rad_s"]),
            )
            for name, state in content["objects"].items()
        }
        self.world = WorldState(objects, content["held"], content["time_s"])


def _told_error(told: Any) -> MmrobotError:
    """The error of a result or response."""
    error = MmrobotError(str(told.error_message), str(told.fix))
    error.code = error_code(told.error_code)
    return error
