"""How each rung of the ladder is loaded. Heavy libraries are imported only when a rung is tried."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mmrobot.config import RemoteConfig
from mmrobot.errors import MmrobotError
from mmrobot.vlm.hardware import NotHereError, check_cuda, check_library, check_nvidia_driver
from mmrobot.vlm.interface import VisionLanguageModel
from mmrobot.vlm.memory import GB, require_memory
from mmrobot.vlm.model_spec import ModelSpec

if TYPE_CHECKING:
    from mmrobot.vlm.families.nano_parts import NanoParts
    from mmrobot.vlm.self_test import KnownPicture

Loader = Callable[[], VisionLanguageModel]

WORKING_SHARE = 4
"""Weights are held once; activations and what loading takes come to a few times as much."""
LIBRARY_GB = 0.3
"""What torch or ONNX Runtime takes once it is imported, measured at 0.2 to 0.3 GB."""

_NANO_PICTURE = Path(__file__).parent / "models" / "nano" / "self_test.json"


def nano_loaders(folder: Path, device: str, threads: int) -> dict[str, Loader]:
    """The rungs of a model of mmrobot-nano's kind; `threads` is for ONNX Runtime, 0 takes all cores."""
    cuda = device if device.startswith("cuda") else "cuda"

    def check_memory(where: str) -> None:
        weights = folder / "model.safetensors"
        size_gb = weights.stat().st_size / GB if weights.is_file() else 0.0
        require_memory(folder.name, WORKING_SHARE * size_gb + LIBRARY_GB, where)

    def tensorrt() -> VisionLanguageModel:
        check_nvidia_driver()
        check_library("tensorrt", "pip install tensorrt, on a machine with an NVIDIA GPU")
        from mmrobot.vlm.tensorrt_backend import TensorRtNano

        return _nano(TensorRtNano(folder, device=cuda), folder)

    def torch_cuda() -> VisionLanguageModel:
        check_cuda(cuda)
        check_memory(cuda)
        return _torch(folder, cuda)

    def onnx() -> VisionLanguageModel:
        check_library("onnxruntime", "run: make setup")
        check_memory("cpu")
        from mmrobot.vlm.onnx_backend import OnnxNano

        return _nano(OnnxNano(folder, threads=threads or os.cpu_count() or 1), folder)

    def torch_cpu() -> VisionLanguageModel:
        check_memory("cpu")
        return _torch(folder, "cpu")

    return {"tensorrt": tensorrt, "torch_cuda": torch_cuda, "onnx": onnx, "torch_cpu": torch_cpu}


def spec_loaders(spec: ModelSpec, device: str) -> dict[str, Loader]:
    """The rungs of an open model described by its YAML, in this process: torch only."""
    cuda = device if device.startswith("cuda") else "cuda"

    def on(where: str) -> Loader:
        def load() -> VisionLanguageModel:
            if not {"torch", "transformers"} & set(spec.backends):
                raise NotHereError(
                    f"'{spec.name}' is for {', '.join(spec.backends)} by its YAML",
                    "add transformers to backends",
                )
            if where != "cpu":
                check_cuda(where)
            from mmrobot.vlm.transformers_backend import open_model

            return open_model(spec, where)

        return load

    def missing() -> VisionLanguageModel:
        raise NotHereError(f"'{spec.name}' runs in torch or on a server", "run: mmrobot export --help")

    return {"tensorrt": missing, "torch_cuda": on(cuda), "onnx": missing, "torch_cpu": on("cpu")}


def remote_loader(config: RemoteConfig, spec: ModelSpec | None = None) -> Loader:
    """The rung that asks a server; absent while `remote.url` is empty.

    A `spec` says how the model is asked and what the server calls it; else the configuration does.
    """

    def remote() -> VisionLanguageModel:
        if not config.url:
            raise NotHereError("remote.url is empty", "set remote.url to an OpenAI-compatible server's")
        if spec is not None and "remote" not in spec.backends:
            raise NotHereError(
                f"'{spec.name}' is for {', '.join(spec.backends)} by its YAML", "add remote to backends"
            )
        from mmrobot.vlm.chat_vlm import ChatVlm
        from mmrobot.vlm.families.catalogue import family_named
        from mmrobot.vlm.remote_backend import RemoteChat

        family = family_named(spec.family, spec.options) if spec else family_named(config.family)
        served_as = config.model or (spec.served_as or spec.repo or "" if spec else "")
        chat = RemoteChat(config.model_copy(update={"model": served_as}))
        try:
            chat.model()
        except MmrobotError:
            chat.close()
            raise
        return ChatVlm(family, chat)

    return remote


def check_sight(model: VisionLanguageModel) -> None:
    """Whether a rung that loads also sees: the self-test. Raises SelfTestError (a ModelUnavailableError).

    mmrobot-nano knows simulated tables only, so it is shown one; other models a drawn cube.
    """
    from mmrobot.vlm.chat_vlm import ChatVlm
    from mmrobot.vlm.self_test import self_test

    self_test(model, None if isinstance(model, ChatVlm) else nano_picture())


def nano_picture() -> KnownPicture:
    """The rendered picture of models/nano/self_test.json (made by scripts/render_self_test.py)."""
    import cv2

    from mmrobot.vlm.self_test import KnownPicture

    content = json.loads(_NANO_PICTURE.read_text())
    data = np.frombuffer(base64.b64decode(content["picture_jpeg"]), np.uint8)
    image_bgr = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), dtype=np.uint8)
    image = np.ascontiguousarray(image_bgr[..., ::-1])
    x0, y0, x1, y1 = content["box_xyxy"]
    return KnownPicture(image, content["phrase"], (x0, y0, x1, y1))


def _torch(folder: Path, device: str) -> VisionLanguageModel:
    from mmrobot.vlm.torch_backend import TorchNano

    return _nano(TorchNano(folder, device), folder)


def _nano(parts: NanoParts, folder: Path) -> VisionLanguageModel:
    from mmrobot.vlm.families.nano import NanoVlm
    from mmrobot.vlm.models.nano.processing import NanoProcessor

    name = parts.config.release or folder.name
    return NanoVlm(parts, NanoProcessor.of(parts.config), name)
