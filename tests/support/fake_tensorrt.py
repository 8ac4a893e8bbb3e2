"""A TensorRT without a GPU: the true names and signatures, enforced, over engines that ONNX Runtime runs.

`FakeTensorRT(description)` has the classes, methods, properties and enumerations of a description of the true
bindings (tensorrt_api.py) and nothing else: a wrong name, argument or type fails as it would there. Engines
read their inputs and write their outputs at the addresses that were bound, in the CPU's memory.
"""

from __future__ import annotations

import ctypes
import json
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnx

DTYPES = {
    onnx.TensorProto.FLOAT: "FLOAT",
    onnx.TensorProto.FLOAT16: "HALF",
    onnx.TensorProto.BFLOAT16: "BF16",
    onnx.TensorProto.INT64: "INT64",
    onnx.TensorProto.INT32: "INT32",
    onnx.TensorProto.BOOL: "BOOL",
    onnx.TensorProto.DOUBLE: "DOUBLE",
}
NUMPY = {"FLOAT": "<f4", "HALF": "<f2", "INT64": "<i8", "INT32": "<i4", "BOOL": "?"}
MAGIC = b"FAKE ENGINE\n"


class EnumMember:
    """As pybind11 makes them: a name, a value, int() of it, equal by value within one enumeration."""

    def __init__(self, kind: str, name: str, value: int) -> None:
        self._kind, self.name, self.value = kind, name, value

    def __int__(self) -> int:
        return self.value

    __index__ = __int__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, EnumMember) and (self._kind, self.value) == (other._kind, other.value)

    def __hash__(self) -> int:
        return hash((self._kind, self.value))

    def __repr__(self) -> str:
        return f"<{self._kind}.{self.name}: {self.value}>"


class FakeTensorRT(SimpleNamespace):
    """The module. `calls` lists (class, method, arguments); `settings` holds what the library would do."""

    def __init__(self, description: dict[str, Any]) -> None:
        super().__init__()
        self.__version__ = description["version"]
        self.calls: list[tuple[str, str, tuple[Any, ...]]] = []
        self.settings = SimpleNamespace(
            build_fails=False,
            refuse_timing_cache=False,
            steps=3,
            during_build=None,
            unsupported="Unsupported",
        )
        self._description = description["classes"]
        for name, entry in sorted(
            self._description.items(), key=lambda i: (i[0].count("."), len(i[1]["bases"]))
        ):
            owner, _, own = name.rpartition(".")
            setattr(getattr(self, owner) if owner else self, own, self._make(name, entry))
        for name, entry in self._description.items():
            for constant, kind in entry["constants"].items():
                cls = getattr(self, name)
                setattr(cls, constant, getattr(attribute(self, kind), constant))

    def _make(self, name: str, entry: dict[str, Any]) -> Any:
        if entry["enum"] is not None:
            members = {k: EnumMember(name, k, v) for k, v in entry["enum"].items()}
            return SimpleNamespace(**members, __members__=members)
        bases = tuple(getattr(self, base) for base in entry["bases"][:1]) or (Base,)
        space: dict[str, Any] = {"_trt": self, "_kind": name, "_properties": entry["properties"]}
        for method, overloads in entry["methods"].items():
            space[method] = _method(self, name, method, overloads)
        if name == "IHostMemory":
            return type(name, (bytearray,), {"nbytes": property(len)})
        return type(name, bases, space)

    def matches(self, value: Any, kind: str) -> bool:
        """Whether a Python value is taken for an argument of a kind of the bindings."""
        if kind == "int":
            return isinstance(value, int | np.integer) and not isinstance(value, bool)
        if kind in ("str", "bool"):
            return isinstance(value, {"str": str, "bool": bool}[kind])
        if kind == "buffer":
            return isinstance(value, bytes | bytearray | memoryview)
        if kind in self._description:
            if self._description[kind]["enum"] is not None:
                return isinstance(value, EnumMember) and value._kind == kind
            return isinstance(value, attribute(self, kind))
        raise AssertionError(f"the fake knows no argument of kind {kind}")


def attribute(root: Any, dotted: str) -> Any:
    """`root.A.B` of "A.B"."""
    for part in dotted.split("."):
        root = getattr(root, part)
    return root


