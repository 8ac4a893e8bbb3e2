"""What `mmrobot up` does for its processes, done for those of a launch: for launch files only.

Launch itself starts again what ends. The keeper adds what it lacks: a node that hangs is killed, a new
process is kept off the ports of a dead one, and a node whose next start would end the same way ends the
launch with exit status 1. It listens to the heartbeats on a thread of its own, in launch's process.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from mmrobot.errors import MmrobotError
from mmrobot.ros.client import RobotClient
from mmrobot.ros.hung import hung
from mmrobot.ros.owner import OWNER
from mmrobot.ros.restart_rule import RestartRule
from mmrobot.ros.spent_ports import SpentPorts

CHECK_S = 0.3
RANGE = "ROS_AUTOMATIC_DISCOVERY_RANGE"


class NodeEndedError(MmrobotError):
    """A node that is not started again; raised in a launch's event, it ends the launch."""

    def __str__(self) -> str:
        return f"{self.message}: {self.fix}"


def node_environment() -> dict[str, str]:
    """Variables of a node's process, beside those of this one. Whoever reaches the graph can command the
    robot: this machine only, unless the user opened it."""
    return {OWNER: str(os.getpid()), **({} if RANGE in os.environ else {RANGE: "LOCALHOST"})}


class LaunchKeeper:
    """Of the nodes of one namespace: tell it of each process (`started`, `ended`), `close` it at the end."""

    def __init__(self, namespace: str, tell: Callable[[str], object]) -> None:
        self._namespace, self._tell = namespace, tell
        self._rule = RestartRule()
        self._spent = SpentPorts(int(os.environ.get("ROS_DOMAIN_ID") or 0))
        self._lock = threading.Lock()
        self._living: dict[str, tuple[int, float]] = {}
        """Name to the process (a file descriptor, which no other process can come to mean) and its start."""
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None

    def started(self, name: str, pid: int) -> None:
        """A process of the node `name` has begun. The first one begins the watch."""
        with self._lock, contextlib.suppress(ProcessLookupError):
            self._living[name] = (os.pidfd_open(pid), time.monotonic())
        if self._thread is None:
            self._thread = self._begin()

    def ended(self, name: str, status: int, respawns: bool = True) -> None:
        """Its process has ended, and launch will start another. Raises NodeEndedError when it must not."""
        now_s = time.monotonic()
        with self._lock:
            process, began_s = self._living.pop(name, (None, now_s))
        if process is not None:
            os.close(process)
        if not respawns:
            if status != 0:
                raise NodeEndedError(f"node '{name}' ended with status {status}", "see its output above")
            return
        if not self._rule.again(name, status, now_s - began_s, now_s):
            raise NodeEndedError(
                f"node '{name}' ended with status {status}, as its next start would", "see its output above"
            )
        self._spent.hold()
        self._tell(f"{name} died: it is started again")

    def kill(self, names: Iterable[str]) -> None:
        """End what hangs, as `mmrobot up` does."""
        for name in names:
            with self._lock, contextlib.suppress(ProcessLookupError):
                process, _ = self._living.get(name, (None, 0.0))
                if process is not None:
                    self._tell(f"{name} hangs: it is killed")
                    signal.pidfd_send_signal(process, signal.SIGKILL)

    def close(self) -> None:
        """Watch no more: the launch ends."""
        self._closed.set()
        self._spent.close()
        if self._thread is not None:
            self._thread.join(3.0)

    @property
    def _began_s(self) -> dict[str, float]:
        with self._lock:
            return {name: began_s for name, (_, began_s) in self._living.items()}

    def _begin(self) -> threading.Thread:
        with _nodes_range():
            client = RobotClient(namespace=self._namespace, name="launch_keeper")

        def watch() -> None:
            with client:
                while not self._closed.wait(CHECK_S):
                    self.kill(hung(client.monitor, self._began_s))

        thread = threading.Thread(target=watch, name="launch keeper", daemon=True)
        thread.start()
        return thread


@contextlib.contextmanager
def _nodes_range() -> Iterator[None]:
    """rclpy looks for others as far as its variable says when it begins: as far as the nodes do. In launch's
    own thread, so that no process of others starts meanwhile and inherits it."""
    added = {k: v for k, v in node_environment().items() if k == RANGE}
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            del os.environ[name]


def kept(actions: Mapping[str, Any], namespace: str) -> list[Any]:
    """Launch's handlers that keep `actions`, the launch_ros nodes by name, all of `namespace`.

    A node that launch does not start again (`respawn` false) ends the launch when it ends.
    """
    from launch.actions import EmitEvent, RegisterEventHandler
    from launch.event_handlers import OnProcessExit, OnProcessStart, OnShutdown
    from launch.events import Shutdown
    from launch.logging import get_logger

    keeper = LaunchKeeper(namespace, get_logger("mmrobot").warning)

    def watch(name: str, action: Any, respawns: bool) -> list[Any]:
        def ended(event: Any, context: Any) -> Any:
            if context.is_shutdown:
                return None
            keeper.ended(name, event.returncode, respawns)
            return None if respawns else EmitEvent(event=Shutdown(reason=f"the {name} ended"))

        def started(event: Any, _: Any) -> None:
            keeper.started(name, event.pid)

        return [
            RegisterEventHandler(OnProcessStart(target_action=action, on_start=started)),
            RegisterEventHandler(OnProcessExit(target_action=action, on_exit=ended)),
        ]

    handlers = [h for name, action in actions.items() for h in watch(name, action, name != "simulator")]
    return [*handlers, RegisterEventHandler(OnShutdown(on_shutdown=lambda *_: keeper.close()))]
