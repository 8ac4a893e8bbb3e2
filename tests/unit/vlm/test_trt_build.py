"""The builder over a fake TensorRT that has the true signatures of 10.3 and of 11.4."""

from __future__ import annotations

import json
import logging
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import helper

from mmrobot.errors import ModelUnavailableError
from mmrobot.vlm.engines.trt_build import EngineBuilder
from mmrobot.vlm.engines.trt_engines import EngineMaker, Target, plan_engines
from mmrobot.vlm.engines.trt_key import BuildOptions
from mmrobot.vlm.engines.trt_memory import (
    Need,
    build_need,
    check_memory,
    host_free_bytes,
    load_need,
    workspace_limit,
)
from mmrobot.vlm.engines.trt_parts import OnnxPart, read_parts
from mmrobot.vlm.engines.trt_progress import LogLines, Phase, Progress, make_logger
from mmrobot.vlm.engines.trt_store import EngineStore
from tests.support.cpu_device import CpuDevice
from tests.support.fake_tensorrt import MAGIC, FakeTensorRT
from tests.support.onnx_graphs import export_folder, graph, linear
from tests.support.tensorrt_api import bindings_10, bindings_11


@pytest.fixture(params=["10.3", "11.4"])
def trt(request: pytest.FixtureRequest) -> FakeTensorRT:
    return FakeTensorRT(bindings_10() if request.param == "10.3" else bindings_11())


@pytest.fixture
def part(tmp_path: Path) -> OnnxPart:
    return read_parts(export_folder(tmp_path / "onnx", {"see": linear()}))[0]


def build(trt: FakeTensorRT, part: OnnxPart, **more: Any) -> Any:
    cache = part.file.parent / "timing.cache"
    return EngineBuilder(trt, CpuDevice(), cache).build(part.file, part.inputs, part.outputs, 1 << 28, **more)


def header(engine: Any) -> dict[str, Any]:
    return dict(json.loads(bytes(engine.data).removeprefix(MAGIC).partition(b"\n")[0]))


def test_float32_stays_float32(trt: FakeTensorRT, part: OnnxPart) -> None:
    assert header(build(trt, part)) == {
        "tensorrt": trt.__version__,
        "pools": {"WORKSPACE": 1 << 28},
        "flags": [],
    }
    assert header(build(trt, part, options=BuildOptions(tf32=True)))["flags"] == ["TF32"]


def test_the_network_is_strongly_typed(trt: FakeTensorRT, part: OnnxPart) -> None:
    build(trt, part)
    flags = [a for kind, name, a in trt.calls if name == "create_network"]
    assert flags == [(2,)] if trt.__version__.startswith("10.") else flags == [(0,)]


def test_what_the_parser_refuses_is_listed_by_node(trt: FakeTensorRT, tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Unsupported", ["x"], ["a"], name="/odd"),
        helper.make_node("Relu", ["a"], ["b"], name="/fine"),
        helper.make_node("Unsupported", ["b"], ["y"]),
    ]
    model = graph(nodes, {"x": ("float32", [1, 3])}, {"y": ("float32", [1, 3])})
    (part,) = read_parts(export_folder(tmp_path, {"see": model}))
    with pytest.raises(ModelUnavailableError) as caught:
        build(trt, part)
    text = caught.value.message
    assert "node '/odd' (Unsupported): no importer" in text and "node 'number 2' (Unsupported)" in text
    assert "/fine" not in text and trt.__version__ in text


def test_moving_shapes_are_refused(trt: FakeTensorRT, part: OnnxPart) -> None:
    node = helper.make_node("Relu", ["x"], ["y"])
    import onnx

    onnx.save(graph([node], {"x": ("float32", ["n", 3])}, {"y": ("float32", ["n", 3])}), str(part.file))
    with pytest.raises(ModelUnavailableError, match=r"input 'x'.*moving shape \(-1, 3\)"):
        build(trt, part)


def test_another_graph_than_the_manifest_tells(trt: FakeTensorRT, part: OnnxPart) -> None:
    import onnx

    onnx.save(linear(4), str(part.file))
    with pytest.raises(
        ModelUnavailableError, match=r"other inputs.*x float32 \[1, 4\], not x float32 \[1, 3\]"
    ):
        build(trt, part)


def test_a_failed_build_gives_tensorrts_reason(trt: FakeTensorRT, part: OnnxPart) -> None:
    trt.settings.build_fails = True
    with pytest.raises(ModelUnavailableError, match="no tactic fits into the workspace"):
        build(trt, part)
    assert not (part.file.parent / "timing.cache").exists()


