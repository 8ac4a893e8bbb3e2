"""Starts the graph's nodes as processes, watches them, ends them: what `ros2 launch` does, without it."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mmrobot.errors import AlreadyRunningError, ErrorCode, MmrobotError
from mmrobot.ros.graph import NodeSpec
from mmrobot.ros.machine_lock import machine_lock
from mmrobot.ros.restart_rule import RestartRule
from mmrobot.ros.spent_ports import SpentPorts, port_of

INTERRUPT_S = 4.0
TERMINATE_S = 2.0
_PR_SET_PDEATHSIG = 1
# A start takes a core: those who must notice the death, and hold the robot still, have it first.
NOTICE_S = 0.5


class NodeDiedError(MmrobotError):
    """A node's process ended by itself; carries the node's own error where it told one."""

    def __init__(self, message: str, fix: str, code: ErrorCode) -> None:
        super().__init__(message, fix)
        self.code = code


def free_domain(first: int = 40, last: int = 99) -> tuple[int, socket.socket]:
    """A ROS domain without participants on this machine, and a socket that reserves it while open.

    A participant binds a UDP port of its domain, so a port that binds tells of an unused one; the lock
    keeps others who choose this way off.
    """
    for domain in range(first, last + 1):
        lock = machine_lock(f"domain/{domain}")
        if lock is None:
            continue
        try:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
                probe.bind(("", port_of(domain)))
        except OSError:
            lock.close()
            continue
        return domain, lock
    raise AlreadyRunningError(f"all ROS domains from {first} to {last} are in use", "stop some of them")


@dataclass
class _Running:
    spec: NodeSpec
    process: subprocess.Popen[bytes]
    log: Path | None
    since_s: float
    ended_s: float | None = None
    """When its end was seen."""


class Supervisor:
    """The processes of one graph. Use as a context manager: leaving it ends them all.

    With `log_folder` each node writes its own file there; else all share this process's stderr. Start nodes
    from the main thread: Linux ends them with the thread that started them.
    """

    def __init__(
        self,
        nodes: Sequence[NodeSpec],
        environment: Mapping[str, str] | None = None,
        log_folder: Path | None = None,
    ) -> None:
        self._nodes = list(nodes)
        self._environment = {**os.environ, **(environment or {})}
        self._log_folder = log_folder
        self._running: dict[str, _Running] = {}
        self._rule = RestartRule()
        self._spent = SpentPorts(int(self._environment.get("ROS_DOMAIN_ID") or 0))

    def __enter__(self) -> Supervisor:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start all nodes; they find each other in any order."""
        for spec in self._nodes:
            self.start_node(spec)

    def start_node(self, spec: NodeSpec) -> None:
        """Start one node, also one that died."""
        log = None if self._log_folder is None else self._log_folder / f"{spec.name}.log"
        if log is not None:
            log.parent.mkdir(parents=True, exist_ok=True)
        output = sys.stderr if log is None else log.open("ab" if spec.name in self._running else "wb")
        try:
            process = subprocess.Popen(
                [sys.executable, "-m", spec.module, *spec.arguments()],
                env={**self._environment, **spec.environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=_die_with_parent,
            )
        finally:
            if log is not None:
                output.close()
        self._running[spec.name] = _Running(spec, process, log, time.monotonic())

    @property
    def pids(self) -> dict[str, int]:
        """Process ids of the nodes that live."""
        return {name: r.process.pid for name, r in self._running.items() if r.process.poll() is None}

    @property
    def started_s(self) -> dict[str, float]:
        """When the processes that live began, in monotonic seconds."""
        return {name: r.since_s for name, r in self._running.items() if r.process.poll() is None}

    def kill(self, name: str) -> None:
        """End one node without warning, as a crash would."""
        self._running[name].process.kill()
        self._running[name].process.wait()

    def revive(self, name: str) -> None:
        """Start a node that has ended again."""
        self._spent.hold()
        self.start_node(self._running[name].spec)

    def tend(self, hung: Iterable[str] = ()) -> list[str]:
        """Kill what is `hung`, start again what was killed or has crashed; the names of what was started.

        Raises NodeDiedError for a node that RestartRule does not start again.
        """
        for name in hung:
            self.kill(name)
        begun = []
        for name in self.dead():
            now_s, running = time.monotonic(), self._running[name]
            running.ended_s = running.ended_s or now_s
            if now_s - running.ended_s < NOTICE_S:
                continue
            lived_s = running.ended_s - running.since_s
            if not self._rule.again(name, running.process.returncode, lived_s, now_s):
                raise self.obituary(name)
            self.revive(name)
            begun.append(name)
        return begun

    def dead(self) -> list[str]:
        """Names of nodes whose processes have ended."""
        return [name for name, r in self._running.items() if r.process.poll() is not None]

    def check(self) -> None:
        """Raises NodeDiedError for the first node that has ended, with the error that it told."""
        for name in self.dead():
            raise self.obituary(name)

    def obituary(self, name: str) -> NodeDiedError:
        """Why a node ended: its own error line, else its last words."""
        running = self._running[name]
        status = running.process.returncode
        if running.log is None:
            return NodeDiedError(
                f"node '{name}' ended with status {status}", "see its output above", ErrorCode.INTERNAL
            )
        lines = running.log.read_text(errors="replace").splitlines()
        for line in reversed(lines[-20:]):
            if line.startswith('{"ok": false'):
                error = json.loads(line)["error"]
                return NodeDiedError(
                    f"node '{name}': {error['message']}", error["fix"], ErrorCode[error["code"]]
                )
        last = lines[-1] if lines else "no output"
        return NodeDiedError(
            f"node '{name}' ended with status {status}: {last}", f"read {running.log}", ErrorCode.INTERNAL
        )

    def stop(self) -> None:
        """Interrupt all, then terminate, then kill whoever is left."""
        self._spent.close()
        for number, patience_s in (
            (signal.SIGINT, INTERRUPT_S),
            (signal.SIGTERM, TERMINATE_S),
            (signal.SIGKILL, 5.0),
        ):
            living = [r.process for r in self._running.values() if r.process.poll() is None]
            if not living:
                break
            for process in living:
                process.send_signal(number)
            deadline = time.monotonic() + patience_s
            for process in living:
                try:
                    process.wait(max(0.0, deadline - time.monotonic()))
                except subprocess.TimeoutExpired:
                    continue


def _die_with_parent() -> None:
    """Linux: the node gets SIGTERM when its supervisor dies, so that no robot runs on unwatched."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
