"""What this machine has for a model, asked cheaply: an NVIDIA driver, a GPU that torch can use, a library."""

from __future__ import annotations

import ctypes
import importlib.util

from mmrobot.errors import ModelUnavailableError


class NotHereError(ModelUnavailableError):
    """This machine or configuration lacks what is asked for: no fault, only another machine."""


def check_nvidia_driver() -> None:
    """Raises NotHereError when no NVIDIA driver with a GPU is on this machine. Starts no CUDA context."""
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        raise NotHereError("no NVIDIA driver on this machine", "use the CPU, or install the driver") from None
    count = ctypes.c_int(0)
    if driver.cuInit(0) != 0 or driver.cuDeviceGetCount(ctypes.byref(count)) != 0 or count.value < 1:
        raise NotHereError("the NVIDIA driver finds no GPU", "see what nvidia-smi says")


def check_library(module: str, fix: str) -> None:
    """Raises NotHereError when a top-level module cannot be found."""
    if importlib.util.find_spec(module) is None:
        raise NotHereError(f"{module} is not installed", fix)


def check_cuda(device: str) -> None:
    """Raises NotHereError without a GPU that torch can use; `device` is cuda or cuda:N.

    torch is imported only when there is an NVIDIA driver.
    """
    check_nvidia_driver()
    import torch

    if not torch.cuda.is_available():
        raise NotHereError(
            f"torch {torch.__version__} cannot use the GPU", "install torch's build for this machine's CUDA"
        )
    if int(device.partition(":")[2] or 0) >= torch.cuda.device_count():
        raise NotHereError(
            f"there is no '{device}': {torch.cuda.device_count()} GPUs are here", "set model.device: cuda"
        )
