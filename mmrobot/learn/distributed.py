"""Where training runs: one process on a CPU or a GPU, or several that torchrun started.

Every process draws its own data and keeps the same weights: they start from those of process 0, and each
step applies the mean of all gradients (synchronous data parallelism, Li et al. 2020, arXiv:2006.15704).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from pathlib import Path

import torch
from torch import Tensor, distributed, nn

from mmrobot.errors import InvalidConfigError

DEVICES = ("auto", "cpu", "cuda")
PATIENCE = timedelta(hours=24)
"""How long processes wait for each other: process 0 renders the pictures alone, for hours."""


@dataclass(frozen=True)
class World:
    """This process among `size`; `local_size` of them are on this machine."""

    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    rank: int = 0
    size: int = 1
    local_size: int = 1

    @property
    def leads(self) -> bool:
        """Whether this process reports and writes."""
        return self.rank == 0

    def autocast(self, enabled: bool = True) -> torch.autocast:
        """bfloat16 where it is safe, and where the processor has it: emulated, it is tens of times slower."""
        fast = self.device.type != "cpu" or cpu_has_bfloat16()
        return torch.autocast(self.device.type, torch.bfloat16, enabled and fast)

    def wait(self) -> None:
        """Until all processes are here."""
        if self.size > 1:
            distributed.barrier()

    def share(self, module: nn.Module, step: int) -> None:
        """Weights and buffers of process 0 to all. Raises InvalidConfigError where their steps differ."""
        if self.size == 1:
            return
        low, high = (torch.tensor(step, device=self.device) for _ in range(2))
        distributed.all_reduce(low, distributed.ReduceOp.MIN)
        distributed.all_reduce(high, distributed.ReduceOp.MAX)
        if int(low) != int(high):
            raise InvalidConfigError(
                f"processes resume from steps {int(low)} to {int(high)}",
                "give all machines the same --data folder",
            )
        for tensor in (*module.parameters(), *module.buffers()):
            whole = tensor.detach().contiguous()
            distributed.broadcast(whole, 0)
            tensor.detach().copy_(whole)

    def average_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """The mean over all processes; a gradient that one lacks counts as zero there."""
        if self.size == 1:
            return
        learned = [p for p in parameters if p.requires_grad]
        for p in learned:
            if p.grad is None:
                p.grad = torch.zeros_like(p)
        self._average([p.grad for p in learned if p.grad is not None])

    def average_buffers(self, module: nn.Module) -> None:
        """The mean of running statistics (of batch norms), which each process gathers of its own data."""
        if self.size > 1:
            self._average([b for b in module.buffers() if b.is_floating_point()])

    def _average(self, tensors: list[Tensor]) -> None:
        if not tensors:
            return
        # As one message: a small model has a hundred tensors, and each message costs its latency.
        flat = torch.cat([t.detach().reshape(-1) for t in tensors])
        distributed.all_reduce(flat)
        parts = (flat / self.size).split([t.numel() for t in tensors])
        for tensor, part in zip(tensors, parts, strict=True):
            tensor.detach().copy_(part.view(tensor.shape))


@cache
def cpu_has_bfloat16() -> bool:
    """Whether this processor multiplies bfloat16 itself (as Linux tells it)."""
    try:
        flags = set(Path("/proc/cpuinfo").read_text().split())
    except OSError:
        return False
    return not flags.isdisjoint({"avx512_bf16", "amx_bf16", "bf16"})


def find_device(wanted: str, local_rank: int = 0) -> torch.device:
    """The device of `wanted` (of DEVICES). Raises InvalidConfigError where it is not there."""
    if wanted not in DEVICES:
        raise InvalidConfigError(f"unknown device '{wanted}'", f"use one of {', '.join(DEVICES)}")
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if wanted == "cpu" or (wanted == "auto" and count == 0):
        return torch.device("cpu")
    if local_rank >= count:
        raise InvalidConfigError(
            f"process {local_rank} of this machine has no GPU: it has {count}",
            "start as many processes as GPUs, or use --device cpu",
        )
    return torch.device("cuda", local_rank)


@contextmanager
def joined(wanted: str) -> Iterator[World]:
    """The world that torchrun's environment variables describe; alone without them."""
    size = int(os.environ.get("WORLD_SIZE", "1"))
    local_rank = int(os.environ.get("LOCAL_RANK", "0"))
    device = find_device(wanted, local_rank)
    if device.type == "cuda":
        torch.cuda.set_device(device)
    if size == 1:
        yield World(device)
        return
    distributed.init_process_group("nccl" if device.type == "cuda" else "gloo", timeout=PATIENCE)
    try:
        local_size = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
        yield World(device, distributed.get_rank(), size, local_size)
    finally:
        distributed.destroy_process_group()