class Base:
    """Objects of the bindings: only known properties may be set, read-only ones may not."""

    _trt: FakeTensorRT
    _kind: str
    _properties: dict[str, bool]

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith("_"):
            object.__setattr__(self, name, value)
        elif not self._properties.get(name, False):
            raise AttributeError(f"{self._kind} has no attribute '{name}' that may be set")
        else:
            self.__dict__[name] = value

    @classmethod
    def make(cls, **values: Any) -> Any:
        """An object as the library hands it out."""
        made = cls.__new__(cls)
        made.__dict__.update(values)
        return made


def _method(trt: FakeTensorRT, kind: str, name: str, overloads: list[dict[str, Any]]) -> Any:
    work = getattr(Library, f"{kind}_{name.strip('_')}", None)

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        bound = next(
            (b for o in overloads if (b := _bind(trt, o["arguments"], args, kwargs)) is not None), None
        )
        if bound is None:
            raise TypeError(f"{kind}.{name}(): incompatible arguments {args} {kwargs}; there is {overloads}")
        trt.calls.append((kind, name, tuple(bound)))
        if work is None:
            raise NotImplementedError(f"the fake TensorRT does not do {kind}.{name}")
        return work(trt, self, *bound)

    return method


def _bind(trt: FakeTensorRT, arguments: list[Any], args: Any, kwargs: Any) -> list[Any] | None:
    if len(args) > len(arguments):
        return None
    values = list(args)
    rest = dict(kwargs)
    for name, _, has_default in arguments[len(args) :]:
        if name in rest:
            values.append(rest.pop(name))
        elif has_default:
            break
        else:
            return None
    if rest or not all(trt.matches(v, a[1]) for v, a in zip(values, arguments, strict=False)):
        return None
    return values


