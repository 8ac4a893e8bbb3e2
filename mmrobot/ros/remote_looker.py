"""The Looker protocol over the `locate` service: a fresh look before contact."""

from __future__ import annotations

import threading

from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.node import Node
from rclpy.task import Future

from mmrobot.errors import ErrorCode, ModelUnavailableError
from mmrobot.execution.robot import LookResult
from mmrobot.ros.messages import error_code, object_to_message, step_from_message, step_to_message
from mmrobot.types import GroundedObject, PlanStep
from mmrobot_msgs.srv import Locate


class RemoteLooker:
    """One look at a time; a newer one drops the answer of the older."""

    def __init__(self, node: Node) -> None:
        self._client = node.create_client(Locate, "locate", callback_group=MutuallyExclusiveCallbackGroup())
        self._lock = threading.Lock()
        self._number = 0
        self._result: LookResult | None = None

    def start(self, step: PlanStep, held: GroundedObject | None) -> None:
        """Ask; raises ModelUnavailableError when nobody serves `locate`."""
        if not self._client.service_is_ready():
            raise ModelUnavailableError("nobody serves 'locate'", "start the vlm node")
        with self._lock:
            self._number += 1
            number = self._number
            self._result = None
        request = Locate.Request(
            step=step_to_message(step), held=[] if held is None else [object_to_message(held)]
        )
        self._client.call_async(request).add_done_callback(lambda done: self._take(number, done))

    def poll(self) -> LookResult | None:
        """None while looking."""
        with self._lock:
            return self._result

    def _take(self, number: int, future: Future) -> None:
        response = future.result()
        code = error_code(response.error_code)
        if code is ErrorCode.NONE:
            try:
                result = LookResult(step_from_message(response.step))
            except ValueError as error:
                result = LookResult(
                    None, ErrorCode.MODEL_REPLY_INVALID, f"a look gave a defective step: {error}"
                )
        else:
            result = LookResult(None, code, response.error_message)
        with self._lock:
            if number == self._number:
                self._result = result
