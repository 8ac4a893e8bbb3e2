"""The latest request wins and nobody waits."""

from __future__ import annotations

import threading
import time

import pytest

from mmrobot.errors import NotUnderstoodError, PreemptedError
from mmrobot.ros.inference_thread import InferenceThread


@pytest.fixture
def worker():
    worker = InferenceThread()
    yield worker
    worker.close()


def test_submit_does_not_wait_and_the_newest_of_a_slot_wins(worker: InferenceThread) -> None:
    gate = threading.Event()
    running = worker.submit("plan", gate.wait)
    started = time.monotonic()
    while not running.running():
        assert time.monotonic() - started < 5
        time.sleep(0.001)
    old, new = worker.submit("plan", lambda: "old"), worker.submit("plan", lambda: "new")
    other = worker.submit("ground", lambda: "other")
    assert time.monotonic() - started < 1
    with pytest.raises(PreemptedError, match="'plan'"):
        old.result(timeout=1)
    assert not new.done()
    assert worker.busy
    gate.set()
    assert new.result(timeout=5) == "new"
    assert other.result(timeout=5) == "other"
    assert running.result(timeout=5) is True


def test_failure_reaches_the_caller_and_the_thread_lives_on(worker: InferenceThread) -> None:
    def fail() -> None:
        raise NotUnderstoodError("no plan for 'xyz'")

    with pytest.raises(NotUnderstoodError, match="xyz"):
        worker.submit("plan", fail).result(timeout=5)
    assert worker.submit("plan", lambda: 3).result(timeout=5) == 3


def test_close_frees_those_who_wait(worker: InferenceThread) -> None:
    gate = threading.Event()
    worker.submit("plan", gate.wait)
    time.sleep(0.05)
    waiting = worker.submit("ground", lambda: 1)
    threading.Timer(0.1, gate.set).start()
    worker.close()
    with pytest.raises(PreemptedError, match="shuts down"):
        waiting.result(timeout=1)
    with pytest.raises(RuntimeError, match="closed"):
        worker.submit("plan", lambda: 1)


def test_how_long_a_job_has_run_is_known(worker: InferenceThread) -> None:
    assert worker.busy_with() == ("", 0.0)
    gate, begun = threading.Event(), threading.Event()
    job = worker.submit("plan", lambda: (begun.set(), gate.wait(5)))
    assert begun.wait(5)
    time.sleep(0.05)
    slot, seconds = worker.busy_with()
    assert slot == "plan" and 0.04 <= seconds < 5
    gate.set()
    job.result(timeout=5)
    assert worker.busy_with() == ("", 0.0)
