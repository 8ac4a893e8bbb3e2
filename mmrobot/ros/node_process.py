"""A node as a process: start, spin, end; an error of mmrobot becomes one clear line and exit status 1.

The executor spins on a thread of its own, and signals only wake the main one: so `close` still has a
valid context, and a node can command a stop as its last act.
"""

from __future__ import annotations

import json
import signal
import sys
import threading
import traceback
from collections.abc import Callable

import rclpy
from rclpy.executors import ExternalShutdownException, MultiThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions
from rclpy.utilities import remove_ros_args

from mmrobot.errors import MmrobotError
from mmrobot.ros.owner import end_with_owner

SHUTDOWN_S = 3.0


class _Process:
    """Waits for a signal or a fault, whichever comes first."""

    def __init__(self) -> None:
        self.ended = threading.Event()
        self.fault = False

    def fail(self) -> None:
        self.fault = True
        self.ended.set()


_process = _Process()


def guarded_thread(work: Callable[[], object], name: str) -> threading.Thread:
    """A started thread whose exception ends the process as failed: half a node must not live on."""

    def guarded() -> None:
        try:
            work()
        except BaseException:  # noqa: BLE001 - whatever it is, the process ends with it
            _fail_process()

    thread = threading.Thread(target=guarded, name=name, daemon=True)
    thread.start()
    return thread


def _fail_process() -> None:
    traceback.print_exc()
    _process.fail()


def _end(*_: object) -> None:
    """A terminal and a launcher both send SIGINT: the second must not break the shutdown off."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _process.ended.set()


def run_node(make: Callable[[], Node], threads: int, argv: list[str] | None = None) -> int:
    """Init, make the node, spin it on a pool of `threads` until a signal, close it. Exit status."""
    unknown = remove_ros_args(sys.argv if argv is None else argv)[1:]
    if unknown:
        print(f"error: unknown arguments {unknown}; use --ros-args -p NAME:=VALUE", file=sys.stderr)
        return 2
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end)
    end_with_owner(_process.ended.set)
    rclpy.init(args=argv, signal_handler_options=SignalHandlerOptions.NO)
    node: Node | None = None
    try:
        node = make()
        executor = MultiThreadedExecutor(num_threads=threads)
        executor.add_node(node)
        spinner = guarded_thread(lambda: _spin(executor), "executor")
        # A wait without end would not let the signal handler run on every platform.
        while not _process.ended.wait(1.0):
            pass
        close = getattr(node, "close", None)
        if close is not None:
            close()
        executor.shutdown(timeout_sec=SHUTDOWN_S)
        spinner.join(SHUTDOWN_S)
    except MmrobotError as error:
        # The last line is for the supervisor, which passes it on.
        print(f"error: {error.message}. {error.fix}", file=sys.stderr)
        print(json.dumps({"ok": False, "error": error.as_dict()}), file=sys.stderr, flush=True)
        return 1
    finally:
        rclpy.try_shutdown()
    return 1 if _process.fault else 0


def _spin(executor: MultiThreadedExecutor) -> None:
    try:
        executor.spin()
    except ExternalShutdownException:
        return  # a signal has ended ROS: spinning ends with it, and that is no fault
    except Exception:
        # At the end rclpy's parts vanish under a spin that still runs; before, it is a fault.
        if not _process.ended.is_set():
            raise
