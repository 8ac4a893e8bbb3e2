"""One ONNX graph with static shapes becomes one engine: parsed, checked, built, with a timing cache."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmrobot.errors import ModelUnavailableError
from mmrobot.vlm.engines.cache import write_atomically
from mmrobot.vlm.engines.trt_api import create, network_flags, torch_dtype
from mmrobot.vlm.engines.trt_device import Device
from mmrobot.vlm.engines.trt_key import DEFAULT_OPTIONS, BuildOptions, TensorSpec
from mmrobot.vlm.engines.trt_progress import LogLines, Phase, Progress, make_logger, make_monitor

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class NodeError:
    """What the parser could not take: a node of the graph and why."""

    node: str
    operator: str
    reason: str

    def __str__(self) -> str:
        return f"node '{self.node}' ({self.operator}): {self.reason}"


@dataclass(frozen=True, eq=False)
class BuiltEngine:
    """A serialized engine; `data` has the buffer protocol and must outlive its use."""

    data: Any
    seconds: float


class EngineBuilder:
    """Builds engines with one TensorRT; keeps what it times in `timing_cache`, a file that may be missing.

    Not safe for concurrent calls.
    """

    def __init__(self, trt: Any, device: Device, timing_cache: Path | None = None) -> None:
        self._trt = trt
        self._device = device
        self._timing_cache = timing_cache
        self._lines = LogLines()
        self._logger = make_logger(trt, self._lines)
        with device.working():
            self._builder = create(trt.Builder, "builder", self._logger)

    def build(
        self,
        onnx: Path,
        inputs: Sequence[TensorSpec],
        outputs: Sequence[TensorSpec],
        workspace_bytes: int,
        options: BuildOptions = DEFAULT_OPTIONS,
        report: Callable[[Phase], None] = lambda phase: None,
    ) -> BuiltEngine:
        """The engine of an ONNX file whose inputs and outputs are as told.

        Raises ModelUnavailableError: the graph cannot be parsed (each node named), has other or moving
        shapes, or TensorRT gives no engine for it.
        """
        trt, started = self._trt, time.monotonic()
        self._lines.take_errors()
        network = create(self._builder.create_network, "network", network_flags(trt))
        self._parse(onnx, network)
        self._compare(onnx, "input", [network.get_input(i) for i in range(network.num_inputs)], inputs)
        self._compare(onnx, "output", [network.get_output(i) for i in range(network.num_outputs)], outputs)
        config = create(self._builder.create_builder_config, "builder configuration")
        config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, workspace_bytes)
        config.builder_optimization_level = options.optimization_level
        # TensorRT has TF32 on unless told; a float32 graph is to give float32's results.
        (config.set_flag if options.tf32 else config.clear_flag)(trt.BuilderFlag.TF32)
        progress = Progress(report)
        monitor = make_monitor(trt, progress)
        config.progress_monitor = monitor
        # TensorRT refers to the timing cache: it must live until the engine is built.
        timing = self._attach_timing_cache(config)
        engine = self._interruptible(
            progress, lambda: self._builder.build_serialized_network(network, config)
        )
        if engine is None:
            raise ModelUnavailableError(
                f"TensorRT built no engine of {onnx.name}: {self._errors() or 'it gave no reason'}",
                "see the lines above; a lower --optimization-level or more free memory may help",
            )
        self._keep_timing_cache(config)
        del timing
        return BuiltEngine(engine, time.monotonic() - started)

    def _interruptible(self, progress: Progress, work: Callable[[], Any]) -> Any:
        """`work` on another thread, so that Ctrl-C is heard at once and ends the build at its next step."""

        def on_this_gpu() -> Any:
            # CUDA's current device belongs to the thread.
            with self._device.working():
                return work()

        with ThreadPoolExecutor(1, "tensorrt-build") as pool:
            future = pool.submit(on_this_gpu)
            try:
                return future.result()
            except KeyboardInterrupt:
                progress.cancel()
                raise

    def _errors(self) -> str:
        return "; ".join(self._lines.take_errors())

    def _parse(self, onnx: Path, network: Any) -> None:
        parser = create(self._trt.OnnxParser, "ONNX parser", network, self._logger)
        if not onnx.is_file():
            raise ModelUnavailableError(f"no graph at {onnx}", "run `mmrobot export` first")
        # From the file, not from memory: weights in files beside the graph are found by its folder.
        if parser.parse_from_file(str(onnx)):
            return
        faults = [node_error(parser.get_error(i)) for i in range(parser.num_errors)]
        listed = "; ".join(map(str, faults)) or self._errors() or "it gave no reason"
        raise ModelUnavailableError(
            f"TensorRT {self._trt.__version__} cannot parse {onnx.name}: {listed}",
            "export the graph anew with operators that this TensorRT knows, or use the onnx or torch backend",
        )

    def _compare(self, onnx: Path, side: str, found: list[Any], wanted: Sequence[TensorSpec]) -> None:
        there = {}
        for tensor in found:
            shape = tuple(int(size) for size in tensor.shape)
            if any(size < 0 for size in shape):
                raise ModelUnavailableError(
                    f"{side} '{tensor.name}' of {onnx.name} has the moving shape {shape}",
                    "export the graph with static shapes: one file a length and resolution",
                )
            dtype = torch_dtype(self._trt, tensor.dtype, tensor.name)
            there[tensor.name] = TensorSpec(tensor.name, dtype, shape)
        expected = {spec.name: spec for spec in wanted}
        if there != expected:
            raise ModelUnavailableError(
                f"{onnx.name} has other {side}s than its manifest: {_listed(there)}, not {_listed(expected)}",
                "run `mmrobot export` again",
            )

    def _attach_timing_cache(self, config: Any) -> Any:
        stored = b""
        if self._timing_cache is not None and self._timing_cache.is_file():
            stored = self._timing_cache.read_bytes()
        cache = config.create_timing_cache(stored) if stored else None
        if cache is None or not config.set_timing_cache(cache, False):
            if stored:
                _log.warning("%s is of another GPU or TensorRT: timed anew", self._timing_cache)
                self._lines.take_errors()
            cache = create(config.create_timing_cache, "timing cache", b"")
            if not config.set_timing_cache(cache, False):
                raise ModelUnavailableError(
                    f"TensorRT takes no timing cache: {self._errors()}", "report this, with the log"
                )
        return cache

    def _keep_timing_cache(self, config: Any) -> None:
        cache = config.get_timing_cache()
        if self._timing_cache is None or cache is None:
            return
        serialized = cache.serialize()
        try:
            self._timing_cache.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_atomically(self._timing_cache, memoryview(serialized).cast("B"))
        except OSError as error:
            # The engine is what was asked for; without the cache only the next build takes longer.
            _log.warning("timing cache %s is not kept: %s", self._timing_cache, error)


def node_error(parser_error: Any) -> NodeError:
    """A parser's error object as values: the node's name (or number), its operator, the reason."""
    name = parser_error.node_name() or f"number {parser_error.node()}"
    code = getattr(parser_error.code(), "name", str(parser_error.code()))
    return NodeError(name, parser_error.node_operator() or "?", f"{parser_error.desc()} [{code}]")


def _listed(specs: dict[str, TensorSpec]) -> str:
    return ", ".join(f"{s.name} {s.dtype} {list(s.shape)}" for s in sorted(specs.values())) or "none"
