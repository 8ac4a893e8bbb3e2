"""The latched emergency stop of the graph, kept by the executor, through which all motion is commanded.

The service `emergency_stop` (std_srvs/SetBool) latches it with true and resets it with false. True on the
topic `emergency_stop` (std_msgs/Bool) latches it as well: for a button's driver, which may repeat it as
long as the button is pressed. False there does nothing, since a button that comes free resets nothing.
`emergency_stop/reason` (std_msgs/String, kept for who comes later) tells why it is latched; "" is free.
"""

from __future__ import annotations

from collections.abc import Callable

from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.node import Node
from std_msgs.msg import Bool, String
from std_srvs.srv import SetBool

from mmrobot.ros.qos import COMMAND, LATCHED
from mmrobot.safety.emergency_latch import EmergencyLatch, latch_file


class EmergencyStop:
    """`on_stop(reason)` is called, from a callback of its own group, once it is latched."""

    def __init__(self, node: Node, on_stop: Callable[[str], object]) -> None:
        self._on_stop, self._log = on_stop, node.get_logger()
        # A simulation on another domain is another robot.
        place = node.get_fully_qualified_name().strip("/").replace("/", "_")
        self._latch = EmergencyLatch(latch_file(f"domain_{node.context.get_domain_id()}_{place}"))
        self.check = self._latch.check
        group = MutuallyExclusiveCallbackGroup()
        self._reason_out = node.create_publisher(String, "emergency_stop/reason", LATCHED)
        node.create_service(SetBool, "emergency_stop", self._serve, callback_group=group)
        node.create_subscription(Bool, "emergency_stop", self._hear, COMMAND, callback_group=group)
        self._tell()

    def _serve(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        if request.data:
            fault = self._engage("the service 'emergency_stop' was called")
            response.message = fault or "stopped, and latched until it is reset"
        else:
            fault = self._reset()
            response.message = fault or "reset; nothing goes on by itself"
        response.success = not fault
        return response

    def _hear(self, message: Bool) -> None:
        if message.data and not self._latch.reason:
            self._engage("true came on the topic 'emergency_stop'")

    def _engage(self, reason: str) -> str:
        """What could not be done; "" where all was."""
        self._latch.latch(reason)  # no plan is taken from here on
        self._on_stop(f"emergency stop: {reason}")
        fault = ""
        try:
            self._latch.keep()
        except OSError as error:
            fault = f"stopped, but it will be forgotten when the executor starts anew: {error}; free the disk"
            self._log.error(fault)
        self._tell()
        return fault

    def _reset(self) -> str:
        try:
            self._latch.reset()
        except OSError as error:
            self._log.error(f"the emergency stop stays latched: {error}")
            return f"it stays latched: {error}; see that this file can be removed"
        self._tell()
        return ""

    def _tell(self) -> None:
        self._reason_out.publish(String(data=self._latch.reason))
        self._log.info(f"emergency stop: {self._latch.reason or 'free'}")
