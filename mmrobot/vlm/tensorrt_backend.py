"""The TensorRT backend of mmrobot-nano: engines built of its ONNX graphs, replayed as CUDA graphs.

Never run on a GPU so far: see docs/tensorrt.md for what was tested and how.
"""

from __future__ import annotations

import logging
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmrobot.errors import ModelUnavailableError
from mmrobot.vlm.engines.trt_api import load_tensorrt
from mmrobot.vlm.engines.trt_decoder import cache_updates
from mmrobot.vlm.engines.trt_device import CudaDevice, Device
from mmrobot.vlm.engines.trt_engines import EngineMaker, default_store, plan_engines
from mmrobot.vlm.engines.trt_memory import check_memory, load_need
from mmrobot.vlm.engines.trt_parts import OnnxPart, read_parts
from mmrobot.vlm.engines.trt_progress import Phase
from mmrobot.vlm.engines.trt_runner import Engine, EngineLoader
from mmrobot.vlm.engines.trt_store import EngineStore
from mmrobot.vlm.families.nano_parts import SeenObjects, WriteStep
from mmrobot.vlm.models.nano.sizes import NanoSizes
from mmrobot.vlm.models.nano.vocabulary import CONTROL

SEEN = ("tokens", "boxes", "scores", "real", "places", "rests")
UNREACHABLE = -3e4
"""Logit of words that a shorter engine does not know of: never chosen."""
_log = logging.getLogger(__name__)


class _Memory:
    """What the writer reads of one text: in the engine's buffers, or set aside when another text came."""

    def __init__(self, words: int) -> None:
        self.words = words
        self.aside: dict[str, Any] | None = None