def test_a_missing_graph(trt: FakeTensorRT, part: OnnxPart) -> None:
    part.file.unlink()
    with pytest.raises(ModelUnavailableError, match=r"no graph at .*see\.onnx"):
        build(trt, part)


def test_the_timing_cache_is_kept_and_used_again(trt: FakeTensorRT, part: OnnxPart) -> None:
    cache = part.file.parent / "timing.cache"
    build(trt, part)
    assert cache.read_bytes() == b"t"
    build(trt, part)
    assert cache.read_bytes() == b"tt"


def test_a_timing_cache_of_another_gpu_is_replaced(
    trt: FakeTensorRT, part: OnnxPart, caplog: pytest.LogCaptureFixture
) -> None:
    cache = part.file.parent / "timing.cache"
    cache.write_bytes(b"of another GPU")
    trt.settings.refuse_timing_cache = True
    build(trt, part)
    assert cache.read_bytes() == b"t" and "timed anew" in caplog.text


def test_an_unwritable_timing_cache_costs_no_engine(
    trt: FakeTensorRT, part: OnnxPart, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    builder = EngineBuilder(trt, CpuDevice(), tmp_path / "file" / "timing.cache")
    builder.build(part.file, part.inputs, part.outputs, 1 << 28)
    assert "is not kept" in caplog.text


def test_progress_is_told_in_order(trt: FakeTensorRT, part: OnnxPart) -> None:
    told: list[Phase] = []
    build(trt, part, report=told.append)
    assert told[0] == Phase("Building", 0, 1) and told[-1] == Phase("Building", 0, 1, 0, True)


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Ctrl-C raises, also where the tests run in the background and SIGINT was ignored from the start."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_ends_the_build_at_its_next_step(trt: FakeTensorRT, part: OnnxPart) -> None:
    steps: list[int] = []
    waiting = threading.Event()

    def interrupt(step: int) -> None:
        steps.append(step)
        if step == 0:
            main = threading.main_thread().ident
            assert main is not None
            signal.pthread_kill(main, signal.SIGINT)
        waiting.wait(0.01)

    trt.settings.during_build, trt.settings.steps = interrupt, 1000
    with pytest.raises(KeyboardInterrupt):
        build(trt, part)
    assert len(steps) < 1000


def test_progress_is_told_now_and_then() -> None:
    now = [0.0]
    told: list[Phase] = []
    progress = Progress(told.append, lambda: now[0])
    progress.start("all", None, 1)
    progress.start("inner", "all", 100)
    for step in range(100):
        now[0] += 0.05
        progress.step("inner", step)
    progress.finish("inner")
    progress.step("unknown", 1)
    progress.finish("unknown")
    progress.finish("all")
    assert 20 <= len(told) <= 30 and {p.depth for p in told} == {0, 1}
    progress.cancel()
    assert progress.step("all", 0) is False


def test_log_lines_go_to_pythons_logging(caplog: pytest.LogCaptureFixture) -> None:
    trt, lines = FakeTensorRT(bindings_11()), LogLines()
    logger = make_logger(trt, lines)
    with caplog.at_level(logging.DEBUG, "mmrobot.tensorrt"):
        for severity in ("INTERNAL_ERROR", "ERROR", "WARNING", "INFO", "VERBOSE"):
            logger.log(getattr(trt.ILogger, severity), severity.lower())
    assert [r.levelname for r in caplog.records] == ["CRITICAL", "ERROR", "WARNING", "DEBUG"]
    assert lines.take_errors() == ("internal_error", "error") and lines.take_errors() == ()


# the maker: memory first, then the store, then the builder


def maker(trt: FakeTensorRT, folder: Path, **device: Any) -> EngineMaker:
    return EngineMaker(trt, CpuDevice(**device), EngineStore(folder / "store"))


def test_an_engine_is_built_once(trt: FakeTensorRT, part: OnnxPart, tmp_path: Path) -> None:
    first = maker(trt, tmp_path).make(part)
    count = len(trt.calls)
    assert maker(trt, tmp_path).make(part) == first
    assert len(trt.calls) == count, "a kept engine asks nothing of the builder"
    maker(trt, tmp_path).make(part, anew=True)
    assert len(trt.calls) > count


@pytest.mark.parametrize("change", ["gpu", "weights", "options"])
def test_an_engine_is_built_again_on_mismatch(
    trt: FakeTensorRT, part: OnnxPart, tmp_path: Path, change: str
) -> None:
    first = maker(trt, tmp_path).make(part)
    name, options = "Fake GPU", BuildOptions()
    if change == "gpu":
        name = "Another GPU"
    elif change == "weights":
        export_folder(part.file.parent, {"see": linear(seed=1)})
    else:
        options = BuildOptions(optimization_level=5)
    second = maker(trt, tmp_path, name=name).make(part, options)
    assert second.path != first.path and first.path.exists()


def test_another_tensorrt_builds_its_own(part: OnnxPart, tmp_path: Path) -> None:
    paths = {maker(FakeTensorRT(b), tmp_path).make(part).path for b in (bindings_10(), bindings_11())}
    assert len(paths) == 2


def test_too_little_memory_is_told_before_the_build(
    trt: FakeTensorRT, part: OnnxPart, tmp_path: Path
) -> None:
    with pytest.raises(ModelUnavailableError, match=r"building the engine 'see' needs \d+ MiB of Fake GPU's"):
        maker(trt, tmp_path, free=1 << 20).make(part)
    assert trt.calls == []


def test_the_plan_needs_no_tensorrt(part: OnnxPart, tmp_path: Path) -> None:
    trt = FakeTensorRT(bindings_11())
    made = maker(trt, tmp_path)
    store = EngineStore(tmp_path / "store")
    (before,) = plan_engines([part], made.target, store)
    stored = made.make(part)
    (after,) = plan_engines([part], made.target, store)
    assert before.stored is None and after.stored == stored and before.path == stored.path
    (other,) = plan_engines([part], Target("11.4.0.106", "Orin", (8, 7)), store)
    assert other.stored is None and other.key.digest != after.key.digest


sizes = st.integers(0, 1 << 40)


@given(sizes, sizes, sizes, sizes)
def test_memory_is_refused_exactly_when_it_lacks(gpu: int, host: int, free: int, host_free: int) -> None:
    device = CpuDevice(free=free)
    fits = gpu <= free and host <= host_free
    shared = gpu + host <= min(free, host_free)
    for integrated, enough in ((False, fits), (True, shared)):
        device = CpuDevice(free=free, integrated=integrated)
        if enough:
            check_memory(Need(gpu, host), device, "it", host_free)
        else:
            with pytest.raises(ModelUnavailableError, match="needs"):
                check_memory(Need(gpu, host), device, "it", host_free)


@given(st.integers(0, 1 << 36), st.integers(1, 1 << 20))
def test_needs_grow_with_the_weights(weights: int, more: int) -> None:
    small, large = build_need(weights, ()), build_need(weights + more, ())
    assert small.gpu < large.gpu and small.host < large.host
    assert load_need(weights, ()).gpu < build_need(weights, ()).gpu


@given(sizes, sizes)
def test_the_workspace_leaves_room(free: int, need: int) -> None:
    limit = workspace_limit(free, Need(need, 0))
    assert limit >= 64 << 20
    assert limit == 64 << 20 or limit + need <= free


def test_host_memory(tmp_path: Path) -> None:
    assert host_free_bytes() > 1 << 20
    meminfo = tmp_path / "meminfo"
    meminfo.write_text("MemTotal: 9 kB\nMemAvailable:    2048 kB\n")
    assert host_free_bytes(meminfo) == 2 << 20
    for content in ("", "MemAvailable: much\n"):
        meminfo.write_text(content)
        with pytest.raises(ModelUnavailableError, match="free memory is unknown"):
            host_free_bytes(meminfo)


@settings(max_examples=30)
@given(st.recursive(st.none() | st.integers(-2, 3) | st.text(max_size=3), lambda c: st.lists(c, max_size=2)))
def test_odd_manifests_are_refused_in_words(tmp_path_factory: pytest.TempPathFactory, entry: Any) -> None:
    folder = tmp_path_factory.mktemp("odd")
    for content in (
        {"format": 1, "key": {}, "parts": {"see": entry}},
        {"format": 1, "key": {}, "parts": entry},
    ):
        (folder / "manifest.json").write_text(json.dumps(content))
        with pytest.raises(ModelUnavailableError):
            read_parts(folder)


def test_a_folder_without_export(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailableError, match="no exported graphs"):
        read_parts(tmp_path)


def test_a_part_whose_file_is_gone(part: OnnxPart) -> None:
    part.file.unlink()
    with pytest.raises(ModelUnavailableError, match=r"see\.onnx, which is not there"):
        read_parts(part.file.parent)


def test_weights_beside_a_graph_belong_to_it(part: OnnxPart) -> None:
    before = part.model_hash()
    (part.file.parent / "see.onnx.data").write_bytes(b"weights")
    (again,) = read_parts(part.file.parent)
    assert len(again.files) == 2 and again.model_hash() != before
