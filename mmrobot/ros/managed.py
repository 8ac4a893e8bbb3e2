"""A lifecycle node that can also bring itself up, so that a plain `ros2 run` serves at once.

A subclass writes `configure`, `activate`, `deactivate`, `cleanup`: each returns when its work is done, or
raises an error of mmrobot.errors, which is told and leaves the node in the state before. `active` is false
before `deactivate` is called and becomes true after `activate`, so that nothing slips in between.

rclpy (7.1) ends the whole process on a request for a transition that the state does not have, and takes
two requests at once: both are refused here.
"""

from __future__ import annotations

import threading
from typing import Any

from lifecycle_msgs.srv import ChangeState
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.lifecycle import LifecycleNodeMixin, LifecycleState, TransitionCallbackReturn
from rclpy.node import Node
from rclpy.parameter import Parameter

from mmrobot.errors import MmrobotError
from mmrobot.ros.node_process import guarded_thread
from mmrobot.ros.parameters import declare

UNCONFIGURED, INACTIVE, ACTIVE = "unconfigured", "inactive", "active"
CLOSE_S = 5.0


class ManagedNode(LifecycleNodeMixin, Node):
    """Call `begin` at the end of the subclass's constructor, once its callbacks may come."""

    def __init__(self, name: str) -> None:
        Node.__init__(self, name)
        self._changing = threading.Lock()
        self._active = False
        self._failed = False
        # Reentrant, so that the state is told while a model loads.
        LifecycleNodeMixin.__init__(self, callback_group=ReentrantCallbackGroup())
        self._change_by_rclpy = self._service_change_state.callback
        self._service_change_state.callback = self._serve_change
        self._autostart = bool(
            declare(
                self,
                "autostart",
                True,
                "true: the node configures and activates itself; false: a lifecycle manager does",
            )
        )

    # -- for subclasses ----------------------------------------------------------------------------

    def configure(self) -> None:
        """Take what is needed; may last. Raises MmrobotError."""

    def activate(self) -> None:
        """From now on work is taken. Raises MmrobotError."""

    def deactivate(self) -> None:
        """End what is under way. Must not fail."""

    def cleanup(self) -> None:
        """Give back what `configure` took, also after one that failed. Raises MmrobotError."""

    def tell(self, state: str, message: str, error: MmrobotError | None = None) -> None:
        """Tell people of a change of state."""
        log = self.get_logger()
        if error is None:
            log.info(f"{state}: {message}")
        else:
            log.error(f"{state}: {message}. {error.fix}")

    # -- state -------------------------------------------------------------------------------------

    @property
    def active(self) -> bool:
        """Whether work is taken."""
        return self._active

    @property
    def state(self) -> str:
        """Label of the lifecycle state; also of a transition under way ("configuring")."""
        return str(self._state_machine.current_state[1])

    @property
    def how_to_activate(self) -> str:
        """The fix that goes with a refusal."""
        steps = ("configure", "activate") if self.state == UNCONFIGURED else ("activate",)
        return "; ".join(f"ros2 lifecycle set {self.get_fully_qualified_name()} {step}" for step in steps)

    def begin(self) -> None:
        """Bring the node up on a thread, if it is to do so itself; again when a parameter that it failed
        with is set anew."""
        if self._autostart:
            self.add_post_set_parameters_callback(self._set_anew)
            guarded_thread(self.bring_up, "autostart")

    def bring_up(self) -> bool:
        """Configure and activate as far as that is to be done. Whether the node is active then."""
        with self._changing:
            if self.state == UNCONFIGURED:
                self.trigger_configure()
            if self.state == INACTIVE:
                self.trigger_activate()
            return self._active

    def close(self) -> None:
        """The process ends: as from `deactivate`, whatever the state. No transition follows."""
        self._changing.acquire(timeout=CLOSE_S)
        was, self._active = self._active, False
        if was:
            self.deactivate()

    def _set_anew(self, _: list[Parameter]) -> None:
        if self._failed and self.state == UNCONFIGURED:
            guarded_thread(self.bring_up, "autostart")

    # -- transitions -------------------------------------------------------------------------------

    def _serve_change(self, request: ChangeState.Request, response: ChangeState.Response) -> Any:
        asked = request.transition.label or request.transition.id
        if not self._changing.acquire(blocking=False):
            self.get_logger().warning(f"transition {asked} refused: '{self.state}' is under way, wait for it")
            response.success = False
            return response
        try:
            return self._change_by_rclpy(request, response)
        except rclpy_implementation.RCLError:
            self.get_logger().warning(f"transition {asked} refused: there is none from '{self.state}'")
            response.success = False
            return response
        finally:
            self._changing.release()

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """rclpy's hook."""
        self._failed = True
        made = self._do("configure")
        self._failed = made is not TransitionCallbackReturn.SUCCESS
        return made

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """rclpy's hook."""
        made = self._do("activate")
        self._active = made is TransitionCallbackReturn.SUCCESS
        return made

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """rclpy's hook."""
        self._active = False
        return self._do("deactivate")

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """rclpy's hook."""
        return self._do("cleanup")

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """rclpy's hook, from any state: nothing moves and nothing is kept after it."""
        was, self._active = self._active, False
        if was and self._do("deactivate") is not TransitionCallbackReturn.SUCCESS:
            return TransitionCallbackReturn.ERROR
        return TransitionCallbackReturn.SUCCESS if state.label == UNCONFIGURED else self._do("cleanup")

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """rclpy's hook after an exception: back to the beginning, or the node is finalized."""
        self._active = False
        for step in ("deactivate", "cleanup"):
            if self._do(step) is not TransitionCallbackReturn.SUCCESS:
                return TransitionCallbackReturn.FAILURE
        return TransitionCallbackReturn.SUCCESS

    def _do(self, step: str) -> TransitionCallbackReturn:
        try:
            getattr(self, step)()
        except MmrobotError as error:
            self.tell("not_" + step, f"'{step}' failed: {error.message}", error)
            # After a failed deactivate rclpy would be active again: then rather all is given up.
            closing = step in ("deactivate", "cleanup")
            return TransitionCallbackReturn.ERROR if closing else TransitionCallbackReturn.FAILURE
        except Exception as error:  # noqa: BLE001 - rclpy would swallow it
            fault = MmrobotError(f"{type(error).__name__}: {error}", "please report this")
            self.tell("not_" + step, f"'{step}' failed: {fault.message}", fault)
            return TransitionCallbackReturn.ERROR
        self.tell("lifecycle", f"'{step}' is done")
        return TransitionCallbackReturn.SUCCESS
