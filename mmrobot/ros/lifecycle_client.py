"""One lifecycle node from outside: its state, and requests for transitions. No call waits."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState
from rclpy.callback_groups import CallbackGroup
from rclpy.node import Node

IDS = {
    "configure": Transition.TRANSITION_CONFIGURE,
    "activate": Transition.TRANSITION_ACTIVATE,
    "deactivate": Transition.TRANSITION_DEACTIVATE,
    "cleanup": Transition.TRANSITION_CLEANUP,
}
# A question to a node that died is never answered.
ANSWER_S = 1.0


class LifecycleClient:
    """Use it from one callback group of `node`, in which the answers arrive too."""

    def __init__(self, node: Node, name: str, group: CallbackGroup) -> None:
        self._get = node.create_client(GetState, f"{name}/get_state", callback_group=group)
        self._change = node.create_client(ChangeState, f"{name}/change_state", callback_group=group)
        self._asking: Any = None
        self._asked_s = 0.0
        self._life = ""
        self.state: str | None = None
        """Label of the state last told of; None when the node does not answer."""

    def poll(self) -> None:
        """Ask for the state anew."""
        if not self._get.service_is_ready():
            self.state = None
            return
        if self._asking is not None:
            if time.monotonic() - self._asked_s < ANSWER_S:
                return
            self._get.remove_pending_request(self._asking)
            self.state = None
        self._asking, self._asked_s = self._get.call_async(GetState.Request()), time.monotonic()
        self._asking.add_done_callback(self._take)

    def know_life(self, life: str) -> None:
        """The life that the node's heartbeat tells, "" when none: of another one nothing is known yet. The
        last answer of a node that was killed active would else be taken for its successor's."""
        if life and life != self._life:
            self.forget()
            self._life = life

    def forget(self) -> None:
        """The state is another by now: only what is asked from here on tells it."""
        if self._asking is not None:
            self._get.remove_pending_request(self._asking)
        self._asking, self.state = None, None

    def request(self, transition: str, on_answer: Callable[[bool], None]) -> None:
        """Ask for a transition of IDS; `on_answer` hears whether it was made, and never if the node dies."""
        asked = ChangeState.Request()
        asked.transition.id = IDS[transition]
        future = self._change.call_async(asked)
        future.add_done_callback(lambda done: on_answer(bool(done.result().success)))

    def _take(self, future: Any) -> None:
        if future is self._asking:
            self._asking = None
            self.state = str(future.result().current_state.label)
