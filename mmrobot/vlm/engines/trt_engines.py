"""From a folder of exported graphs to engines that fit this machine: kept ones are found, others built."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmrobot.vlm.engines.cache import cache_folder
from mmrobot.vlm.engines.trt_build import EngineBuilder
from mmrobot.vlm.engines.trt_device import Device
from mmrobot.vlm.engines.trt_key import DEFAULT_OPTIONS, BuildOptions, EngineKey
from mmrobot.vlm.engines.trt_memory import Need, build_need, check_memory, workspace_limit
from mmrobot.vlm.engines.trt_parts import OnnxPart
from mmrobot.vlm.engines.trt_progress import Phase
from mmrobot.vlm.engines.trt_store import EngineStore, StoredEngine

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Target:
    """What engines are built for: a TensorRT and a GPU, by name."""

    tensorrt: str
    gpu: str
    capability: tuple[int, int]


@dataclass(frozen=True)
class Planned:
    """An engine that is wanted: its key, what is there of it, and the memory that building it takes."""

    part: OnnxPart
    key: EngineKey
    stored: StoredEngine | None
    path: Path
    need: Need


def default_store() -> EngineStore:
    """Engines in mmrobot's cache folder."""
    return EngineStore(cache_folder() / "tensorrt")


def key_of(part: OnnxPart, target: Target, options: BuildOptions) -> EngineKey:
    """The key of a part's engine on a target."""
    return EngineKey(
        part=part.name,
        model_hash=part.model_hash(),
        tensorrt=target.tensorrt,
        gpu=target.gpu,
        capability=target.capability,
        precision=part.precision,
        inputs=part.inputs,
        outputs=part.outputs,
        options=options,
    )


def plan_engines(
    parts: Sequence[OnnxPart], target: Target, store: EngineStore, options: BuildOptions = DEFAULT_OPTIONS
) -> tuple[Planned, ...]:
    """What would be built and what is there already; needs neither TensorRT nor a GPU."""
    planned = []
    for part in parts:
        key = key_of(part, target, options)
        need = build_need(part.weights_bytes, part.tensors)
        planned.append(Planned(part, key, store.find(key), store.path(key), need))
    return tuple(planned)


class EngineMaker:
    """Builds the engines that a store lacks. Not safe for concurrent calls; several processes may run."""

    def __init__(self, trt: Any, device: Device, store: EngineStore, check_free: bool = True) -> None:
        self._trt = trt
        self._device = device
        self._store = store
        self._check_free = check_free
        self._builder: EngineBuilder | None = None

    @property
    def target(self) -> Target:
        """This machine's TensorRT and GPU."""
        return Target(str(self._trt.__version__), self._device.gpu.name, self._device.gpu.capability)

    def make(
        self,
        part: OnnxPart,
        options: BuildOptions = DEFAULT_OPTIONS,
        report: Callable[[Phase], None] = lambda phase: None,
        anew: bool = False,
    ) -> StoredEngine:
        """The engine of a part: from the store, or built and stored. `anew` builds in any case.

        Raises ModelUnavailableError when memory does not suffice or TensorRT cannot build it.
        """
        key = key_of(part, self.target, options)
        stored = None if anew else self._store.find(key)
        if stored is not None:
            return stored
        with self._store.lock(key):
            # Another process may have built it while this one waited.
            stored = None if anew else self._store.find(key)
            if stored is not None:
                return stored
            need = build_need(part.weights_bytes, part.tensors)
            if self._check_free:
                check_memory(need, self._device, f"building the engine '{part.name}'")
            free = self._device.free_bytes()
            _log.info("building %s for %s", key.stem, self._device.gpu.name)
            built = self._ready_builder().build(
                part.file, part.inputs, part.outputs, workspace_limit(free, need), options, report
            )
            return self._store.put(key, built.data, built.seconds)

    def _ready_builder(self) -> EngineBuilder:
        if self._builder is None:
            gpu = self._device.gpu
            name = f"timing-{self._trt.__version__}-{gpu.name}-sm{gpu.capability[0]}{gpu.capability[1]}"
            safe = "".join(c if c.isalnum() or c in "-." else "_" for c in name)
            self._builder = EngineBuilder(self._trt, self._device, self._store.folder / f"{safe}.cache")
        return self._builder
