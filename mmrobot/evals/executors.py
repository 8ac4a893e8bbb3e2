"""Where episodes are played: in this process, in several, or on the machines of a Ray cluster.

Whichever it is, the same tasks give the same results; only their order differs.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from importlib import import_module
from typing import Any, TypeVar

from mmrobot.errors import InvalidConfigError

EXECUTORS = ("local", "ray")
T = TypeVar("T")
R = TypeVar("R")
_THREADS = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
_WAITING_EACH = 4


def check_executor(name: str) -> None:
    """Raises InvalidConfigError for one that is unknown or not installed."""
    if name not in EXECUTORS:
        raise InvalidConfigError(f"--executor '{name}' is unknown", f"known: {', '.join(EXECUTORS)}")
    if name == "ray":
        _ray()


def play_all(
    play: Callable[[T], R], tasks: Sequence[T], executor: str = "local", jobs: int = 1
) -> Iterator[tuple[T, R]]:
    """Each task with its result, as they come. `jobs` processes; with Ray, tasks at a time (1: all cores of
    the cluster)."""
    if executor == "ray":
        yield from _on_ray(play, tasks, jobs)
    elif jobs == 1 or len(tasks) < 2:
        for task in tasks:
            yield task, play(task)
    else:
        yield from _in_processes(play, tasks, jobs)


def _in_processes(play: Callable[[T], R], tasks: Sequence[T], jobs: int) -> Iterator[tuple[T, R]]:
    # Spawned, not forked: graphics contexts and thread pools do not survive a fork.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=context, initializer=_start_worker) as pool:
        futures: dict[Future[R], T] = {pool.submit(play, t): t for t in tasks}
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _start_worker() -> None:
    """One core a worker: more threads than cores only wait for each other."""
    os.environ.update(_THREADS)


def _on_ray(play: Callable[[T], R], tasks: Sequence[T], jobs: int) -> Iterator[tuple[T, R]]:
    """On the cluster at $RAY_ADDRESS, or on one of this machine's own."""
    ray = _ray()
    began = not ray.is_initialized()
    if began:
        own = {"env_vars": {**_THREADS, "PYTHONPATH": os.environ.get("PYTHONPATH", "")}}
        ray.init(address=os.environ.get("RAY_ADDRESS") or None, runtime_env=own, log_to_driver=False)
    try:
        remote = ray.remote(num_cpus=1, max_retries=2)(play)
        at_once = jobs if jobs > 1 else _WAITING_EACH * max(int(ray.cluster_resources().get("CPU", 1)), 1)
        waiting = list(tasks)
        running: dict[Any, T] = {}
        while waiting or running:
            while waiting and len(running) < at_once:
                task = waiting.pop(0)
                running[remote.remote(task)] = task
            (ready, *_), _ = ray.wait(list(running), num_returns=1)
            yield running.pop(ready), ray.get(ready)
    finally:
        if began:
            ray.shutdown()


def _ray() -> Any:
    try:
        return import_module("ray")
    except ImportError as error:
        raise InvalidConfigError(
            "--executor ray needs Ray, which is not installed here", "pip install 'ray>=2.9', or leave it out"
        ) from error
