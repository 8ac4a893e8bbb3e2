"""Engines, their buffers and the decoder over a fake TensorRT that really computes, in the CPU's memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import helper
from torch import Tensor, nn

from mmrobot.errors import ModelUnavailableError
from mmrobot.vlm.engines.trt_build import EngineBuilder
from mmrobot.vlm.engines.trt_decoder import GreedyDecoder, cache_updates
from mmrobot.vlm.engines.trt_device import CudaDevice
from mmrobot.vlm.engines.trt_parts import read_parts
from mmrobot.vlm.engines.trt_runner import Engine, EngineLoader
from mmrobot.vlm.hardware import NotHereError
from tests.support.cpu_device import CpuDevice
from tests.support.fake_tensorrt import FakeTensorRT
from tests.support.onnx_graphs import export_folder, graph, linear, traced
from tests.support.tensorrt_api import bindings_10, bindings_11


@pytest.fixture(params=["10.3", "11.4"], scope="module")
def trt(request: pytest.FixtureRequest) -> FakeTensorRT:
    return FakeTensorRT(bindings_10() if request.param == "10.3" else bindings_11())


def built(trt: FakeTensorRT, folder: Path, models: dict[str, Any]) -> dict[str, Path]:
    """Engine files of graphs."""
    paths = {}
    for part in read_parts(export_folder(folder, models)):
        engine = EngineBuilder(trt, CpuDevice()).build(part.file, part.inputs, part.outputs, 1 << 28)
        paths[part.name] = folder / f"{part.name}.engine"
        paths[part.name].write_bytes(engine.data)
    return paths


def load(trt: FakeTensorRT, folder: Path, model: Any, shared: dict[str, Any] | None = None) -> Engine:
    return EngineLoader(trt, CpuDevice()).load(built(trt, folder, {"it": model})["it"], "it", shared)


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_an_engine_computes_the_graph(trt: FakeTensorRT, tmp_path: Path, dtype: str) -> None:
    model = linear(dtype=dtype)
    engine = load(trt, tmp_path, model)
    assert (engine.inputs, engine.outputs) == (["x"], ["y"])
    x = np.array([[1.0, -2.0, 0.5]], np.float32)
    weight = onnx.numpy_helper.to_array(model.graph.initializer[0]).astype(np.float32)
    out = engine.run(x=x)["y"]
    assert out.dtype == np.float32
    np.testing.assert_allclose(out, x @ weight + 1, rtol=5e-3 if dtype == "float16" else 1e-6)


def test_buffers_stay_where_they_are(trt: FakeTensorRT, tmp_path: Path) -> None:
    engine = load(trt, tmp_path, linear())
    before = {name: tensor.data_ptr() for name, tensor in engine.buffers.items()}
    first = engine.run(x=np.ones((1, 3), np.float32))
    engine.run(x=np.zeros((1, 3), np.float32))
    assert before == {name: tensor.data_ptr() for name, tensor in engine.buffers.items()}
    again = engine.run(x=np.ones((1, 3), np.float32))
    np.testing.assert_array_equal(first["y"], again["y"])


def test_one_engine_reads_what_another_wrote(trt: FakeTensorRT, tmp_path: Path) -> None:
    first = load(trt, tmp_path / "a", linear())
    second = load(trt, tmp_path / "b", linear(seed=1), {"x": first.buffers["y"]})
    first.run(x=np.ones((1, 3), np.float32))
    seen = first.take("y")
    second.launch()
    np.testing.assert_allclose(second.take("y"), load(trt, tmp_path / "c", linear(seed=1)).run(x=seen)["y"])


@pytest.mark.parametrize("wrong", [torch.zeros(1, 4), torch.zeros(1, 3).half(), torch.zeros(1, 6)[:, ::2]])
def test_a_tensor_that_does_not_fit_is_not_bound(trt: FakeTensorRT, tmp_path: Path, wrong: Tensor) -> None:
    with pytest.raises(ModelUnavailableError, match="'x' of the engine it is float32"):
        load(trt, tmp_path, linear(), {"x": wrong})


def test_an_input_of_another_shape(trt: FakeTensorRT, tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailableError, match=r"'x' of it takes \[1, 3\], given is \[3\]"):
        load(trt, tmp_path, linear()).run(x=np.ones(3, np.float32))


def test_a_refused_run_is_an_error(trt: FakeTensorRT, tmp_path: Path) -> None:
    engine = load(trt, tmp_path, linear())
    engine._device.stream_handle = 0  # type: ignore[misc]
    with pytest.raises(ModelUnavailableError, match="TensorRT does not run it"):
        engine.launch()


def test_an_engine_of_another_version(tmp_path: Path) -> None:
    path = built(FakeTensorRT(bindings_10()), tmp_path, {"it": linear()})["it"]
    with pytest.raises(ModelUnavailableError, match="made by another version"):
        EngineLoader(FakeTensorRT(bindings_11()), CpuDevice()).load(path, "it")


def test_a_data_type_that_is_not_served(trt: FakeTensorRT, tmp_path: Path) -> None:
    node = helper.make_node("Identity", ["x"], ["y"])
    model = graph([node], {"x": ("float64", [1])}, {"y": ("float64", [1])})
    with pytest.raises(ModelUnavailableError, match="data type DOUBLE"):
        built(trt, tmp_path, {"it": model})


def test_in_place_only_where_the_engine_asks_for_it(tmp_path: Path) -> None:
    """11's cache update: the output lies in the input's memory, and nothing has to be copied back."""
    trt = FakeTensorRT(bindings_11())
    sides = {"cache": ("float32", [1, 2, 8, 4]), "rows": ("float32", [1, 2, 1, 4]), "slot": ("int64", [1])}
    node = helper.make_node("TensorScatter", ["cache", "rows", "slot"], ["new_cache"], axis=2)
    model = graph([node], sides, {"new_cache": sides["cache"]}, opset=24)
    model.ir_version = 11
    engine = load(trt, tmp_path, model)
    assert engine.in_place == {"new_cache": "cache"}
    assert engine.buffers["new_cache"] is engine.buffers["cache"]
    assert cache_updates(engine, {"cache": "new_cache"}) == []
    for slot in (5, 2):
        engine.run(rows=np.full((1, 2, 1, 4), slot, np.float32), slot=np.array([slot], np.int64))
    expected = np.zeros((1, 2, 8, 4))
    expected[:, :, 5], expected[:, :, 2] = 5, 2
    np.testing.assert_array_equal(engine.take("cache"), expected)


def test_no_gpu_is_told_in_words() -> None:
    if torch.cuda.is_available():
        pytest.fail("this test is for machines without a GPU; tests/gpu has those for one")
    with pytest.raises(NotHereError, match="no NVIDIA GPU"):
        CudaDevice()


# a decoder small enough to be computed by hand: the next id depends on every row of the cache

CAPACITY, VOCABULARY = 24, 97


class ToyPrefill(nn.Module):
    def forward(
        self, input_ids: Tensor, image_embeds: Tensor, positions: Tensor, length: Tensor
    ) -> tuple[Tensor, ...]:
        t = input_ids.shape[1]
        there = (torch.arange(t) < length).float()
        row = (input_ids[0].float() * 2 + positions[0].float()) * there
        cache = torch.cat([row, torch.zeros(CAPACITY - t)])[None, None, :, None]
        total = (row * (torch.arange(t) + 1.0)).sum() + image_embeds.sum()
        return total[None, None] * 1.0, (total.long() % VOCABULARY)[None, None], cache, cache * 1.0


class ToyDecode(nn.Module):
    def __init__(self, whole: bool) -> None:
        super().__init__()
        self.whole = whole

    def forward(
        self, token_id: Tensor, slot: Tensor, positions: Tensor, cache_k: Tensor, cache_v: Tensor
    ) -> tuple[Tensor, ...]:
        row = (token_id.float() * 2 + positions.float())[None, None]
        place = torch.arange(CAPACITY)
        old = torch.where(place < slot, cache_k[0, 0, :, 0], 0.0)
        rows = old + torch.where(place == slot, row[0, 0, 0], 0.0)
        total = (rows * (place + 1.0)).sum() + (cache_v[0, 0, :, 0] * (place < slot)).sum()
        new_k, new_v = row, row * 1.0
        if self.whole:
            here = (place == slot)[None, None, :, None]
            new_k, new_v = torch.where(here, row, cache_k), torch.where(here, row, cache_v)
        return total[None, None] * 1.0, (total.long() % VOCABULARY)[None, None], new_k, new_v


def by_hand(ids: list[int], first: int, limit: int, picture: float) -> list[int]:
    rows = [2 * token + i for i, token in enumerate(ids)]
    out = [int(sum((i + 1) * r for i, r in enumerate(rows)) + picture) % VOCABULARY]
    while len(out) < limit:
        before = sum(rows)
        rows.append(2 * out[-1] + first + len(out) - 1)
        out.append(int(sum((i + 1) * r for i, r in enumerate(rows)) + before) % VOCABULARY)
    return out


def toy_models(whole: bool) -> dict[str, Any]:
    cache = torch.zeros(1, 1, CAPACITY, 1)
    rows = ("new_cache_k", "new_cache_v") if whole else ("row_k", "row_v")
    one = torch.ones(1, 1, dtype=torch.long)
    decode = {
        "token_id": one,
        "slot": one[0],
        "positions": one,
        "cache_k": cache,
        "cache_v": cache.clone(),
    }
    models = {"decode": traced(ToyDecode(whole), decode, ["logits", "next_id", *rows])}
    for t in (4, 10):
        prompt = {
            "input_ids": torch.ones(1, t, dtype=torch.long),
            "image_embeds": torch.zeros(1, 2, 3),
            "positions": torch.arange(t)[None],
            "length": torch.tensor([t]),
        }
        names = ["logits", "next_id", "cache_k", "cache_v"]
        models[f"prefill_{t}"] = traced(ToyPrefill(), prompt, names)
    return models


@pytest.fixture(scope="module", params=[False, True], ids=["rows", "whole"])
def decoder(
    request: pytest.FixtureRequest, trt: FakeTensorRT, tmp_path_factory: pytest.TempPathFactory
) -> GreedyDecoder:
    paths = built(trt, tmp_path_factory.mktemp("toy"), toy_models(request.param))
    device = CpuDevice()
    prefills = {t: paths[f"prefill_{t}"] for t in (4, 10)}
    return GreedyDecoder(device, EngineLoader(trt, device), paths["decode"], prefills)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(0, 96), min_size=1, max_size=10),
    st.integers(0, 30),
    st.integers(0, 20),
    st.integers(0, 50),
    st.lists(st.integers(0, 96), max_size=3),
)
def test_the_decoder_writes_what_the_sums_say(
    decoder: GreedyDecoder, ids: list[int], first: int, limit: int, picture: int, stop: list[int]
) -> None:
    decoder.image_embeds.fill_(picture)
    positions = np.arange(len(ids), dtype=np.int64)[None]
    found = decoder.generate(ids, positions, first, limit, stop)
    expected = by_hand(ids, first, min(limit, CAPACITY - len(ids) + 1), 6 * picture)[:limit]
    end = next((i + 1 for i, token in enumerate(expected) if token in stop), len(expected))
    assert found == expected[:end]


def test_the_cache_is_one_memory(decoder: GreedyDecoder) -> None:
    for prefill in decoder.prefills.values():
        for name in ("cache_k", "cache_v"):
            assert prefill.buffers[name] is decoder.decode.buffers[name]
        assert prefill.buffers["next_id"] is decoder.decode.buffers["token_id"]
        assert prefill.buffers["image_embeds"] is decoder.image_embeds


@pytest.mark.parametrize("count", [0, 11])
def test_a_prompt_that_fits_no_prefill(decoder: GreedyDecoder, count: int) -> None:
    with pytest.raises(ModelUnavailableError, match=f"a prompt of {count} tokens does not fit"):
        decoder.generate([1] * count, np.zeros((1, count), np.int64), 0, 5)


def test_a_decoder_needs_a_prefill(trt: FakeTensorRT, tmp_path: Path) -> None:
    device = CpuDevice()
    with pytest.raises(ModelUnavailableError, match="no prefill"):
        GreedyDecoder(device, EngineLoader(trt, device), tmp_path / "decode", {})


def test_outputs_that_are_no_update_of_the_cache(trt: FakeTensorRT, tmp_path: Path) -> None:
    nodes = [helper.make_node("Identity", ["x"], ["y"])]
    model = graph(
        [*nodes, helper.make_node("Shape", ["x"], ["s"])],
        {"x": ("float32", [2, 4, 3])},
        {"y": ("float32", [2, 4, 3]), "s": ("int64", [3])},
    )
    engine = load(trt, tmp_path, model)
    assert [(axis, new.shape) for _, new, axis in cache_updates(engine, {"x": "y"})] == [(None, (2, 4, 3))]
    with pytest.raises(ModelUnavailableError, match="neither the cache"):
        cache_updates(engine, {"x": "s"})
