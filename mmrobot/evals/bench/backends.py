"""The backends that a bench knows, and how each is loaded. An absent one says why; none is stood in for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from mmrobot.errors import InvalidConfigError, MmrobotError, ModelUnavailableError
from mmrobot.vlm.families.nano_parts import NanoParts

REFERENCE = "torch"


def _torch(folder: Path, threads: int) -> NanoParts:
    from mmrobot.vlm.torch_backend import TorchNano
    from mmrobot.vlm.torch_compiled import use_threads

    use_threads(threads)
    return TorchNano(folder)


def _compiled(folder: Path, threads: int) -> NanoParts:
    from mmrobot.vlm.torch_compiled import CompiledNano, use_threads

    use_threads(threads)
    return CompiledNano(folder)


def _onnx(precision: str) -> Callable[[Path, int], NanoParts]:
    def load(folder: Path, threads: int) -> NanoParts:
        from mmrobot.vlm.onnx_backend import OnnxNano

        return OnnxNano(folder, precision, threads=threads)

    return load


def _tensorrt(folder: Path, threads: int) -> NanoParts:
    from mmrobot.vlm.hardware import check_library, check_nvidia_driver
    from mmrobot.vlm.tensorrt_backend import TensorRtNano

    check_nvidia_driver()
    check_library("tensorrt", "pip install tensorrt, on a machine with an NVIDIA GPU")
    return TensorRtNano(folder)


BACKENDS: dict[str, Callable[[Path, int], NanoParts]] = {
    REFERENCE: _torch,
    "torch-compile": _compiled,
    "onnx": _onnx("fp32"),
    "onnx-int8": _onnx("int8"),
    "tensorrt": _tensorrt,
}


def check_names(names: tuple[str, ...]) -> None:
    """Raises InvalidConfigError for a backend that is none."""
    unknown = [name for name in names if name not in BACKENDS]
    if unknown or not names:
        raise InvalidConfigError(
            f"there is no backend '{unknown[0] if unknown else ''}'", f"known: {', '.join(BACKENDS)}"
        )


def load_backend(name: str, folder: Path, threads: int) -> NanoParts:
    """A backend of the model in `folder`. Raises ModelUnavailableError with the reason why it is absent."""
    try:
        return BACKENDS[name](folder, threads)
    except ModelUnavailableError:
        raise
    except MmrobotError as error:
        raise ModelUnavailableError(error.message, error.fix) from error
    except (ImportError, ValueError, RuntimeError, OSError) as error:
        # A library that is missing, a precision that is not offered: this backend is not to be had here.
        reason = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
        raise ModelUnavailableError(f"{name}: {reason}", "run: mmrobot doctor") from error
