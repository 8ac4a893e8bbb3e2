"""Whether a model fits before it is loaded: free memory of the GPU, or of the machine."""

from __future__ import annotations

from pathlib import Path

from mmrobot.errors import ModelUnavailableError

GB = 1e9


def free_memory_gb(device: str, meminfo: Path = Path("/proc/meminfo")) -> float | None:
    """Free memory in GB (1e9 bytes): of the GPU for cuda devices, else what Linux calls available.

    None where the system does not tell.
    """
    if device.startswith("cuda"):
        import torch

        return torch.cuda.mem_get_info(torch.device(device))[0] / GB
    try:
        lines = meminfo.read_text().splitlines()
    except OSError:
        return None
    kib = next((line.split()[1] for line in lines if line.startswith("MemAvailable:")), None)
    return None if kib is None else int(kib) * 1024 / GB


def require_memory(name: str, needed_gb: float, device: str, free_gb: float | None = None) -> None:
    """Raises ModelUnavailableError when less than `needed_gb` is free; an unknown amount passes."""
    free = free_memory_gb(device) if free_gb is None else free_gb
    if free is not None and free < needed_gb:
        raise ModelUnavailableError(
            f"'{name}' needs {needed_gb:.1f} GB on {device}, {free:.1f} GB are free",
            "free memory, choose a smaller model, or use a server (backend remote)",
        )
