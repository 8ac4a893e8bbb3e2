"""The GPU as the TensorRT files see it: its name and memory, tensors, a stream, captured graphs.

Memory is torch's, since torch is always there: a tensor's `data_ptr()` is what TensorRT binds.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from mmrobot.errors import ModelUnavailableError
from mmrobot.vlm.hardware import NotHereError

_log = logging.getLogger(__name__)
WARM_UP_RUNS = 2
"""Runs before a capture: TensorRT finishes what it put off in the first run, which no graph may hold."""


@dataclass(frozen=True)
class Gpu:
    """What engines are tied to."""

    name: str
    capability: tuple[int, int]
    total_bytes: int
    integrated: bool
    """Whether GPU and CPU share one memory, as on a Jetson."""


class Device(Protocol):
    """Memory, a stream and graphs. `CudaDevice` is the real one; the tests have one without a GPU."""

    gpu: Gpu

    def free_bytes(self) -> int:
        """Free GPU memory."""

    def tensor(self, shape: tuple[int, ...], dtype: str) -> Any:
        """A zeroed tensor that stays where it is."""

    @property
    def stream_handle(self) -> int:
        """The CUDA stream that everything runs on."""

    def working(self) -> contextlib.AbstractContextManager[None]:
        """Within, torch's work goes to the same stream."""

    def synchronize(self) -> None:
        """Wait until the stream is empty."""

    def repeatable(self, work: Callable[[], None]) -> Callable[[], None]:
        """The same work as one replay of a captured graph where that can be had."""


class CudaDevice:
    """An NVIDIA GPU through torch. Raises NotHereError where there is none."""

    def __init__(self, name: str = "cuda") -> None:
        import torch

        if not torch.cuda.is_available():
            raise NotHereError(
                f"no NVIDIA GPU for '{name}': torch {torch.__version__} sees no CUDA device",
                "check `nvidia-smi` and that torch is a CUDA build, or use the torch or onnx backend on CPU",
            )
        self._torch = torch
        self.device = torch.device(name)
        try:
            properties = torch.cuda.get_device_properties(self.device)
        except (AssertionError, RuntimeError, ValueError) as error:
            raise NotHereError(
                f"no NVIDIA GPU '{name}': {error}", f"there are {torch.cuda.device_count()}: cuda:0, ..."
            ) from error
        self.gpu = Gpu(
            properties.name,
            (properties.major, properties.minor),
            properties.total_memory,
            bool(getattr(properties, "is_integrated", False)),
        )
        # TensorRT adds synchronisations on the default stream, and captures need another.
        self._stream = torch.cuda.Stream(self.device)

    def free_bytes(self) -> int:
        """Free GPU memory, what torch keeps in reserve not counted."""
        return int(self._torch.cuda.mem_get_info(self.device)[0])

    def tensor(self, shape: tuple[int, ...], dtype: str) -> Any:
        """A zeroed CUDA tensor; torch aligns it to 512 bytes, TensorRT wants 256."""
        with self.working():
            return self._torch.zeros(shape, dtype=getattr(self._torch, dtype), device=self.device)

    @property
    def stream_handle(self) -> int:
        """The cudaStream_t as a number."""
        return int(self._stream.cuda_stream)

    @contextlib.contextmanager
    def working(self) -> Iterator[None]:
        """Within, torch's work goes to this device's stream."""
        with self._torch.cuda.device(self.device), self._torch.cuda.stream(self._stream):
            yield

    def synchronize(self) -> None:
        """Wait until the stream is empty."""
        self._stream.synchronize()

    def repeatable(self, work: Callable[[], None]) -> Callable[[], None]:
        """`work` captured as a CUDA graph; when the capture fails, `work` itself, with a warning.

        The work runs WARM_UP_RUNS times and is then recorded: call it with harmless inputs. It must use
        fixed buffers only and never wait for the device.
        """

        def launch() -> None:
            with self.working():
                work()

        for _ in range(WARM_UP_RUNS):
            launch()
        self.synchronize()
        graph = self._torch.cuda.CUDAGraph()
        try:
            # Other threads (a camera's, another model's) may use the GPU meanwhile.
            with self._torch.cuda.graph(graph, stream=self._stream, capture_error_mode="thread_local"):
                work()
        except (RuntimeError, ModelUnavailableError) as error:
            _log.warning("no CUDA graph, each step is launched by itself: %s", error)
            self.synchronize()
            return launch
        return self._replay(graph)

    def _replay(self, graph: Any) -> Callable[[], None]:
        def replay() -> None:
            with self.working():
                graph.replay()

        return replay
