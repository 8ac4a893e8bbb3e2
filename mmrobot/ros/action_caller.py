"""An action client that may be used from any thread.

rclpy's ActionClient (7.1) registers a request after it was sent: an answer that another thread of the
pool takes meanwhile is lost with a ValueError. Here every use of the client happens in its own
callback group, so that it never overlaps with the taking of answers.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Any

from rclpy.action import ActionClient
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.node import Node
from rclpy.task import Future


class ActionCall:
    """One goal: sent, then accepted or refused, then ended. `cancel` may come at any time."""

    def __init__(
        self, caller: ActionCaller, on_accepted: Callable[[], None], on_end: Callable[[Any | None], None]
    ) -> None:
        self._caller = caller
        self._on_accepted, self._on_end = on_accepted, on_end
        self._lock = threading.Lock()
        self._handle: Any = None
        self._cancelled = False

    def cancel(self) -> None:
        """Ask the server to end the goal, as soon as it has been accepted."""
        with self._lock:
            if self._cancelled:
                return
            self._cancelled = True
            handle = self._handle
        if handle is not None:
            self._caller.post(handle.cancel_goal_async)

    def answered(self, future: Future) -> None:
        """The server accepted or refused."""
        handle = future.result()
        if not handle.accepted:
            self._on_end(None)
            return
        with self._lock:
            self._handle = handle
            cancelled = self._cancelled
        self._caller.post(lambda: handle.get_result_async().add_done_callback(self._ended))
        if cancelled:
            self._caller.post(handle.cancel_goal_async)
        self._on_accepted()

    def _ended(self, future: Future) -> None:
        self._on_end(future.result().result)


class ActionCaller:
    """Sends goals of one action."""

    def __init__(self, node: Node, kind: Any, name: str) -> None:
        group = MutuallyExclusiveCallbackGroup()
        self._client = ActionClient(node, kind, name, callback_group=group)
        self._jobs: queue.SimpleQueue[Callable[[], Any]] = queue.SimpleQueue()
        self._guard = node.create_guard_condition(self._work, callback_group=group)

    @property
    def ready(self) -> bool:
        """Whether somebody serves the action."""
        return bool(self._client.server_is_ready())

    def wait_ready(self, timeout_s: float) -> bool:
        """Wait for a server; not in a callback."""
        return bool(self._client.wait_for_server(timeout_s))

    def send(
        self,
        goal: Any,
        on_end: Callable[[Any | None], None],
        on_feedback: Callable[[Any], None] = lambda _: None,
        on_accepted: Callable[[], None] = lambda: None,
    ) -> ActionCall:
        """Send a goal. `on_end` gets the result, or None when it was refused; all come from the pool."""
        call = ActionCall(self, on_accepted, on_end)

        def send() -> None:
            future = self._client.send_goal_async(goal, lambda message: on_feedback(message.feedback))
            future.add_done_callback(call.answered)

        self.post(send)
        return call

    def post(self, job: Callable[[], Any]) -> None:
        """Have a job done in the client's callback group."""
        self._jobs.put(job)
        self._guard.trigger()

    def _work(self) -> None:
        while True:
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                return
            job()
