"""An action goal that ends later, so that no thread of the pool waits for it.

rclpy's coroutines spin the executor while they wait (Jazzy), and a blocking execute callback holds a
thread: here the goal is kept, fed back to, and executed only at its end, which takes no time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from rclpy.action.server import ServerGoalHandle

from mmrobot.errors import ErrorCode


class DeferredGoal:
    """One accepted goal; `finish` may be called from any thread, the first call counts."""

    def __init__(self, handle: ServerGoalHandle) -> None:
        self._handle = handle
        self._lock = threading.Lock()
        self._finished = False

    @property
    def request(self) -> Any:
        """The goal's request message."""
        return self._handle.request

    @property
    def cancel_requested(self) -> bool:
        """Whether its client asked to cancel it."""
        return bool(self._handle.is_cancel_requested)

    @property
    def finished(self) -> bool:
        """Whether `finish` was called."""
        return self._finished

    def is_of(self, handle: ServerGoalHandle) -> bool:
        """Whether this is the goal of `handle`."""
        return bool(self._handle == handle)

    def feedback(self, message: Any) -> None:
        """Publish feedback, unless the goal has ended."""
        if not self._finished:
            self._handle.publish_feedback(message)

    def finish(self, result: Any) -> None:
        """End the goal with `result`: succeeded when its error_code is NONE, else canceled or aborted."""
        with self._lock:
            if self._finished:
                return
            self._finished = True
        self._handle.execute(_ending(result))


def _ending(result: Any) -> Callable[[ServerGoalHandle], Any]:
    def end(handle: ServerGoalHandle) -> Any:
        if handle.is_cancel_requested:
            handle.canceled()
        elif result.error_code == ErrorCode.NONE:
            handle.succeed()
        else:
            handle.abort()
        return result

    return end
