"""Graphs without weights are filled rightly; the cache makes entries once, whole, anew on a change."""

from __future__ import annotations

import json
import multiprocessing
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from mmrobot.errors import ModelUnavailableError
from mmrobot.vlm.engines import cache
from mmrobot.vlm.engines.export_nano import SKELETONS, graph_key
from mmrobot.vlm.engines.graph_skeleton import fill, filled, take_out
from mmrobot.vlm.engines.quantise import (
    measure_ranges,
    quantisable,
    quantise_int8,
    quantise_weights_int4,
    read_calibration,
    write_calibration,
)
from mmrobot.vlm.models.nano import NanoConfig
from mmrobot.vlm.onnx_backend import cpu_session

RNG = np.random.default_rng(0)


def product(rows: int, inner: int, outer: int) -> tuple[onnx.ModelProto, np.ndarray]:
    """y (1, rows, outer) = x (1, rows, inner) @ w."""
    w = RNG.standard_normal((inner, outer)).astype(np.float32)
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"], name="product")],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, rows, inner])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, rows, outer])],
        [numpy_helper.from_array(w, "w")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), w


def test_the_shipped_graphs_are_of_the_present_code() -> None:
    assert cache.mismatch(SKELETONS, graph_key(NanoConfig())) == "", "run: mmrobot export --skeletons"


def test_a_skeleton_holds_no_weights_and_takes_any(tmp_path: Path) -> None:
    model, w = product(5, 6, 7)
    table = RNG.standard_normal((9, 100)).astype(np.float32)
    for name, array in (("whole", table), ("turned", table.T), ("some", table[:4])):
        model.graph.initializer.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
    take_out(model, {"layer.weight": np.ascontiguousarray(w.T), "table": table})
    assert not any(t.raw_data for t in model.graph.initializer)
    path = tmp_path / "skeleton.onnx"
    path.write_bytes(model.SerializeToString())
    other, rows = RNG.standard_normal((7, 6)).astype(np.float32), table + 1
    graph = filled(path, {"layer.weight": other, "table": rows}).graph
    back = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
    np.testing.assert_array_equal(back["w"], other.T)
    np.testing.assert_array_equal(back["whole"], rows)
    np.testing.assert_array_equal(back["turned"], rows.T)
    np.testing.assert_array_equal(back["some"], rows[:4])
    with pytest.raises(ModelUnavailableError, match=r"layer\.weight is missing"):
        fill(onnx.load(path, load_external_data=False), {"table": rows})
    with pytest.raises(ModelUnavailableError, match="of shape"):
        fill(onnx.load(path, load_external_data=False), {"layer.weight": other[:3], "table": rows})


def test_a_weight_that_no_parameter_explains_is_refused() -> None:
    model, _ = product(5, 16, 16)
    with pytest.raises(ValueError, match="no parameter explains the initializer w"):
        take_out(model, {"other": np.ones((16, 16), np.float32)})


def test_int8_products_are_near_and_as_near_as_their_ranges_allow() -> None:
    model, w = product(8, 16, 4)
    x = RNG.standard_normal((1, 8, 16)).astype(np.float32)
    exact = x @ w

    def error(widest: float) -> float:
        graph, _ = product(8, 16, 4)
        graph.graph.initializer[0].CopyFrom(model.graph.initializer[0])
        nodes = quantisable(graph, ("MatMul",))
        assert nodes == ["product"]
        ranges = measure_ranges(graph, nodes, [{"x": x}, {"x": x * widest}])
        int8 = quantise_int8(graph, nodes, ranges)
        kinds = [node.op_type for node in int8.graph.node]
        assert "QuantizeLinear" in kinds and "DequantizeLinear" in kinds
        got = cpu_session(int8.SerializeToString()).run(None, {"x": x})[0]
        return float(np.abs(got - exact).max())

    assert error(1) < 0.05 * np.abs(exact).max()
    assert error(1) < error(50) / 5


def test_only_products_with_constant_weights_and_nodes_of_the_kinds_are_chosen() -> None:
    graph, _ = product(8, 8, 8)
    graph.graph.node.append(helper.make_node("MatMul", ["y", "x"], ["z"]))
    graph.graph.node.append(helper.make_node("Relu", ["y"], ["r"]))
    assert quantisable(graph, ("MatMul",)) == ["product"]
    assert quantisable(graph, ("MatMul", "Relu")) == ["product", "Relu_2"]


def test_weights_in_four_bits_are_smaller_and_near(tmp_path: Path) -> None:
    model, w = product(4, 256, 128)
    path = tmp_path / "decode.onnx"
    path.write_bytes(model.SerializeToString())
    before = path.stat().st_size
    quantise_weights_int4(path)
    assert path.stat().st_size < before / 5
    x = RNG.standard_normal((1, 4, 256)).astype(np.float32)
    got, exact = cpu_session(path).run(None, {"x": x})[0], x @ w
    cosine = float((got * exact).sum() / np.linalg.norm(got) / np.linalg.norm(exact))
    assert 0.98 < cosine < 1


def make(folder: Path) -> None:
    (folder / "part.onnx").write_bytes(b"graph")
    with (folder.parent / "made").open("a") as log:
        log.write("x")


def ensure_in_a_process(folder: Path) -> None:
    cache.ensure(folder, {"a": 1}, make)


def test_an_entry_is_made_once_by_two_processes_and_anew_when_it_differs(tmp_path: Path) -> None:
    folder = tmp_path / "entry"
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=ensure_in_a_process, args=(folder,)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    assert (tmp_path / "made").read_text() == "x"
    told: list[str] = []
    cache.ensure(folder, {"a": 2}, make, told.append)
    assert told == ["entry is made anew: a is 1, not 2"]
    (folder / "part.onnx").write_bytes(b"damaged")
    assert cache.mismatch(folder, {"a": 2}) == "part.onnx is damaged"
    cache.ensure(folder, {"a": 2}, make, told.append)
    assert (folder / "part.onnx").read_bytes() == b"graph"
    (folder / "part.onnx").unlink()
    assert cache.mismatch(folder, {"a": 2}) == "part.onnx is missing"


def test_a_failure_leaves_the_old_entry_and_nothing_half_written(tmp_path: Path) -> None:
    folder = tmp_path / "entry"
    cache.ensure(folder, {"a": 1}, make)

    def fail(new: Path) -> None:
        (new / "part.onnx").write_bytes(b"half")
        raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError, match="out of memory"):
        cache.ensure(folder, {"a": 2}, fail)
    assert cache.mismatch(folder, {"a": 1}) == ""
    assert sorted(p.name for p in tmp_path.iterdir()) == ["entry", "entry.lock", "made"]


def test_where_the_cache_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("MMROBOT_CACHE", raising=False)
    assert cache.cache_folder() == tmp_path / "mmrobot"
    monkeypatch.setenv("MMROBOT_CACHE", str(tmp_path / "own"))
    assert cache.cache_folder() == tmp_path / "own"


def test_int8_ranges_belong_to_their_weights(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    with pytest.raises(ModelUnavailableError, match="no int8 ranges"):
        read_calibration(tmp_path)
    path = write_calibration(tmp_path, {"see": {"x": (-1.0, 2.0)}}, 3, 4)
    assert read_calibration(tmp_path) == {"see": {"x": (-1.0, 2.0)}}
    assert json.loads(path.read_text())["pictures"] == 3
    (tmp_path / "model.safetensors").write_bytes(b"other weights")
    with pytest.raises(ModelUnavailableError, match="measured with other weights"):
        read_calibration(tmp_path)
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises(ModelUnavailableError, match="no weights"):
        cache.weights_digest(tmp_path)
