"""Speed and quality of mmrobot-nano's backends: one process each, in turns within each round."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from mmrobot.errors import ModelUnavailableError
from mmrobot.evals.bench.backends import REFERENCE, check_names
from mmrobot.evals.bench.machine import describe_machine
from mmrobot.evals.bench.roofline import roofline
from mmrobot.evals.bench.samples import Samples
from mmrobot.evals.bench.stages import MODEL_STAGES
from mmrobot.evals.summary import percentiles

Record = dict[str, Any]
Tell = Callable[[str], None]

TARGETS = {"plan_p50_ms": 50.0, "speedup": 5.0, "accuracy_loss_points": 0.5, "boxes_per_s": 250.0}
"""Of the project's plan for two CPU cores."""
_WORKER = "mmrobot.evals.bench.worker"
_RATIOS = ("cold_ms", "cold_cpu_ms", "draft_ms", "vision", "read", "write_token")


class Worker:
    """A backend's process. `absent` says why there is none."""

    def __init__(self, backend: str, folder: Path, threads: int, samples: Path) -> None:
        self.backend, self.absent = backend, ""
        environment = {**os.environ, "OMP_NUM_THREADS": str(threads)} if threads else dict(os.environ)
        self._process = subprocess.Popen(
            [sys.executable, "-m", _WORKER, backend, str(folder), str(threads), str(samples)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment,
        )  # fmt: skip
        self.ready = self._answer()
        self.absent = str(self.ready.get("absent", ""))

    def ask(self, do: str) -> Any:
        """The answer to a command. Raises ModelUnavailableError when the process is gone."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps({"do": do}) + "\n")
            self._process.stdin.flush()
        except OSError as error:
            raise self._gone() from error
        return self._answer()

    def close(self) -> None:
        """Ends the process."""
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise self._gone()
        return json.loads(line)

    def _gone(self) -> ModelUnavailableError:
        status = self._process.wait()
        return ModelUnavailableError(
            f"the process of backend '{self.backend}' ended with status {status}",
            f"run it alone: mmrobot bench --backends {self.backend}",
        )


def measure_speed(
    folder: Path,
    samples: Samples,
    backends: Sequence[str],
    rounds: int,
    threads: int = 1,
    tell: Tell = lambda words: None,
) -> dict[str, Any]:
    """Figures of every backend that is to be had here, ratios first. Raises InvalidConfigError, and
    ModelUnavailableError when none is."""
    check_names(tuple(backends))
    absent: dict[str, str] = {}
    workers: list[Worker] = []
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "samples"
        samples.save(file)
        try:
            for backend in backends:
                tell(f"loading {backend}")
                worker = _started(backend, folder, threads, file)
                if worker.absent:
                    absent[backend] = worker.absent
                    worker.close()
                else:
                    workers.append(worker)
            if not workers:
                reasons = "; ".join(f"{name}: {reason}" for name, reason in absent.items())
                raise ModelUnavailableError(f"no backend is to be had here: {reasons}", "run: mmrobot doctor")
            machine = describe_machine(threads)
            records: dict[str, list[list[Record]]] = {w.backend: [] for w in workers}
            for index in range(rounds):
                turn = index % len(workers)
                for worker in workers[turn:] + workers[:turn]:
                    tell(f"round {index + 1} of {rounds}: {worker.backend}")
                    records[worker.backend].append(worker.ask("round"))
            quality = {}
            for worker in workers:
                tell(f"grounding quality: {worker.backend}")
                quality[worker.backend] = worker.ask("quality")
            memory = {w.backend: round(w.ask("memory")["peak_mb"], 1) for w in workers}
        finally:
            for worker in workers:
                worker.close()
    whole = {name: whole_figures(rows) for name, rows in records.items()}
    stages = {name: stage_figures(rows) for name, rows in records.items()}
    return {
        "ratios": {name: ratios(records, name) for name in records if REFERENCE in records},
        "whole": whole,
        "stages": stages,
        "quality": quality,
        "peak_memory_mb": memory,
        "absent": absent,
        "roofline": roofline(
            folder,
            machine["memory_read_gb_s"],
            {n: s["write_token"].get("p50", 0.0) for n, s in stages.items()},
        ),
        "targets": targets(whole, quality),
        "machine": machine,
        "rounds": rounds,
        "tasks": len(samples.tasks),
    }


def _started(backend: str, folder: Path, threads: int, samples: Path) -> Worker:
    worker = Worker(backend, folder, threads, samples)
    if worker.absent or not worker.ready["exported"]:
        return worker
    # This first start exported graphs or built engines, which takes memory that later starts do not.
    worker.close()
    return Worker(backend, folder, threads, samples)


def whole_figures(rounds: Sequence[Sequence[Record]]) -> dict[str, Any]:
    """One backend over all rounds: the whole way from picture to plan, and boxes a second."""
    rows = [record for records in rounds for record in records]

    def spread(key: str) -> dict[str, float]:
        return percentiles([r[key] for r in rows])

    describe_s = sum(r["describe_ms"] for r in rows) / 1000
    return {
        "plan_cold_ms": spread("cold_ms"),
        "plan_cold_cpu_ms": spread("cold_cpu_ms"),
        "plan_cached_ms": spread("cached_ms"),
        "plan_cached_cpu_ms": spread("cached_cpu_ms"),
        "rooms_ms": {
            room: percentiles([r["rooms"][room] for r in rows if room in r["rooms"]])
            for room in dict.fromkeys(name for r in rows for name in r["rooms"])
        },
        "draft_ms": spread("draft_ms"),
        "describe_ms": spread("describe_ms"),
        "phrase_cached_ms": spread("phrase_cached_ms"),
        "boxes_per_s": round(sum(r["boxes"] for r in rows) / describe_s, 1) if describe_s else 0.0,
        "tokens_a_plan": round(sum(r["tokens"] for r in rows) / len(rows), 2),
        "planned": round(sum(r["planned"] == "plan" for r in rows) / len(rows), 4),
        "outcomes": sorted({r["planned"] for r in rows}),
    }


def stage_figures(rounds: Sequence[Sequence[Record]]) -> dict[str, dict[str, float]]:
    """p50, p95 and p99 of every stage's calls, milliseconds; {} for a stage that never ran."""
    rows = [record for records in rounds for record in records]
    return {stage: percentiles([ms for r in rows for ms in r["stages"][stage]]) for stage in MODEL_STAGES}


def ratios(records: Mapping[str, Sequence[Sequence[Record]]], name: str) -> dict[str, dict[str, float]]:
    """How many times as fast as the reference: the middle of the rounds' ratios, and their range."""
    out: dict[str, dict[str, float]] = {}
    for key in _RATIOS:
        each = []
        for mine, other in zip(records[name], records[REFERENCE], strict=True):
            a, b = _middle(other, key), _middle(mine, key)
            if a and b:
                each.append(a / b)
        if each:
            label = {"cold_ms": "plan_cold", "cold_cpu_ms": "plan_cold_cpu", "draft_ms": "model"}.get(
                key, key
            )
            out[label] = {
                "median": round(median(each), 2),
                "least": round(min(each), 2),
                "most": round(max(each), 2),
            }
    return out


def _middle(records: Sequence[Record], key: str) -> float:
    values = (
        [v for r in records for v in r["stages"][key]] if key in MODEL_STAGES else [r[key] for r in records]
    )
    return median(values) if values else 0.0


def targets(whole: Mapping[str, Any], quality: Mapping[str, Any]) -> dict[str, Any]:
    """What was to be reached, what the fastest backend reached, and whether it did."""
    best = min(whole, key=lambda name: whole[name]["plan_cold_ms"]["p50"])
    reached: dict[str, Any] = {
        "backend": best,
        "plan_p50_ms": _met(whole[best]["plan_cold_ms"]["p50"], TARGETS["plan_p50_ms"], at_most=True),
        "boxes_per_s": _met(whole[best]["boxes_per_s"], TARGETS["boxes_per_s"]),
    }
    if REFERENCE in whole:
        speedup = whole[REFERENCE]["plan_cold_ms"]["p50"] / whole[best]["plan_cold_ms"]["p50"]
        reached["speedup"] = _met(round(speedup, 2), TARGETS["speedup"])
        model = whole[REFERENCE]["draft_ms"]["p50"] / whole[best]["draft_ms"]["p50"]
        reached["speedup_of_the_model"] = _met(round(model, 2), TARGETS["speedup"])
        loss = 100 * (quality[REFERENCE]["all"]["success"] - quality[best]["all"]["success"])
        reached["accuracy_loss_points"] = _met(round(loss, 2), TARGETS["accuracy_loss_points"], at_most=True)
    return reached


def _met(value: float, target: float, at_most: bool = False) -> dict[str, Any]:
    return {"value": value, "target": target, "met": value <= target if at_most else value >= target}
