"""The Device of the TensorRT files in the CPU's memory: no stream, no graphs, the same order of work."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import torch

from mmrobot.vlm.engines.trt_device import WARM_UP_RUNS, Gpu


class CpuDevice:
    """Tensors of torch on the CPU. `graphs` counts what would have been captured."""

    stream_handle = 7

    def __init__(self, free: int = 1 << 36, integrated: bool = False, name: str = "Fake GPU") -> None:
        self.gpu = Gpu(name, (9, 0), 1 << 37, integrated)
        self.free = free
        self.graphs = 0

    def free_bytes(self) -> int:
        return self.free

    def tensor(self, shape: tuple[int, ...], dtype: str) -> torch.Tensor:
        return torch.zeros(shape, dtype=getattr(torch, dtype))

    @contextlib.contextmanager
    def working(self) -> Iterator[None]:
        yield

    def synchronize(self) -> None:
        pass

    def repeatable(self, work: Callable[[], None]) -> Callable[[], None]:
        for _ in range(WARM_UP_RUNS):
            work()
        self.graphs += 1
        return work
