"""One backend in a process of its own, so that its memory is its own: python -m mmrobot.evals.bench.worker

Reads one JSON command a line ("round", "quality", "memory"), answers each with one JSON line.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any, TextIO

from mmrobot.config import GroundingConfig
from mmrobot.errors import MmrobotError
from mmrobot.evals.bench.backends import load_backend
from mmrobot.evals.bench.machine import peak_memory_mb
from mmrobot.evals.bench.quality import grounding_quality
from mmrobot.evals.bench.samples import Samples
from mmrobot.evals.bench.stages import measure_task


def main(arguments: list[str]) -> int:
    """Arguments: backend, folder of the weights, threads, file of the samples."""
    backend, folder, threads, samples_file = arguments
    # Whatever libraries print must not come between the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    samples = Samples.load(Path(samples_file))
    before_mb = peak_memory_mb()
    begin = time.perf_counter()
    try:
        parts = load_backend(backend, Path(folder), int(threads))
        measure_task(parts, samples.tasks[0])
    except MmrobotError as error:
        _answer(answers, {"absent": error.message})
        return 0
    ready_s = time.perf_counter() - begin
    # onnx is imported only where graphs are made, not where they are run.
    exported = "onnx" in sys.modules or backend == "tensorrt"
    _answer(answers, {"name": parts.name, "ready_s": ready_s, "before_mb": before_mb, "exported": exported})
    for line in sys.stdin:
        _answer(answers, _do(json.loads(line), parts, samples))
    return 0


def _do(command: dict[str, Any], parts: Any, samples: Samples) -> Any:
    match command["do"]:
        case "round":
            return [measure_task(parts, task) for task in samples.tasks]
        case "quality":
            return grounding_quality(parts, samples.scenes, GroundingConfig())
        case "memory":
            return {"peak_mb": peak_memory_mb()}
        case other:
            raise ValueError(f"unknown command '{other}'")


def _answer(stream: TextIO, content: Any) -> None:
    stream.write(json.dumps(content) + "\n")
    stream.flush()


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
