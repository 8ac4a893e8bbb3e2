"""One thread for the model; the latest request wins, so that no callback ever waits for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from mmrobot.errors import PreemptedError


class InferenceThread:
    """Runs one job at a time on its own thread, and holds at most one more for each `slot`.

    A newer job of the same slot replaces the one that still waits (its future fails with
    PreemptedError); the job that runs is never interrupted, its caller may ignore the answer.
    Slots wait in the order in which they were first asked for.
    """

    def __init__(self, name: str = "inference") -> None:
        self._condition = threading.Condition()
        self._waiting: dict[str, tuple[Callable[[], Any], Future[Any]]] = {}
        self._closed = False
        self._running = False
        self._begun: tuple[str, float] | None = None
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def submit(self, slot: str, job: Callable[[], Any]) -> Future[Any]:
        """Queue `job`; its future's callbacks run on the inference thread and must be short."""
        future: Future[Any] = Future()
        with self._condition:
            if self._closed:
                raise RuntimeError("the inference thread is closed")
            replaced = self._waiting.pop(slot, None)
            self._waiting[slot] = (job, future)
            self._condition.notify()
        if replaced is not None:
            replaced[1].set_exception(PreemptedError(f"a newer '{slot}' request took this one's place"))
        return future

    @property
    def busy(self) -> bool:
        """Whether a job runs or waits."""
        with self._condition:
            return self._running or bool(self._waiting)

    def busy_with(self) -> tuple[str, float]:
        """The slot of the job that runs and for how many wall seconds it has; ("", 0.0) while none does."""
        begun = self._begun
        return ("", 0.0) if begun is None else (begun[0], time.monotonic() - begun[1])

    def close(self, timeout_s: float = 5.0) -> None:
        """Drop what waits, let the running job end (at most `timeout_s`)."""
        with self._condition:
            self._closed = True
            dropped = list(self._waiting.values())
            self._waiting.clear()
            self._condition.notify()
        for _, future in dropped:
            future.set_exception(PreemptedError("the node shuts down"))
        self._thread.join(timeout_s)

    def _work(self) -> None:
        while True:
            with self._condition:
                self._running = False
                self._condition.wait_for(lambda: self._closed or bool(self._waiting))
                if self._closed:
                    return
                slot = next(iter(self._waiting))
                job, future = self._waiting.pop(slot)
                self._running = True
            if not future.set_running_or_notify_cancel():
                continue
            self._begun = (slot, time.monotonic())
            try:
                result = job()
            except BaseException as error:  # noqa: BLE001
                # The future carries every failure to whoever asked: nothing is swallowed here.
                self._begun = None
                future.set_exception(error)
            else:
                self._begun = None
                future.set_result(result)
