"""Hours of work, and many starts: does memory grow, does a task fail, does a bring-up leave a process behind?

Tasks are the shipped scene's sentence, again and again on one graph with the shipped settings, the scene put
back before each; physics judges them. Memory is each process's resident set after each task. Bring-ups are
whole graphs, each its own, up to a plan that is made, and down again.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import t as student_t

from mmrobot.errors import MmrobotError
from mmrobot.evals.faults import DONE
from mmrobot.evals.faults_rig import ASIDE, TASK_S, Rig, Setting, running_rig
from mmrobot.evals.statistics import wilson
from mmrobot.ros.fault_probe import code_of
from mmrobot.ros.hung import hung
from mmrobot.tabletop.goals import holds

WARM_SHARE = 0.25
"""Of the samples so many are left out of the slope: caches fill, allocators settle."""
LEAST_SAMPLES = 8
MB = 1024.0
Tell = Callable[[str], object]


@dataclass(frozen=True)
class Slope:
    """Growth of one process, MB in an hour, with the 95 % interval of a straight line; of `n` samples."""

    mb_per_hour: float
    low: float
    high: float
    first_mb: float
    last_mb: float
    n: int


@dataclass
class Soak:
    """What was found so far."""

    tasks: list[str] = field(default_factory=list)
    """Of each task DONE, or what went wrong."""
    memory: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    """Of each node (seconds since the begin, MB); anew when its process is another."""
    deaths: list[str] = field(default_factory=list)
    bringups: list[str] = field(default_factory=list)
    up_s: list[float] = field(default_factory=list)
    down_s: list[float] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Nothing failed, nothing died."""
        return not self.deaths and all(r == DONE for r in (*self.tasks, *self.bringups))

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "tasks": _rate(self.tasks),
            "bringups": {**_rate(self.bringups), "up_s": _spread(self.up_s), "down_s": _spread(self.down_s)},
            "deaths": self.deaths,
            "memory": {
                name: vars(found) for name, samples in self.memory.items() if (found := slope(samples))
            },
        }


def slope(samples: Sequence[tuple[float, float]]) -> Slope | None:
    """Of (s, MB), least squares after the warm share; None for fewer than LEAST_SAMPLES."""
    kept = np.asarray(samples[int(len(samples) * WARM_SHARE) :], np.float64)
    if len(kept) < LEAST_SAMPLES:
        return None
    hours, size_mb = kept[:, 0] / 3600.0, kept[:, 1]
    away = hours - hours.mean()
    spread = float(away @ away)
    per_hour = float(away @ size_mb) / spread
    off = size_mb - size_mb.mean() - per_hour * away
    error = float(np.sqrt(off @ off / (len(kept) - 2) / spread))
    half = float(student_t.ppf(0.975, len(kept) - 2)) * error
    first_mb, last_mb = float(size_mb[0]), float(size_mb[-1])
    return Slope(per_hour, per_hour - half, per_hour + half, first_mb, last_mb, len(kept))


def resident_mb(pid: int, proc: Path = Path("/proc")) -> float:
    """A process's resident set. Raises FileNotFoundError when it has ended."""
    for line in (proc / str(pid) / "status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / MB
    raise FileNotFoundError(f"process {pid} holds no memory: it has ended")


def work(soak: Soak, seconds: float, folder: Path, real_time_factor: float, tell: Tell) -> None:
    """Tasks on one graph for so long."""
    with running_rig(Setting(), folder, real_time_factor) as rig:
        began_s = time.monotonic()
        pids: dict[str, int] = {}
        while time.monotonic() - began_s < seconds:
            soak.tasks.append(_task(rig))
            dead = rig.nodes.dead() + hung(rig.client.monitor, rig.nodes.started_s)
            soak.deaths += dead
            rig.clean = soak.tasks[-1] == DONE and not dead
            for name, pid in rig.nodes.pids.items():
                if pids.setdefault(name, pid) != pid:
                    pids[name], soak.memory[name] = pid, []
                now_s = time.monotonic() - began_s
                with contextlib.suppress(FileNotFoundError):  # it dies now: seen after the next task
                    soak.memory.setdefault(name, []).append((now_s, resident_mb(pid)))
            tell(f"task {len(soak.tasks)}: {soak.tasks[-1]}")


def _task(rig: Rig) -> str:
    try:
        rig.refresh()
        follow = rig.client.follow(rig.words, timeout_s=20.0)
        if not follow.done.wait(TASK_S):
            return f"no result within {TASK_S:g} s"
        if follow.error is not None:
            return f"{code_of(follow.error)}: {follow.error.message}"
        world = rig.world()
        missed = [goal for goal in rig.goals if not holds(goal, world, rig.scene)]
    except MmrobotError as error:
        return f"{type(error).__name__}: {error.message}"
    return f"said done, and {missed[0]} does not hold" if missed else DONE


def bring_up(soak: Soak, folder: Path, real_time_factor: float, tell: Tell) -> None:
    """One graph: up, a plan, down; nothing may be left."""
    began_s = time.monotonic()
    pids: Mapping[str, int] = {}
    try:
        with running_rig(Setting(), folder, real_time_factor) as rig:
            pids = rig.nodes.pids
            made = rig.instruct(ASIDE)
            soak.up_s.append(time.monotonic() - began_s)
            found = DONE if made.code == DONE else f"no plan: {made.words or made.code}"
            down_s = time.monotonic()
        soak.down_s.append(time.monotonic() - down_s)
        left = [name for name, pid in pids.items() if Path(f"/proc/{pid}").exists()]
        if left:
            found = f"{' and '.join(left)} left behind"
    except MmrobotError as error:
        found = f"{type(error).__name__}: {error.message}"
    soak.bringups.append(found)
    tell(f"bring-up {len(soak.bringups)}: {found}")


def _rate(results: Sequence[str]) -> dict[str, Any]:
    done = sum(r == DONE for r in results)
    failed = [f"{number}: {r}" for number, r in enumerate(results, 1) if r != DONE]
    return {"n": len(results), "done": done, "wilson95": wilson(done, len(results)), "failed": failed}


def _spread(values: Sequence[float]) -> dict[str, float]:
    if not values:
        return {}
    return {"median": float(np.median(values)), "worst": float(np.max(values))}
