"""What the figures were measured on, and how fast its memory is read."""

from __future__ import annotations

import os
import platform
import time
from pathlib import Path
from typing import Any

import numpy as np

_TOLD_FLAGS = (
    "avx2",
    "avx512f",
    "avx512_vnni",
    "avx512_bf16",
    "avx512_fp16",
    "amx_bf16",
    "amx_int8",
    "asimddp",
    "i8mm",
)
_BANDWIDTH_BYTES = 1 << 28


def describe_machine(threads: int) -> dict[str, Any]:
    """Processor, cores that this process may use, vector units, load by others, memory bandwidth."""
    info = _cpu_info()
    flags = set(info.get("flags", info.get("Features", "")).split())
    return {
        "cpu": info.get("model name", platform.processor() or platform.machine()),
        "family_model_stepping": "/".join(info.get(k, "?") for k in ("cpu family", "model", "stepping")),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "flags": [f for f in _TOLD_FLAGS if f in flags],
        "threads": threads,
        "load_by_others": round(os.getloadavg()[0], 2),
        "memory_read_gb_s": round(read_bandwidth_gb_s(), 2),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()}",
    }


def read_bandwidth_gb_s(size: int = _BANDWIDTH_BYTES, tries: int = 5) -> float:
    """GB/s at which one thread reads an array of `size` bytes: the best of some tries."""
    array = np.ones(size // 8, np.float64)
    best = float("inf")
    for _ in range(tries):
        begin = time.perf_counter()
        array.max()
        best = min(best, time.perf_counter() - begin)
    return array.nbytes / best / 1e9


def peak_memory_mb() -> float:
    """The most memory that this process ever held (resident set)."""
    status = Path("/proc/self/status")
    if status.is_file():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _cpu_info() -> dict[str, str]:
    path = Path("/proc/cpuinfo")
    if not path.is_file():
        return {}
    first = path.read_text().split("\n\n")[0]
    pairs = (line.split(":", 1) for line in first.splitlines() if ":" in line)
    return {key.strip(): value.strip() for key, value in pairs}