class TensorRtNano:
    """See, recognise, spell, read and write with TensorRT. Not safe for concurrent calls.

    The first start on a machine builds the engines (minutes); later ones find them in the cache.
    Raises ModelUnavailableError: no TensorRT, no GPU, too little memory, or graphs that do not build.
    """

    name = "tensorrt"

    def __init__(
        self,
        folder: Path,
        precision: str = "fp32",
        device: str | Device = "cuda",
        *,
        trt: Any = None,
        store: EngineStore | None = None,
        graphs: Path | None = None,
        report: Callable[[Phase], None] = lambda phase: None,
    ) -> None:
        """`folder` holds the weights; `graphs` their exported parts, exported now when None."""
        self.config: NanoSizes = NanoSizes.read(folder)
        trt = load_tensorrt() if trt is None else trt
        self._device = CudaDevice(device) if isinstance(device, str) else device
        if graphs is None:
            from mmrobot.vlm.engines.export_nano import export_nano

            graphs = export_nano(folder, precision, tell=_log.warning)
        parts = {part.name: part for part in read_parts(graphs)}
        store = store or default_store()
        maker = EngineMaker(trt, self._device, store)
        missing = [
            p.part.name for p in plan_engines(tuple(parts.values()), maker.target, store) if not p.stored
        ]
        if missing:
            gpu = self._device.gpu.name
            _log.warning("building %d TensorRT engines: once for %s, some minutes", len(missing), gpu)
        stored = {name: maker.make(part, report=report) for name, part in parts.items()}
        tensors = [tensor for part in parts.values() for tensor in part.tensors]
        need = load_need(sum(engine.size for engine in stored.values()), tensors)
        check_memory(need, self._device, "loading mmrobot-nano's engines")
        loader = EngineLoader(trt, self._device)
        self._engines: dict[str, Engine] = {}
        self._run: dict[str, Callable[[], None]] = {}
        for name in sorted(parts):  # each read_T before its write_T
            self._engines[name] = loader.load(stored[name].path, name, self._shared(name))
            self._run[name] = self._device.repeatable(self._work(name))
        self._lengths = _lengths(parts)
        self._latest: dict[int, weakref.ref[_Memory]] = {}
        self._writing: dict[int, object] = {}

    def see(self, pixel_values: NDArray[np.float32]) -> SeenObjects:
        """One picture (3, H, W) to its object tokens."""
        out = self._forward("see", SEEN, pixel_values=pixel_values)
        return SeenObjects(*(array[0] for array in out))

    def recognise(self, views: NDArray[np.float32], boxes: NDArray[np.float32]) -> NDArray[np.float32]:
        """Views (N, 3, S, S) and boxes (N, 4) to logits (N, colours + shapes + sizes + 1)."""
        said = np.zeros((len(views), self._engines["recognise"].buffers["logits"].shape[1]), np.float32)
        for i in range(len(views)):
            said[i] = self._forward("recognise", ("logits",), views=views[i], boxes=boxes[i])[0][0]
        return said

    def spell(self, crops: NDArray[np.float32]) -> NDArray[np.float32]:
        """Crops (N, 3, crop_height, crop_width) to logits (N, label_length, characters + 1)."""
        shape = tuple(self._engines["spell"].buffers["logits"].shape[1:])
        read = [self._forward("spell", ("logits",), crops=crop)[0] for crop in crops]
        return np.concatenate(read) if read else np.zeros((0, *shape), np.float32)

    def read(self, word_bytes: NDArray[np.int64]) -> _Memory:
        """Words (T, L), by the shortest engine that takes them."""
        said = int((word_bytes[:, 0] > 0).sum())
        words = next((t for t in self._lengths if t >= said), 0)
        if not words or words > len(word_bytes):
            raise ModelUnavailableError(
                f"{said} of {len(word_bytes)} words were given, the engines take {list(self._lengths)}",
                "build them again: `mmrobot engine --anew`",
            )
        self._set_aside(words)
        self._forward(f"read_{words}", (), word_bytes=word_bytes[:words])
        memory = _Memory(words)
        self._latest[words] = weakref.ref(memory)
        return memory

    def writer(self, memory: _Memory) -> WriteStep:
        """One token a call. A newer writer for a text of like length ends this one."""
        words = memory.words
        engine = self._engines[f"write_{words}"]
        if memory.aside is not None:
            aside, memory.aside = memory.aside, None
            self._set_aside(words)
            self._latest[words] = weakref.ref(memory)
            with self._device.working():
                for name, tensor in aside.items():
                    engine.buffers[name].copy_(tensor)
        with self._device.working():
            engine.buffers["cache"].zero_()
        me = self._writing[words] = object()
        missing = len(CONTROL) + self.config.max_words

        def step(last: int, position: int) -> NDArray[np.float32]:
            held = self._latest[words]()
            if self._writing[words] is not me or held is not memory:
                raise RuntimeError("this writer's caches were taken by a newer text: begin it again")
            engine.put("last", np.array([[last]], np.int64))
            engine.put("position", np.array([position], np.int64))
            self._run[engine.name]()
            logits = np.full(missing, UNREACHABLE, np.float32)
            known = engine.take("logits")[0]
            logits[: len(known)] = known
            return logits

        return step

    def _forward(
        self, name: str, wanted: tuple[str, ...], **inputs: NDArray[np.generic]
    ) -> list[NDArray[np.float32]]:
        engine = self._engines[name]
        for key, values in inputs.items():
            engine.put(key, values[None])
        self._run[name]()
        return [engine.take(output) for output in wanted]

    def _shared(self, name: str) -> dict[str, Any]:
        """A writer reads its memory where the reader of the same length left it."""
        kind, _, words = name.partition("_")
        if kind != "write":
            return {}
        reader = self._engines[f"read_{words}"]
        return {output: reader.buffers[output] for output in reader.outputs}

    def _work(self, name: str) -> Callable[[], None]:
        engine = self._engines[name]
        if not name.startswith("write"):
            return engine.launch
        updates = cache_updates(engine, {"cache": "new_cache"})

        def write() -> None:
            engine.launch()
            for cache, new, _ in updates:
                cache.copy_(new)

        return write

    def _set_aside(self, words: int) -> None:
        """Keep what a text that may still be written about has in the buffers that are now used anew."""
        latest = self._latest.get(words)
        memory = latest() if latest is not None else None
        if memory is None:
            return
        engine = self._engines[f"write_{words}"]
        names = [n for n in engine.inputs if n not in ("last", "position", "cache")]
        with self._device.working():
            memory.aside = {name: engine.buffers[name].clone() for name in names}


def _lengths(parts: dict[str, OnnxPart]) -> tuple[int, ...]:
    """Lengths in words that there are a reader and a writer for, shortest first."""
    lengths = sorted(int(name.removeprefix("read_")) for name in parts if name.startswith("read_"))
    lacking = [t for t in lengths if f"write_{t}" not in parts]
    if not lengths or lacking or not {"see", "recognise", "spell"} <= parts.keys():
        raise ModelUnavailableError(
            f"the exported graphs are not mmrobot-nano's: {', '.join(sorted(parts))}",
            "run `mmrobot export` again",
        )
    return tuple(lengths)
