"""Whether memory suffices, asked before a build or a load begins: a build takes minutes to die of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mmrobot.errors import ModelUnavailableError
from mmrobot.vlm.engines.trt_device import Device
from mmrobot.vlm.engines.trt_key import TensorSpec

MIB = 1 << 20
CONTEXT_BYTES = 400 * MIB
"""CUDA's own context with TensorRT's kernels, on GPU and host; of the order that NVIDIA's manual names."""
_MEMINFO = Path("/proc/meminfo")


@dataclass(frozen=True)
class Need:
    """Bytes wanted on the GPU and on the host."""

    gpu: int
    host: int


def build_need(weights_bytes: int, tensors: Sequence[TensorSpec]) -> Need:
    """What a build may take at its worst.

    GPU: the weights, once more while a layout is tried, the inputs and outputs twice, and room for tactics.
    Host: the ONNX file, the network made of it, and the engine, each about the weights' size.
    """
    io = sum(tensor.bytes for tensor in tensors)
    return Need(
        gpu=2 * weights_bytes + 4 * io + 256 * MIB + CONTEXT_BYTES,
        host=3 * weights_bytes + 256 * MIB + CONTEXT_BYTES,
    )


def load_need(engine_bytes: int, tensors: Sequence[TensorSpec]) -> Need:
    """What loading takes: the engine on the GPU, its buffers, and scratch memory of the buffers' order."""
    io = sum(tensor.bytes for tensor in tensors)
    return Need(gpu=engine_bytes + 4 * io + CONTEXT_BYTES, host=CONTEXT_BYTES)


def workspace_limit(free_bytes: int, need: Need) -> int:
    """How much scratch memory the builder may take: half of what the build itself leaves, 64 MiB at least."""
    return max(64 * MIB, (free_bytes - need.gpu) // 2)


def host_free_bytes(meminfo: Path = _MEMINFO) -> int:
    """MemAvailable of Linux, in bytes. Raises ModelUnavailableError when it cannot be read."""
    try:
        for line in meminfo.read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError) as error:
        raise ModelUnavailableError(
            f"free memory is unknown: {meminfo}: {error}",
            "mount /proc, or skip the check (--no-memory-check)",
        ) from error
    raise ModelUnavailableError(
        f"free memory is unknown: no MemAvailable in {meminfo}", "skip the check (--no-memory-check)"
    )


def check_memory(need: Need, device: Device, what: str, host_free: int | None = None) -> None:
    """Raises ModelUnavailableError, naming need and free memory, when one of them is too small.

    Where GPU and CPU share one memory both needs come from the same free bytes.
    """
    host = host_free_bytes() if host_free is None else host_free
    gpu = device.free_bytes()
    if device.gpu.integrated:
        _check(need.gpu + need.host, min(gpu, host), "the memory that CPU and GPU share", what)
        return
    _check(need.gpu, gpu, f"{device.gpu.name}'s memory", what)
    _check(need.host, host, "the host's memory", what)


def _check(need: int, free: int, where: str, what: str) -> None:
    if free < need:
        raise ModelUnavailableError(
            f"{what} needs {need / MIB:.0f} MiB of {where}, {free / MIB:.0f} MiB are free",
            "end other programs there, choose a smaller model or precision, or another backend",
        )
