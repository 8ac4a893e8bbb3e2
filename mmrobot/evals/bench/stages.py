"""One instruction, timed stage by stage, from the picture's arrival to the checked plan in metres."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmrobot.config import Config
from mmrobot.errors import MmrobotError
from mmrobot.evals.bench.samples import Task
from mmrobot.pipeline import Pipeline
from mmrobot.vlm.families.nano import NanoVlm
from mmrobot.vlm.families.nano_parts import NanoParts, SeenObjects, WriteStep
from mmrobot.vlm.models.nano import NanoProcessor

MODEL_STAGES = ("preprocess", "vision", "recognise", "spell", "read", "write_token", "parse")
"""Of the model alone. `write_token` is one token, `parse` what is left: slots masked, words put together."""


@dataclass
class Clock:
    """Milliseconds of every call, by stage."""

    calls: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    @contextmanager
    def time(self, stage: str) -> Iterator[None]:
        begin = time.perf_counter()
        try:
            yield
        finally:
            self.calls[stage].append(1000 * (time.perf_counter() - begin))

    def total(self) -> float:
        return sum(sum(values) for values in self.calls.values())


class TimedParts:
    """A backend's parts, with a clock at each."""

    def __init__(self, parts: NanoParts, clock: Clock) -> None:
        self._parts, self._clock = parts, clock
        self.config, self.name = parts.config, parts.name

    def see(self, pixel_values: NDArray[np.float32]) -> SeenObjects:
        with self._clock.time("vision"):
            return self._parts.see(pixel_values)

    def recognise(self, views: NDArray[np.float32], boxes: NDArray[np.float32]) -> NDArray[np.float32]:
        with self._clock.time("recognise"):
            return self._parts.recognise(views, boxes)

    def spell(self, crops: NDArray[np.float32]) -> NDArray[np.float32]:
        with self._clock.time("spell"):
            return self._parts.spell(crops)

    def read(self, word_bytes: NDArray[np.int64]) -> Any:
        with self._clock.time("read"):
            return self._parts.read(word_bytes)

    def writer(self, memory: Any) -> WriteStep:
        step = self._parts.writer(memory)

        def timed(last: int, position: int) -> NDArray[np.float32]:
            with self._clock.time("write_token"):
                return step(last, position)

        return timed


class TimedProcessor:
    """The processor, with a clock at the picture's preparation."""

    def __init__(self, processor: NanoProcessor, clock: Clock) -> None:
        self._processor, self._clock = processor, clock

    def __getattr__(self, name: str) -> Any:
        return getattr(self._processor, name)

    def picture(self, image_rgb: NDArray[np.uint8]) -> Any:
        with self._clock.time("preprocess"):
            return self._processor.picture(image_rgb)


def measure_task(parts: NanoParts, task: Task, config: Config | None = None) -> dict[str, Any]:
    """A record of one task: `cold` (a picture never seen), `cached` (the same once more), `stages`, `boxes`.

    Milliseconds of wall time, `*_cpu` of this process's processor time: other programs count less there.
    """
    processor = NanoProcessor.of(parts.config)
    clock = Clock()
    vlm = NanoVlm(TimedParts(parts, clock), TimedProcessor(processor, clock), "bench")  # type: ignore[arg-type]
    with clock.time("whole"):
        # Words alone make the plan; the look that follows in any case is counted with it.
        vlm.describe(task.frame.rgb)
        outcome = _outcome(lambda: vlm.plan(task.frame.rgb, task.instruction))
    whole = clock.calls.pop("whole")[0]
    stages = {stage: list(clock.calls.get(stage, ())) for stage in MODEL_STAGES}
    stages["parse"] = [max(whole - clock.total(), 0.0)]
    tokens = len(stages["write_token"])

    def pipeline() -> Pipeline:
        return Pipeline(NanoVlm(parts, processor, "bench"), config)

    fresh = pipeline()
    rooms: dict[str, float] = {}
    cold_ms, cold_cpu, planned = _timed(
        lambda: rooms.update(fresh.plan(task.frame, task.instruction).timings_ms)
    )
    cached_ms, cached_cpu, _ = _timed(lambda: fresh.plan(task.frame, task.instruction))
    look = NanoVlm(parts, processor, "bench")
    begin = time.perf_counter()
    boxes = len(look.describe(task.frame.rgb))
    describe_ms = 1000 * (time.perf_counter() - begin)
    begin = time.perf_counter()
    look.ground(task.frame.rgb, "the red cube")
    phrase_ms = 1000 * (time.perf_counter() - begin)
    return {
        "stages": stages,
        "tokens": tokens,
        "draft_ms": whole,
        "draft": outcome,
        "cold_ms": cold_ms,
        "rooms": rooms,
        "cold_cpu_ms": cold_cpu,
        "cached_ms": cached_ms,
        "cached_cpu_ms": cached_cpu,
        "planned": planned,
        "boxes": boxes,
        "describe_ms": describe_ms,
        "phrase_cached_ms": phrase_ms,
    }


def _timed(work: Callable[[], object]) -> tuple[float, float, str]:
    """Wall and processor milliseconds, and what came of it: "plan" or an error's code."""
    begin, cpu = time.perf_counter(), time.process_time()
    outcome = _outcome(work)
    return 1000 * (time.perf_counter() - begin), 1000 * (time.process_time() - cpu), outcome


def _outcome(work: Callable[[], object]) -> str:
    try:
        work()
    except MmrobotError as error:
        return error.code.name
    return "plan"