class Library:
    """What the library does behind the bindings: `Class_method(module, object, *arguments)`."""

    def Builder_init(trt: FakeTensorRT, self: Any, logger: Any) -> None:
        self._logger = logger

    def Builder_create_network(trt: FakeTensorRT, self: Any, flags: int = 0) -> Any:
        typed = 1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED)
        strong = trt.__version__.startswith("11.") or bool(flags & typed)
        assert strong, "a weakly typed network would round float32 as TensorRT likes"
        return trt.INetworkDefinition.make(num_inputs=0, num_outputs=0, _model=None, _io=[])

    def Builder_create_builder_config(trt: FakeTensorRT, self: Any) -> Any:
        return trt.IBuilderConfig.make(_flags={"TF32"}, _pools={}, _timing=None, progress_monitor=None)

    def Builder_build_serialized_network(trt: FakeTensorRT, self: Any, network: Any, config: Any) -> Any:
        monitor = config.progress_monitor
        monitor.phase_start("Building", None, 1)
        monitor.phase_start("Timing", "Building", trt.settings.steps)
        for step in range(trt.settings.steps):
            if trt.settings.during_build is not None:
                trt.settings.during_build(step)
            if not monitor.step_complete("Timing", step):
                self._logger.log(trt.ILogger.ERROR, "build cancelled")
                return None
        monitor.phase_finish("Timing")
        monitor.phase_finish("Building")
        if trt.settings.build_fails:
            self._logger.log(trt.ILogger.ERROR, "no tactic fits into the workspace")
            return None
        assert config._timing is not None and trt.ITimingCache is type(config._timing)
        config._timing._content += b"t"
        header = {"tensorrt": trt.__version__, "pools": config._pools, "flags": sorted(config._flags)}
        return trt.IHostMemory(
            MAGIC + json.dumps(header).encode() + b"\n" + network._model.SerializeToString()
        )

    # its configuration
    def IBuilderConfig_set_memory_pool_limit(trt: FakeTensorRT, self: Any, pool: Any, pool_size: int) -> None:
        self._pools[pool.name] = pool_size

    def IBuilderConfig_set_flag(trt: FakeTensorRT, self: Any, flag: Any) -> None:
        self._flags.add(flag.name)

    def IBuilderConfig_clear_flag(trt: FakeTensorRT, self: Any, flag: Any) -> None:
        self._flags.discard(flag.name)

    def IBuilderConfig_create_timing_cache(trt: FakeTensorRT, self: Any, content: Any) -> Any:
        return trt.ITimingCache.make(_content=bytearray(content))

    def IBuilderConfig_set_timing_cache(
        trt: FakeTensorRT, self: Any, cache: Any, ignore_mismatch: bool
    ) -> bool:
        if trt.settings.refuse_timing_cache and cache._content:
            return False
        self._timing = cache
        return True

    def IBuilderConfig_get_timing_cache(trt: FakeTensorRT, self: Any) -> Any:
        return self._timing

    def ITimingCache_serialize(trt: FakeTensorRT, self: Any) -> Any:
        return trt.IHostMemory(bytes(self._content))

    # the parser
    def OnnxParser_init(trt: FakeTensorRT, self: Any, network: Any, logger: Any) -> None:
        self._network, self._faults = network, []

    def OnnxParser_parse_from_file(trt: FakeTensorRT, self: Any, path: str) -> bool:
        model = onnx.load(path)
        for i, node in enumerate(model.graph.node):
            if node.op_type == trt.settings.unsupported:
                self._faults.append((i, node))
        self.__dict__["num_errors"] = len(self._faults)
        graph = model.graph
        stored = {t.name for t in graph.initializer}
        inputs = [_tensor(trt, v) for v in graph.input if v.name not in stored]
        outputs = [_tensor(trt, v) for v in graph.output]
        self._network.__dict__.update(num_inputs=len(inputs), num_outputs=len(outputs))
        self._network.__dict__.update(_model=model, _io=[inputs, outputs])
        return not self._faults

    def OnnxParser_get_error(trt: FakeTensorRT, self: Any, index: int) -> Any:
        return trt.ParserError.make(_index=self._faults[index][0], _node=self._faults[index][1])

    def ParserError_node(trt: FakeTensorRT, self: Any) -> int:
        return int(self._index)

    def ParserError_node_name(trt: FakeTensorRT, self: Any) -> str:
        return str(self._node.name)

    def ParserError_node_operator(trt: FakeTensorRT, self: Any) -> str:
        return str(self._node.op_type)

    def ParserError_code(trt: FakeTensorRT, self: Any) -> Any:
        return trt.ErrorCode.UNSUPPORTED_NODE

    def ParserError_desc(trt: FakeTensorRT, self: Any) -> str:
        return "no importer is registered for it"

    def INetworkDefinition_get_input(trt: FakeTensorRT, self: Any, index: int) -> Any:
        return self._io[0][index]

    def INetworkDefinition_get_output(trt: FakeTensorRT, self: Any, index: int) -> Any:
        return self._io[1][index]

    # what the application derives from
    def IProgressMonitor_init(trt: FakeTensorRT, self: Any) -> None:
        self._made = True

    def ILogger_init(trt: FakeTensorRT, self: Any) -> None:
        self._made = True

    # the runtime
    def Runtime_init(trt: FakeTensorRT, self: Any, logger: Any) -> None:
        self._logger = logger

    def Runtime_deserialize_cuda_engine(trt: FakeTensorRT, self: Any, serialized: Any) -> Any:
        content = bytes(serialized)
        header, _, model = content.removeprefix(MAGIC).partition(b"\n")
        if not content.startswith(MAGIC) or json.loads(header)["tensorrt"] != trt.__version__:
            self._logger.log(trt.ILogger.ERROR, "the engine was made by another version")
            return None
        proto = onnx.load_from_string(model)
        stored = {t.name for t in proto.graph.initializer}
        inputs = [_tensor(trt, v) for v in proto.graph.input if v.name not in stored]
        outputs = [_tensor(trt, v) for v in proto.graph.output]
        return trt.ICudaEngine.make(
            num_io_tensors=len(inputs) + len(outputs), _model=proto, _inputs=inputs, _outputs=outputs
        )

    def ICudaEngine_get_tensor_name(trt: FakeTensorRT, self: Any, index: int) -> str:
        return str((self._inputs + self._outputs)[index].name)

    def ICudaEngine_get_tensor_mode(trt: FakeTensorRT, self: Any, name: str) -> Any:
        is_input = any(t.name == name for t in self._inputs)
        return trt.TensorIOMode.INPUT if is_input else trt.TensorIOMode.OUTPUT

    def ICudaEngine_get_tensor_shape(trt: FakeTensorRT, self: Any, name: str) -> Any:
        return next(t.shape for t in self._inputs + self._outputs if t.name == name)

    def ICudaEngine_get_tensor_dtype(trt: FakeTensorRT, self: Any, name: str) -> Any:
        return next(t.dtype for t in self._inputs + self._outputs if t.name == name)

    def ICudaEngine_get_tensor_location(trt: FakeTensorRT, self: Any, name: str) -> Any:
        return trt.TensorLocation.DEVICE

    def ICudaEngine_get_aliased_input_tensor(trt: FakeTensorRT, self: Any, name: str) -> str | None:
        made_by = {n.output[0]: n for n in self._model.graph.node}
        node = made_by.get(name)
        return str(node.input[0]) if node is not None and node.op_type == "TensorScatter" else None

    def ICudaEngine_create_execution_context(trt: FakeTensorRT, self: Any) -> Any:
        return trt.IExecutionContext.make(_engine=self, _addresses={}, _session=Session(self._model))

    # execution
    def IExecutionContext_set_tensor_address(trt: FakeTensorRT, self: Any, name: str, memory: int) -> bool:
        known = any(t.name == name for t in self._engine._inputs + self._engine._outputs)
        self._addresses[name] = memory
        return known and memory != 0

    def IExecutionContext_execute_async_v3(trt: FakeTensorRT, self: Any, stream_handle: int) -> bool:
        engine = self._engine
        everything = engine._inputs + engine._outputs
        if stream_handle == 0 or any(t.name not in self._addresses for t in everything):
            return False
        feeds = {t.name: _memory(self._addresses[t.name], t) for t in engine._inputs}
        results = self._session.run({name: array.copy() for name, array in feeds.items()})
        for tensor, result in zip(engine._outputs, results, strict=True):
            _refuse_overlap(trt, self, tensor)
            _memory(self._addresses[tensor.name], tensor)[...] = result
        return True


