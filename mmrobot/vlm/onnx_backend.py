"""The ONNX Runtime backend of mmrobot-nano: its parts on the CPU, one thread unless told otherwise.

A robot's other processes need the cores too: no thread spins while it waits. Short texts take the graph
of a short bucket. The writer's caches and memory stay in buffers that are bound once.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmrobot.errors import ModelUnavailableError
from mmrobot.vlm.engines.cache import read_manifest
from mmrobot.vlm.families.nano_parts import SeenObjects, WriteStep
from mmrobot.vlm.models.nano.sizes import NanoSizes

_log = logging.getLogger(__name__)


def cpu_session(graph: Path | bytes, threads: int = 1, optimized: Path | None = None) -> Any:
    """An InferenceSession on the CPU: all optimisations, `threads` threads, none of them spinning.

    Raises ModelUnavailableError when ONNX Runtime is missing or refuses the graph.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise ModelUnavailableError(
            f"ONNX Runtime is not installed: {error}", "pip install onnxruntime, or use the torch backend"
        ) from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    if optimized is not None:
        options.optimized_model_filepath = str(optimized)
    source = graph if isinstance(graph, bytes) else str(graph)
    try:
        return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        name = "a graph" if isinstance(graph, bytes) else str(graph)
        raise ModelUnavailableError(
            f"ONNX Runtime {onnxruntime.__version__} cannot load {name}: {error}",
            "remove the folder to have it made anew, or use the torch backend",
        ) from error


class OnnxNano:
    """See, recognise, spell, read and write with ONNX Runtime on the CPU. Not safe for concurrent calls.

    The graphs are made from the weights in `folder` when the cache does not hold them yet; `tell` hears
    of it. Raises ModelUnavailableError when weights or library are missing or damaged.
    """

    def __init__(
        self,
        folder: Path,
        precision: str = "fp32",
        threads: int = 1,
        tell: Callable[[str], None] = _log.warning,
    ) -> None:
        from mmrobot.vlm.engines.export_nano import export_nano

        if threads < 1:
            raise ValueError(f"threads must be 1 or more, got {threads}")
        self.name = "onnx" if precision == "fp32" else f"onnx-{precision}"
        self.config = NanoSizes.read(folder)
        self.graphs = export_nano(folder, precision, tell=tell)
        # Products as small as the reader's gain nothing from int8 on a CPU, and float32 logits are exact.
        texts = export_nano(folder, "fp32", tell=tell) if precision == "int8" else self.graphs
        names = list((read_manifest(self.graphs) or {})["parts"])
        sessions = {
            name: cpu_session((self.graphs if name in ("see", "spell") else texts) / f"{name}.onnx", threads)
            for name in names
        }
        self._see, self._spell = sessions["see"], sessions["spell"]
        self._recognise = sessions["recognise"]
        self._buckets = {
            int(name.removeprefix("read_")): _Bucket(sessions[name], sessions[name.replace("read", "write")])
            for name in names
            if name.startswith("read_")
        }

    @property
    def buckets(self) -> tuple[int, ...]:
        """Lengths in words that there are graphs for, the shortest first."""
        return tuple(sorted(self._buckets))

    def see(self, pixel_values: NDArray[np.float32]) -> SeenObjects:
        """One picture (3, H, W) to its object tokens."""
        outputs = self._see.run(None, {"pixel_values": pixel_values[None]})
        return SeenObjects(*(output[0] for output in outputs))

    def recognise(self, views: NDArray[np.float32], boxes: NDArray[np.float32]) -> NDArray[np.float32]:
        """Views (N, 3, S, S) and boxes (N, 4) to logits (N, colours + shapes + sizes + 1)."""
        said = np.zeros((len(views), self._recognise.get_outputs()[0].shape[1]), np.float32)
        for i in range(len(views)):
            said[i] = self._recognise.run(None, {"views": views[i, None], "boxes": boxes[i, None]})[0][0]
        return said

    def spell(self, crops: NDArray[np.float32]) -> NDArray[np.float32]:
        """Crops (N, 3, crop_height, crop_width) to logits (N, label_length, characters + 1)."""
        return np.concatenate([self._spell.run(None, {"crops": crop[None]})[0] for crop in crops])

    def read(self, word_bytes: NDArray[np.int64]) -> tuple[_Bucket, list[NDArray[np.float32]]]:
        """Words (T, L), by the shortest graph that takes them."""
        said = int((word_bytes[:, 0] > 0).sum())
        size = next(size for size in self.buckets if size >= said)
        return self._buckets[size], self._buckets[size].read(word_bytes[:size])

    def writer(self, memory: tuple[_Bucket, list[NDArray[np.float32]]]) -> WriteStep:
        """One token a call, on a cache of full capacity."""
        bucket, arrays = memory
        return bucket.writer(arrays)


class _Bucket:
    """`read` and `write` for texts of one greatest length."""

    def __init__(self, read: Any, write: Any) -> None:
        import onnxruntime

        self._read, self._write = read, write
        self._value = onnxruntime.OrtValue.ortvalue_from_numpy
        self._memory_names = [i.name for i in write.get_inputs()][3:]
        # Written in place: a binding keeps the address, not the value.
        self._last, self._position = np.zeros((1, 1), np.int64), np.zeros(1, np.int64)
        shape = write.get_inputs()[2].shape
        self._caches = [np.zeros(shape, np.float32) for _ in range(2)]
        self._logits = np.zeros(write.get_outputs()[0].shape, np.float32)

    def read(self, word_bytes: NDArray[np.int64]) -> list[NDArray[np.float32]]:
        return list(self._read.run(None, {"word_bytes": word_bytes[None]}))

    def writer(self, memory: list[NDArray[np.float32]]) -> WriteStep:
        """Steps over two caches that take turns as input and output."""
        values = {
            "last": self._last,
            "position": self._position,
            **dict(zip(self._memory_names, memory, strict=True)),
        }
        bindings = []
        for source, target in ((0, 1), (1, 0)):
            binding = self._write.io_binding()
            for name, array in {**values, "cache": self._caches[source]}.items():
                binding.bind_ortvalue_input(name, self._value(array))
            binding.bind_ortvalue_output("logits", self._value(self._logits))
            binding.bind_ortvalue_output("new_cache", self._value(self._caches[target]))
            bindings.append(binding)
        self._caches[0].fill(0)

        def step(last: int, position: int) -> NDArray[np.float32]:
            self._last[0, 0], self._position[0] = last, position
            self._write.run_with_iobinding(bindings[position % 2])
            return self._logits[0].copy()

        return step
