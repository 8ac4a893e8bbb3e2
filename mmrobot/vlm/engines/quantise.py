"""Graphs in fewer bits: int8 with Q/DQ nodes and measured ranges, int4 for a decoder's weights alone."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmrobot.errors import ModelUnavailableError
from mmrobot.vlm.engines.cache import weights_digest, write_atomically

CALIBRATION = "int8_ranges.json"
"""Beside the weights: ranges of activations, by part and tensor."""
TAIL = 0.01
"""Percent of a tensor's values that may lie beyond each end of its range."""
INT4_BLOCK = 32

Feeds = Mapping[str, NDArray[Any]]
Ranges = dict[str, tuple[float, float]]


def quantisable(model: Any, kinds: Sequence[str]) -> list[str]:
    """Names of the nodes of these kinds, given where missing; of products those with constant weights."""
    constants = {tensor.name for tensor in model.graph.initializer}
    names = []
    for i, node in enumerate(model.graph.node):
        if node.op_type not in kinds or (node.op_type == "MatMul" and node.input[1] not in constants):
            continue
        node.name = node.name or f"{node.op_type}_{i}"
        names.append(node.name)
    return names


def measure_ranges(model: Any, nodes: Sequence[str], feeds: Iterable[Feeds]) -> Ranges:
    """Least and greatest value of every activation that the named nodes take or give, over all feeds."""
    import onnx

    from mmrobot.vlm.onnx_backend import cpu_session

    probe = onnx.ModelProto()
    probe.CopyFrom(model)
    constants = {tensor.name for tensor in probe.graph.initializer}
    chosen = [n for n in probe.graph.node if n.name in set(nodes)]
    after = {n.input[0]: n.output[0] for n in probe.graph.node if n.op_type == "Relu"}
    names = {name for n in chosen for name in [*n.input, *n.output] if name and name not in constants}
    names |= {after[name] for name in names if name in after}
    inputs = {value.name for value in probe.graph.input}
    wanted = sorted(names - inputs)
    present = {value.name for value in probe.graph.output}
    probe.graph.output.extend(onnx.helper.make_empty_tensor_value_info(n) for n in wanted if n not in present)
    session = cpu_session(probe.SerializeToString())
    ranges: Ranges = {}
    for feed in feeds:
        values = dict(zip(wanted, session.run(wanted, dict(feed)), strict=True))
        values |= {name: feed[name] for name in names & inputs}
        for name, value in values.items():
            low, high = (float(v) for v in np.percentile(value, (TAIL, 100 - TAIL)))
            before = ranges.get(name, (low, high))
            ranges[name] = (min(low, before[0]), max(high, before[1]))
    return ranges


def quantise_int8(model: Any, nodes: Sequence[str], ranges: Ranges) -> Any:
    """The model with Q/DQ pairs: activations uint8 over their range, weights int8 for each output channel."""
    from onnxruntime.quantization import QuantType
    from onnxruntime.quantization.calibrate import CalibrationMethod, TensorData, TensorsData
    from onnxruntime.quantization.qdq_quantizer import QDQQuantizer

    data = {
        name: TensorData(lowest=np.float32(min(low, 0.0)), highest=np.float32(max(high, 1e-6)))
        for name, (low, high) in ranges.items()
    }
    quantiser = QDQQuantizer(
        model,
        per_channel=True,
        # int16 sums of older CPUs overflow with eight bits on both sides; newer ones have an instruction.
        reduce_range=not has_int8_dot_products(),
        weight_qType=QuantType.QInt8,
        activation_qType=QuantType.QUInt8,
        tensors_range=TensorsData(CalibrationMethod.MinMax, data),
        nodes_to_quantize=list(nodes),
        nodes_to_exclude=[],
        op_types_to_quantize=sorted({n.op_type for n in model.graph.node if n.name in set(nodes)}),
        extra_options={"WeightSymmetric": True, "ActivationSymmetric": False},
    )
    quantiser.quantize_model()
    return quantiser.model.model


def quantise_weights_int4(path: Path) -> None:
    """In place: constant weights of products in 4 bits, blocks of 32 (ONNX Runtime's MatMulNBits)."""
    import onnx
    from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer

    quantiser = MatMulNBitsQuantizer(onnx.load(path), bits=4, block_size=INT4_BLOCK, is_symmetric=True)
    quantiser.process()
    model = quantiser.model.model
    external = model.ByteSize() > 1_500_000_000
    onnx.save_model(model, path, save_as_external_data=external, location=f"{path.name}.data")


def has_int8_dot_products() -> bool:
    """Whether this CPU sums products of 8-bit numbers in 32 bits: x86 with VNNI, any 64-bit ARM."""
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace")
    except OSError:
        return False
    return "avx512_vnni" in flags or "avx_vnni" in flags or "asimddp" in flags


def write_calibration(folder: Path, ranges: Mapping[str, Ranges], pictures: int, texts: int) -> Path:
    """The measured ranges beside the weights they belong to."""
    rounded = {
        part: {name: [float(f"{v:.6g}") for v in pair] for name, pair in sorted(of.items())}
        for part, of in ranges.items()
    }
    content = {
        "weights": weights_digest(folder),
        "pictures": pictures,
        "texts": texts,
        "ranges": rounded,
    }
    path = folder / CALIBRATION
    write_atomically(path, (json.dumps(content, indent=0) + "\n").encode())
    path.chmod(0o644)
    return path


def read_calibration(folder: Path) -> dict[str, Ranges]:
    """Ranges by part. Raises ModelUnavailableError when there are none for the weights in `folder`."""
    fix = "run `mmrobot export --calibrate`, or use fp32"
    try:
        content = json.loads((folder / CALIBRATION).read_text(encoding="utf-8"))
        ranges = {part: {n: (r[0], r[1]) for n, r in of.items()} for part, of in content["ranges"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise ModelUnavailableError(f"no int8 ranges for the weights in {folder}: {error}", fix) from error
    if content.get("weights") != weights_digest(folder):
        raise ModelUnavailableError(f"{folder / CALIBRATION} was measured with other weights", fix)
    return ranges
