"""What a test of faults sees and does on the graph, beside a client: speeds, what is told and when, floods.

All times are monotonic wall seconds of this process, but for the arm's, which are the simulator's own.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rcl_interfaces.msg import Parameter as ParameterMsg
from rcl_interfaces.msg import ParameterType, ParameterValue
from rcl_interfaces.srv import SetParameters
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.qos import QoSProfile
from std_msgs.msg import Empty, Float64MultiArray, String
from std_srvs.srv import Trigger

from mmrobot.errors import DeadlineError, ErrorCode, MmrobotError
from mmrobot.ros.client import RobotClient
from mmrobot.ros.fault_injection import Injection
from mmrobot.ros.messages import error_code
from mmrobot.ros.qos import COMMAND, LATCHED, STATE
from mmrobot_msgs.srv import Ground

MOVING_RAD_S = 1e-3


@dataclass(frozen=True)
class Reply:
    """What a question was answered, after so many wall seconds; `code` is "" when it was not."""

    code: str
    words: str
    after_s: float


@dataclass
class Heard:
    """Since `clear`: (wall s, what) of all that nodes told; speeds as (wall s, simulated s, rad/s)."""

    speeds: list[tuple[float, float, float]] = field(default_factory=list)
    statuses: list[tuple[float, dict[str, Any]]] = field(default_factory=list)
    ills: list[tuple[float, str]] = field(default_factory=list)


class FaultProbe:
    """Listens beside a RobotClient, whose `on_status` it takes."""

    def __init__(self, client: RobotClient) -> None:
        self.client, self.heard = client, Heard()
        self._confirmed: dict[str, str] = {}
        self._outs: dict[str, Any] = {}
        self._clients: dict[str, Any] = {}
        client.on_status = lambda told: self.heard.statuses.append((time.monotonic(), told))
        client.watch_truth()
        self._listen(Float64MultiArray, "simulator/commanded_speed", self._take_speed, STATE)
        self._listen(DiagnosticArray, "/diagnostics", self._take_health, STATE)
        for topic in ("faults/injected", "faults/model_fails"):
            self._listen(String, topic, self._confirming(topic), LATCHED)
        for topic in ("faults/inject", "faults/model", "instruction"):
            self._outs[topic] = client.node.create_publisher(String, topic, COMMAND)
        self._stop_out = client.node.create_publisher(Empty, "stop_all", COMMAND)

    def clear(self) -> None:
        """Forget what was heard."""
        self.heard = Heard()

    @property
    def speed(self) -> float:
        """The newest commanded joint speed, rad/s."""
        speeds = self.heard.speeds
        return speeds[-1][2] if speeds else 0.0

    def wait(self, condition: Callable[[], Any], what: str, timeout_s: float) -> Any:
        """Its value once it is true; raises DeadlineError naming `what`."""
        deadline_s = time.monotonic() + timeout_s
        while not (found := condition()):
            if time.monotonic() > deadline_s:
                raise DeadlineError(f"{what}: not within {timeout_s:g} s", "read the nodes' logs")
            time.sleep(0.01)
        return found

    def words(self) -> str:
        """All that is told of ills, on /diagnostics and in errors on `status`, one a line."""
        told = [words for _, words in list(self.heard.ills)]
        for _, status in list(self.heard.statuses):
            if "error" in status or status["state"] in ("held", "failed", "plan_failed", "not_ready"):
                told.append(f"{status['node']}: {status['message']}")
        return "\n".join(dict.fromkeys(told))

    # -- what is done ------------------------------------------------------------------------------

    def inject(self, injection: Injection) -> None:
        """Has the injector spoil what passes from now on; returns once it does."""
        self._tell("faults/inject", "faults/injected", injection.to_json())

    def fail_model(self, how: str) -> None:
        """Has the faulty vlm node's model fail so from now on; "" heals it."""
        self._tell("faults/model", "faults/model_fails", how)

    def stop_all(self) -> None:
        """The stop topic, as a button would."""
        self._stop_out.publish(Empty())

    def flood(self, words: str, rate_hz: float, seconds: float) -> int:
        """Words on `instruction` so often; how many were said. Returns at the end."""
        out, began_s, said = self._outs["instruction"], time.monotonic(), 0
        message = String(data=words)
        while (age_s := time.monotonic() - began_s) < seconds:
            while said < age_s * rate_hz:
                out.publish(message)
                said += 1
            time.sleep(0.001)
        return said

    def reset(self) -> None:
        """The scene as at the start, the arm at home."""
        self._call(Trigger, "simulator/reset", Trigger.Request(), 15.0)

    def set_model(self, name: str) -> str:
        """Sets the vlm node's parameter `model`; the reason of a refusal, "" when it was taken."""
        value = ParameterValue(type=ParameterType.PARAMETER_STRING, string_value=name)
        request = SetParameters.Request(parameters=[ParameterMsg(name="model", value=value)])
        result = self._call(SetParameters, "vlm/set_parameters", request, 15.0).results[0]
        return "" if result.successful else str(result.reason)

    def ask(self, phrase: str, timeout_s: float) -> Reply:
        """Where something is: how long the answer takes, and what it says."""
        began_s = time.monotonic()
        try:
            answer = self._call(Ground, "ground", Ground.Request(phrase=phrase), timeout_s)
        except MmrobotError as error:
            return Reply("", error.message, time.monotonic() - began_s)
        code = error_code(answer.error_code)
        return Reply(code.name, str(answer.error_message), time.monotonic() - began_s)

    # -- what is heard -----------------------------------------------------------------------------

    def _listen(self, kind: Any, topic: str, take: Callable[[Any], None], qos: QoSProfile) -> None:
        group = MutuallyExclusiveCallbackGroup()
        self.client.node.create_subscription(kind, topic, take, qos, callback_group=group)

    def _tell(self, topic: str, confirmed_on: str, words: str) -> None:
        self._confirmed.pop(confirmed_on, None)
        self.wait(lambda: self._outs[topic].get_subscription_count(), f"who listens to {topic}", 20.0)
        self._outs[topic].publish(String(data=words))
        self.wait(lambda: self._confirmed.get(confirmed_on) == words, f"'{topic}' taken", 10.0)

    def _call(self, kind: Any, name: str, request: Any, timeout_s: float) -> Any:
        client = self._clients.get(name)
        if client is None:
            group = MutuallyExclusiveCallbackGroup()
            client = self._clients[name] = self.client.node.create_client(kind, name, callback_group=group)
        if not client.wait_for_service(min(timeout_s, 5.0)):
            raise DeadlineError(f"nobody serves '{name}'", "start its node")
        done = threading.Event()
        future = client.call_async(request)
        future.add_done_callback(lambda _: done.set())
        if not done.wait(timeout_s):
            raise DeadlineError(f"'{name}' was not answered within {timeout_s:g} s", "try again")
        return future.result()

    def _confirming(self, topic: str) -> Callable[[String], None]:
        def take(message: String) -> None:
            self._confirmed[topic] = message.data

        return take

    def _take_speed(self, message: Float64MultiArray) -> None:
        time_s, speed = message.data
        self.heard.speeds.append((time.monotonic(), float(time_s), float(speed)))

    def _take_health(self, message: DiagnosticArray) -> None:
        now_s = time.monotonic()
        for status in message.status:
            facts = {pair.key: pair.value for pair in status.values}
            if status.level != DiagnosticStatus.OK:
                self.heard.ills.append((now_s, f"{status.name}: {status.message}"))
            elif "last fault" in facts:
                self.heard.ills.append((now_s, f"{status.name}: last fault: {facts['last fault']}"))


def told_states(heard: Heard) -> str:
    """What was told on `status`, for a log."""
    return "\n".join(json.dumps(told) for _, told in list(heard.statuses))


def code_of(error: MmrobotError | None) -> str:
    """The name of a result's code."""
    return (ErrorCode.NONE if error is None else error.code).name
