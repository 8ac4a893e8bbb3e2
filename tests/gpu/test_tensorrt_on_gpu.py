"""TensorRT on a true GPU: the same comparisons that elsewhere run on a fake. Skipped where there is no GPU.

make setup-dev && pip install tensorrt && .venv/bin/python -m pytest tests/gpu -m gpu
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mmrobot.errors import ModelUnavailableError
from mmrobot.vlm.engines.trt_api import load_tensorrt
from mmrobot.vlm.engines.trt_build import EngineBuilder
from mmrobot.vlm.engines.trt_engines import EngineMaker
from mmrobot.vlm.engines.trt_key import BuildOptions
from mmrobot.vlm.engines.trt_parts import read_parts
from mmrobot.vlm.engines.trt_progress import Phase
from mmrobot.vlm.engines.trt_runner import EngineLoader
from mmrobot.vlm.engines.trt_store import EngineStore
from mmrobot.vlm.models.nano.vocabulary import CONTROL
from mmrobot.vlm.registry import SHIPPED
from mmrobot.vlm.tensorrt_backend import TensorRtNano
from mmrobot.vlm.torch_backend import TorchNano
from tests.support.nano_parity import Parity, small_nano
from tests.support.onnx_graphs import export_folder, graph, linear

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.slow,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(
        importlib.util.find_spec("tensorrt") is None, reason="TensorRT is not installed: pip install tensorrt"
    ),
]
QUICK = BuildOptions(optimization_level=1)


@pytest.fixture(scope="module")
def trt() -> Any:
    return load_tensorrt()


@pytest.fixture(scope="module")
def device() -> Any:
    from mmrobot.vlm.engines.trt_device import CudaDevice

    return CudaDevice()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("gpu")


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_a_graph_is_built_kept_and_computed(trt: Any, device: Any, tmp_path: Path, dtype: str) -> None:
    (part,) = read_parts(export_folder(tmp_path / "onnx", {"it": linear(64, dtype)}))
    told: list[Phase] = []
    store = EngineStore(tmp_path / "store")
    stored = EngineMaker(trt, device, store).make(part, QUICK, told.append)
    assert told and told[-1].finished
    assert EngineMaker(trt, device, store).make(part, QUICK) == stored
    assert list(store.folder.glob("timing-*.cache"))
    x = np.random.default_rng(0).normal(size=(1, 64)).astype(np.float32)
    engine = EngineLoader(trt, device).load(stored.path, "it")
    import onnx

    weight = onnx.numpy_helper.to_array(onnx.load(part.file).graph.initializer[0]).astype(np.float32)
    np.testing.assert_allclose(engine.run(x=x)["y"], x @ weight + 1, atol=0.1 if dtype == "float16" else 1e-4)
    replay = device.repeatable(engine.launch)
    engine.put("x", -x)
    replay()
    np.testing.assert_allclose(engine.take("y"), -x @ weight + 1, atol=0.1 if dtype == "float16" else 1e-4)


def test_what_the_parser_refuses_is_listed_by_node(trt: Any, device: Any, tmp_path: Path) -> None:
    from onnx import helper

    node = helper.make_node("OfNowhere", ["x"], ["y"], name="/odd")
    model = graph([node], {"x": ("float32", [1, 3])}, {"y": ("float32", [1, 3])})
    (part,) = read_parts(export_folder(tmp_path, {"it": model}))
    with pytest.raises(ModelUnavailableError, match="OfNowhere"):
        EngineBuilder(trt, device).build(part.file, part.inputs, part.outputs, 1 << 28)


def test_too_little_memory_is_told_before_the_build(trt: Any, device: Any, tmp_path: Path) -> None:
    (part,) = read_parts(export_folder(tmp_path / "onnx", {"it": linear()}))
    with (part.file.parent / "it.onnx.data").open("wb") as file:
        file.truncate(1 << 43)  # eight tebibytes, none of them on the disk
    maker = EngineMaker(trt, device, EngineStore(tmp_path / "store"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(part), "model_hash", lambda self: "too large to be read")
        with pytest.raises(ModelUnavailableError, match="needs"):
            maker.make(part, QUICK)


@pytest.fixture(scope="module", params=["small", "shipped"])
def weights(request: pytest.FixtureRequest, folder: Path) -> Path:
    return small_nano(folder / "small") if request.param == "small" else SHIPPED["mmrobot-nano"]


@pytest.fixture(scope="module", params=["fp32", "fp16"])
def parity(request: pytest.FixtureRequest, weights: Path, folder: Path, trt: Any, device: Any) -> Parity:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MMROBOT_CACHE", str(folder / "cache"))
        nano = TensorRtNano(weights, request.param, device, trt=trt)
    return Parity(TorchNano(weights), nano)


def test_parts_are_torchs(parity: Parity) -> None:
    parity.see(20, cosine=0.999)
    parity.recognise(5, cosine=0.999)
    parity.spell(5, cosine=0.999)
    parity.read(20, cosine=0.999)


def test_words_are_torchs(parity: Parity) -> None:
    """Equal ids in float32; in float16 ties of a random model may fall otherwise, so the logits count."""
    if parity.tested._engines["see"].buffers["pixel_values"].element_size() == 4:
        parity.write(20)
        parity.write_after_other_texts(same_length=True)
        parity.write_after_other_texts(same_length=False)
        return
    text = parity.text(0, 4)
    steps = [parts.writer(parts.read(text)) for parts in (parity.trusted, parity.tested)]
    for position in range(4):
        right, found = (step(0, position)[: len(CONTROL) + 4] for step in steps)
        Parity._near(right, found, 0.999, f"step {position}")


def test_the_command(folder: Path) -> None:
    """`mmrobot engine` on this machine, twice: the second time nothing is built."""
    import json
    import os

    weights = small_nano(folder / "for the command")
    script = "import sys; from mmrobot.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", script, "engine", "--model", str(weights), "--json"]
    environment = {**os.environ, "MMROBOT_CACHE": str(folder / "command cache")}
    kept = []
    for _ in range(2):
        result = subprocess.run(
            command, capture_output=True, text=True, env=environment, check=True, timeout=900
        )
        kept.append([engine["kept"] for engine in json.loads(result.stdout.splitlines()[-1])["engines"]])
    assert not any(kept[0]) and kept[1] and all(kept[1])