class Session:
    """Runs a graph by ONNX Runtime, or by the reference evaluator where it has an operator of opset 24."""

    def __init__(self, model: Any) -> None:
        self._reference = any(n.op_type == "TensorScatter" for n in model.graph.node)
        if self._reference:
            from onnx.reference import ReferenceEvaluator

            self._session = ReferenceEvaluator(model)
        else:
            import onnxruntime

            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = 1
            self._session = onnxruntime.InferenceSession(
                model.SerializeToString(), options, providers=["CPUExecutionProvider"]
            )

    def run(self, feeds: dict[str, Any]) -> list[Any]:
        """Outputs in the graph's order."""
        return list(self._session.run(None, feeds))


def _tensor(trt: FakeTensorRT, value: Any) -> Any:
    shape = tuple(d.dim_value if d.HasField("dim_value") else -1 for d in value.type.tensor_type.shape.dim)
    name = DTYPES[value.type.tensor_type.elem_type]
    dtype = getattr(trt.DataType, name, None) or EnumMember("DataType", name, 99)
    return trt.ITensor.make(name=value.name, shape=shape, dtype=dtype)


def _memory(address: int, tensor: Any) -> Any:
    dtype = np.dtype(NUMPY[tensor.dtype.name])
    size = int(np.prod(tensor.shape, dtype=np.int64)) * dtype.itemsize
    buffer = (ctypes.c_char * size).from_address(address)
    return np.frombuffer(buffer, dtype=dtype).reshape(tensor.shape)


def _refuse_overlap(trt: FakeTensorRT, context: Any, output: Any) -> None:
    """Inputs and outputs may share memory only where the engine asks for it."""
    engine = context._engine
    ask = Library.ICudaEngine_get_aliased_input_tensor
    wanted = ask(trt, engine, output.name)
    start = context._addresses[output.name]
    for tensor in engine._inputs:
        shares = context._addresses[tensor.name] == start
        assert shares == (tensor.name == wanted), (
            f"{output.name} and {tensor.name}: shared memory is {shares}"
        )
