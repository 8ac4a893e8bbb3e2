"""TensorRtNano against TorchNano, part by part, over a fake TensorRT that has the true signatures.

The graphs, the builder, the store, the bindings of buffers and the writing loop are the real ones; ONNX
Runtime computes in the engines' place. On a machine with a GPU tests/gpu runs the same comparison for true.
"""

from __future__ import annotations

import gc
from pathlib import Path

import pytest

from mmrobot.vlm.engines.trt_store import EngineStore
from mmrobot.vlm.tensorrt_backend import UNREACHABLE, TensorRtNano
from mmrobot.vlm.torch_backend import TorchNano
from tests.support.cpu_device import CpuDevice
from tests.support.fake_tensorrt import FakeTensorRT
from tests.support.nano_parity import Parity, small_nano, traced_parts
from tests.support.tensorrt_api import bindings_10, bindings_11

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_nano(tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="module")
def graphs(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return traced_parts(weights, tmp_path_factory.mktemp("graphs"))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> EngineStore:
    return EngineStore(tmp_path_factory.mktemp("store"))


@pytest.fixture(scope="module", params=["10.3", "11.4"])
def nano(request: pytest.FixtureRequest, weights: Path, graphs: Path, store: EngineStore) -> TensorRtNano:
    trt = FakeTensorRT(bindings_10() if request.param == "10.3" else bindings_11())
    return TensorRtNano(weights, device=CpuDevice(), trt=trt, graphs=graphs, store=store)


@pytest.fixture(scope="module")
def parity(nano: TensorRtNano, weights: Path) -> Parity:
    return Parity(TorchNano(weights), nano)


def test_what_is_seen(parity: Parity) -> None:
    parity.see(4, cosine=0.99999)


def test_what_is_recognised(parity: Parity) -> None:
    parity.recognise(5, cosine=0.99999)


def test_what_is_spelt(parity: Parity) -> None:
    parity.spell(5, cosine=0.99999)


def test_what_is_read(parity: Parity) -> None:
    parity.read(6, cosine=0.9999)


def test_what_is_written(parity: Parity) -> None:
    parity.write(6)


def test_every_step_is_one_replay(nano: TensorRtNano) -> None:
    device = nano._device
    assert isinstance(device, CpuDevice) and device.graphs == len(nano._engines) == 7


def test_the_memory_is_not_copied(nano: TensorRtNano) -> None:
    for words in nano._lengths:
        reader, writer = nano._engines[f"read_{words}"], nano._engines[f"write_{words}"]
        shared = set(reader.outputs) & set(writer.inputs)
        assert len(shared) >= 3
        assert all(reader.buffers[name] is writer.buffers[name] for name in shared)


def test_a_text_read_in_between_spoils_nothing(parity: Parity) -> None:
    parity.write_after_other_texts(same_length=True)
    parity.write_after_other_texts(same_length=False)


def test_two_writers_of_one_length_at_once(parity: Parity) -> None:
    nano = parity.tested
    first = nano.writer(nano.read(parity.text(0, 5)))
    first(0, 0)
    nano.writer(nano.read(parity.text(1, 5)))
    gc.collect()
    with pytest.raises(RuntimeError, match="begin it again"):
        first(0, 1)


def test_words_past_the_engines_length_are_never_chosen(parity: Parity) -> None:
    nano = parity.tested
    logits = nano.writer(nano.read(parity.text(0, 3)))(0, 0)
    short = min(nano._lengths)
    past = nano.config.max_words - short
    assert past > 0 and (logits[-past:] == UNREACHABLE).all() and (logits[:-past] > UNREACHABLE).any()


def test_a_second_start_builds_nothing(weights: Path, graphs: Path, tmp_path: Path) -> None:
    trt = FakeTensorRT(bindings_11())
    for builds in (7, 0):
        trt.calls.clear()
        TensorRtNano(weights, device=CpuDevice(), trt=trt, graphs=graphs, store=EngineStore(tmp_path))
        assert [name for _, name, _ in trt.calls].count("build_serialized_network") == builds


def test_float16_sight(weights: Path, tmp_path: Path) -> None:
    """Half precision: the builder's type checks, conversions at the edges, and results near float32's."""
    nano = TensorRtNano(
        weights,
        device=CpuDevice(),
        trt=FakeTensorRT(bindings_11()),
        graphs=traced_parts(weights, tmp_path / "graphs", half=("see", "recognise", "spell")),
        store=EngineStore(tmp_path / "store"),
    )
    assert str(nano._engines["see"].buffers["pixel_values"].dtype) == "torch.float16"
    parity = Parity(TorchNano(weights), nano)
    parity.see(2, cosine=0.999)
    parity.recognise(2, cosine=0.999)
    parity.spell(2, cosine=0.999)
