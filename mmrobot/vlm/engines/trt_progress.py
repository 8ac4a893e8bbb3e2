"""What TensorRT says while it works: its log lines into Python's logging, its phases as progress."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

_log = logging.getLogger("mmrobot.tensorrt")
KEPT_LINES = 20
REPORT_PERIOD_S = 0.2


@dataclass(frozen=True)
class Phase:
    """One phase of a build, within `depth` others; `done` of `steps` steps are over."""

    name: str
    depth: int
    steps: int
    done: int = 0
    finished: bool = False


Report = Callable[[Phase], None]
"""Told about phases; called from TensorRT's threads, one call at a time."""


class Progress:
    """The phases under way. Thread-safe, as TensorRT calls from several threads.

    `cancel()` makes TensorRT end the build at its next step.
    """

    def __init__(self, report: Report, clock: Callable[[], float] = time.monotonic) -> None:
        self._report = report
        self._clock = clock
        self._lock = threading.Lock()
        self._phases: dict[str, Phase] = {}
        self._last = -REPORT_PERIOD_S
        self.cancelled = False

    def start(self, name: str, parent: str | None, steps: int) -> None:
        """A phase began; `parent` is the phase it is a part of."""
        with self._lock:
            depth = self._phases[parent].depth + 1 if parent in self._phases else 0
            self._phases[name] = Phase(name, depth, max(int(steps), 1))
            self._tell(self._phases[name], always=depth == 0)

    def step(self, name: str, step: int) -> bool:
        """Step number `step`, from 0, is over. False asks TensorRT to give up."""
        with self._lock:
            phase = self._phases.get(name)
            if phase is not None:
                self._phases[name] = replace(phase, done=min(int(step) + 1, phase.steps))
                self._tell(self._phases[name])
            return not self.cancelled

    def finish(self, name: str) -> None:
        """A phase is over, though its steps may not all have run."""
        with self._lock:
            phase = self._phases.pop(name, None)
            if phase is not None:
                self._tell(replace(phase, finished=True), always=phase.depth == 0)

    def cancel(self) -> None:
        """Ask TensorRT to end the build; TensorRT then gives no engine."""
        self.cancelled = True

    def _tell(self, phase: Phase, always: bool = False) -> None:
        now = self._clock()
        if always or now - self._last >= REPORT_PERIOD_S:
            self._last = now
            self._report(phase)


def make_monitor(trt: Any, progress: Progress) -> Any:
    """An IProgressMonitor that feeds `progress`. Keep it alive as long as the builder configuration."""

    class Monitor(trt.IProgressMonitor):
        def __init__(self) -> None:
            trt.IProgressMonitor.__init__(self)

        def phase_start(self, phase_name: str, parent_phase: str | None, num_steps: int) -> None:
            progress.start(phase_name, parent_phase, num_steps)

        def phase_finish(self, phase_name: str) -> None:
            progress.finish(phase_name)

        def step_complete(self, phase_name: str, step: int) -> bool:
            return progress.step(phase_name, step)

    return Monitor()


class LogLines:
    """TensorRT's last warnings and errors, for the message of an error that follows them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._errors: list[str] = []

    def add(self, level: int, text: str) -> None:
        """One line of TensorRT's log, with a level of Python's logging."""
        _log.log(level, "%s", text)
        if level >= logging.ERROR:
            with self._lock:
                self._errors = (self._errors + [text])[-KEPT_LINES:]

    def take_errors(self) -> tuple[str, ...]:
        """The errors since the last call."""
        with self._lock:
            taken, self._errors = tuple(self._errors), []
        return taken


def make_logger(trt: Any, lines: LogLines) -> Any:
    """An ILogger that feeds `lines`. Keep it alive as long as anything that was made with it."""
    levels = {
        trt.ILogger.INTERNAL_ERROR: logging.CRITICAL,
        trt.ILogger.ERROR: logging.ERROR,
        trt.ILogger.WARNING: logging.WARNING,
        # TensorRT's information is about its tactics and memory: of use only when something is looked for.
        trt.ILogger.INFO: logging.DEBUG,
    }

    class Lines(trt.ILogger):
        def __init__(self) -> None:
            trt.ILogger.__init__(self)

        def log(self, severity: Any, msg: str) -> None:
            level = levels.get(severity)
            if level is not None:
                lines.add(level, msg)

    return Lines()
