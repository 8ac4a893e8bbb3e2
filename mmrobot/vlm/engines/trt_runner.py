"""A loaded engine with buffers that stay where they are, so that steps can be replayed as CUDA graphs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmrobot.errors import ModelUnavailableError
from mmrobot.vlm.engines.trt_api import aliased_input, create, torch_dtype
from mmrobot.vlm.engines.trt_device import Device
from mmrobot.vlm.engines.trt_progress import LogLines, make_logger
from mmrobot.vlm.engines.trt_store import mapped


class Engine:
    """One engine, one execution context, one buffer for each input and output.

    `buffers` holds device tensors by name. An engine made with `shared` tensors binds those under their
    names instead of making its own: what one engine writes, the next reads, without a copy.
    Not safe for concurrent calls.
    """

    def __init__(
        self, trt: Any, engine: Any, device: Device, lines: LogLines, name: str, shared: Mapping[str, Any]
    ) -> None:
        """Made by EngineLoader."""
        self.name = name
        self._engine = engine
        self._device = device
        self._lines = lines
        with device.working():
            self._context = create(engine.create_execution_context, "execution context")
        self.inputs: list[str] = []
        self.outputs: list[str] = []
        self.buffers: dict[str, Any] = {}
        self.in_place: dict[str, str] = {}
        """Outputs that lie in an input's memory because the engine asks for it."""
        names = [engine.get_tensor_name(i) for i in range(engine.num_io_tensors)]
        for tensor in names:
            is_input = engine.get_tensor_mode(tensor) == trt.TensorIOMode.INPUT
            (self.inputs if is_input else self.outputs).append(tensor)
        for tensor in self.inputs + self.outputs:
            self._bind(trt, tensor, shared)

    def _bind(self, trt: Any, name: str, shared: Mapping[str, Any]) -> None:
        engine = self._engine
        shape = tuple(int(size) for size in engine.get_tensor_shape(name))
        dtype = torch_dtype(trt, engine.get_tensor_dtype(name), name)
        if any(size < 0 for size in shape) or engine.get_tensor_location(name) != trt.TensorLocation.DEVICE:
            raise ModelUnavailableError(
                f"'{name}' of the engine {self.name} has the shape {shape} and is not a static device tensor",
                "export the model anew with static shapes",
            )
        source = aliased_input(engine, name) if name in self.outputs else None
        if source is not None:
            self.in_place[name] = source
            buffer = self.buffers[source]
        elif name in shared:
            buffer = shared[name]
        else:
            buffer = self._device.tensor(shape, dtype)
        found = tuple(buffer.shape), str(buffer.dtype).removeprefix("torch.")
        if found != (shape, dtype) or not buffer.is_contiguous():
            raise ModelUnavailableError(
                f"'{name}' of the engine {self.name} is {dtype} {list(shape)}, the tensor to be bound is "
                f"{found[1]} {list(found[0])}",
                "export all parts of the model anew",
            )
        self.buffers[name] = buffer
        if not self._context.set_tensor_address(name, buffer.data_ptr()):
            raise ModelUnavailableError(
                f"TensorRT does not take the memory of '{name}' of {self.name}: {self._errors()}",
                "report this, with the log",
            )

    def put(self, name: str, values: NDArray[np.generic]) -> None:
        """Copy values into an input, converted to its type. The shapes must be equal.

        Raises ModelUnavailableError for an array of another shape.
        """
        import torch

        buffer = self.buffers[name]
        if tuple(values.shape) != tuple(buffer.shape):
            raise ModelUnavailableError(
                f"'{name}' of {self.name} takes {list(buffer.shape)}, given is {list(values.shape)}",
                "export the model anew for this shape",
            )
        with self._device.working():
            buffer.copy_(torch.from_numpy(np.ascontiguousarray(values)))

    def launch(self) -> None:
        """Put one run on the device's stream. Raises ModelUnavailableError when TensorRT refuses."""
        if not self._context.execute_async_v3(self._device.stream_handle):
            raise ModelUnavailableError(
                f"TensorRT does not run {self.name}: {self._errors()}", "see its log lines above"
            )

    def take(self, name: str) -> NDArray[np.float32]:
        """Wait, then an output as float32."""
        with self._device.working():
            values = self.buffers[name].float()
            self._device.synchronize()
            return np.array(values.cpu().numpy(), dtype=np.float32)

    def run(self, **inputs: NDArray[np.generic]) -> dict[str, NDArray[np.float32]]:
        """All inputs in, one run, all outputs out as float32."""
        for name, values in inputs.items():
            self.put(name, values)
        with self._device.working():
            self.launch()
        return {name: self.take(name) for name in self.outputs}

    def _errors(self) -> str:
        return "; ".join(self._lines.take_errors()) or "it gave no reason"


class EngineLoader:
    """Loads engines with one TensorRT runtime."""

    def __init__(self, trt: Any, device: Device) -> None:
        self._trt = trt
        self._device = device
        self._lines = LogLines()
        self._logger = make_logger(trt, self._lines)
        with device.working():
            self._runtime = create(trt.Runtime, "runtime", self._logger)

    def load(self, path: Path, name: str, shared: Mapping[str, Any] | None = None) -> Engine:
        """An engine from its file, without a copy of the file in memory.

        Load only files that this machine's user built: an engine is a program.
        Raises ModelUnavailableError when TensorRT does not take it.
        """
        with mapped(path) as view, self._device.working():
            engine = self._runtime.deserialize_cuda_engine(view)
        if engine is None:
            reason = "; ".join(self._lines.take_errors()) or "it gave no reason"
            raise ModelUnavailableError(
                f"TensorRT does not load {path.name}: {reason}",
                "build it again: `mmrobot engine --anew`",
            )
        return Engine(self._trt, engine, self._device, self._lines, name, shared or {})
