"""Every TensorRT name and signature that mmrobot uses exists in the true bindings of 11.4 and of 10.3."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mmrobot.errors import ModelUnavailableError
from mmrobot.vlm.engines import trt_api
from mmrobot.vlm.engines.trt_progress import LogLines, Progress, make_logger, make_monitor
from tests.support.fake_tensorrt import FakeTensorRT
from tests.support.tensorrt_api import bindings_10, bindings_11, run_with_bindings

ROOT = Path(__file__).resolve().parents[3]
FILES = [*sorted((ROOT / "mmrobot/vlm/engines").glob("trt_*.py")), ROOT / "mmrobot/vlm/tensorrt_backend.py"]
DIRECT = [path for path in FILES if path.stem in ("trt_api", "trt_build", "trt_runner")]
"""Those that call methods of TensorRT's objects."""
# Asked for with getattr, as only newer versions have it.
OPTIONAL = {"get_aliased_input_tensor"}
# What objects of the bindings are called in these files.
OBJECTS = {
    "builder": "Builder",
    "_builder": "Builder",
    "network": "INetworkDefinition",
    "config": "IBuilderConfig",
    "parser": "OnnxParser",
    "parser_error": "ParserError",
    "cache": "ITimingCache",
    "_runtime": "Runtime",
    "_engine": "ICudaEngine",
    "engine": "ICudaEngine",
    "_context": "IExecutionContext",
}


@pytest.fixture(params=["10.3", "11.4"])
def api(request: pytest.FixtureRequest) -> dict[str, Any]:
    return bindings_10() if request.param == "10.3" else bindings_11()


def names_used(path: Path) -> Iterator[tuple[str, ...]]:
    """Attribute chains that begin at the module: `trt.A.B` and `self._trt.A.B` give (A, B)."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        chain = []
        while isinstance(node, ast.Attribute):
            chain.insert(0, node.attr)
            node = node.value
        if isinstance(node, ast.Name):
            chain.insert(0, node.id)
        for root in (["trt"], ["self", "_trt"]):
            if chain[: len(root)] == root and len(chain) > len(root):
                yield tuple(chain[len(root) :])


def methods_used(path: Path) -> Iterator[tuple[str, str]]:
    """(class, attribute) of what is asked of objects named as in OBJECTS."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute):
            owner = node.value
            name = owner.attr if isinstance(owner, ast.Attribute) else getattr(owner, "id", "")
            if name in OBJECTS:
                yield OBJECTS[name], node.attr


def missing(api: dict[str, Any], chain: tuple[str, ...]) -> str:
    """What of a chain the bindings lack, or ""."""
    if chain == ("__version__",):
        return ""
    entry = api["classes"].get(chain[0])
    if entry is None:
        return chain[0]
    known = {*(entry["enum"] or {}), *entry["constants"], *entry["methods"], *entry["properties"], "__init__"}
    return "" if len(chain) == 1 or chain[1] in known else ".".join(chain)


def test_every_name_exists(api: dict[str, Any]) -> None:
    used = {chain for path in FILES for chain in names_used(path)}
    assert len(used) > 12, used
    assert not {m for chain in used if (m := missing(api, chain))}


def test_every_method_exists(api: dict[str, Any]) -> None:
    used = {pair for path in DIRECT for pair in methods_used(path)}
    assert ("IExecutionContext", "execute_async_v3") in used and ("Builder", "create_network") in used
    lacking = {
        f"{kind}.{name}"
        for kind, name in used
        if name not in api["classes"][kind]["methods"] | api["classes"][kind]["properties"]
    }
    assert not lacking - {f"ICudaEngine.{name}" for name in OPTIONAL}


def test_only_those_files_touch_tensorrts_objects() -> None:
    called = {"execute_async_v3", "set_tensor_address", "build_serialized_network", "parse_from_file"}
    for path in FILES:
        if path not in DIRECT and path.name != "trt_progress.py":
            text = path.read_text(encoding="utf-8")
            assert not [name for name in called if name in text], path.name


def test_the_check_sees_what_is_gone() -> None:
    assert missing(bindings_11(), ("BuilderFlag", "FP16")) == "BuilderFlag.FP16"
    assert missing(bindings_10(), ("BuilderFlag", "FP16")) == ""
    assert missing(bindings_11(), ("IStreamReader",)) == "IStreamReader"


def test_what_is_overridden_takes_the_bindings_arguments(api: dict[str, Any]) -> None:
    trt = FakeTensorRT(api)
    monitor = make_monitor(trt, Progress(lambda phase: None))
    logger = make_logger(trt, LogLines())
    for made, kind in ((monitor, "IProgressMonitor"), (logger, "ILogger")):
        for name, overloads in api["classes"][kind]["methods"].items():
            if name == "__init__":
                continue
            wanted = [argument[0] for argument in overloads[0]["arguments"]]
            assert list(inspect.signature(getattr(made, name)).parameters) == wanted, f"{kind}.{name}"
            assert name in vars(type(made)), f"{kind}.{name} is not overridden"


def test_all_served_data_types_exist(api: dict[str, Any]) -> None:
    assert trt_api.TORCH_DTYPE.keys() <= api["classes"]["DataType"]["enum"].keys()


def test_only_10_is_told_to_be_strongly_typed() -> None:
    ten, eleven = FakeTensorRT(bindings_10()), FakeTensorRT(bindings_11())
    bit = bindings_10()["classes"]["NetworkDefinitionCreationFlag"]["enum"]["STRONGLY_TYPED"]
    assert trt_api.network_flags(ten) == 1 << bit
    assert trt_api.network_flags(eleven) == 0


@pytest.mark.parametrize("version", ["8.6.1", "10.2.0", "12.0.0", "none"])
def test_other_versions_are_refused(version: str) -> None:
    trt = FakeTensorRT({**bindings_11(), "version": version})
    with pytest.raises(ModelUnavailableError, match=re.escape(version)):
        trt_api.check_version(trt)


@pytest.mark.parametrize("version", ["10.3.0", "10.13.3.9.post1", "11.0.0.114", "11.4.0.106"])
def test_served_versions_are_taken(version: str) -> None:
    trt_api.check_version(FakeTensorRT({**bindings_11(), "version": version}))


def test_unserved_data_type() -> None:
    trt = FakeTensorRT(bindings_11())
    with pytest.raises(ModelUnavailableError, match="FP8"):
        trt_api.torch_dtype(trt, trt.DataType.FP8, "x")


def test_no_tensorrt_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trt_api, "_MODULES", ("tensorrt_of_nowhere",))
    with pytest.raises(ModelUnavailableError, match="not installed") as caught:
        trt_api.load_tensorrt()
    assert "pip install tensorrt" in caught.value.fix and "JetPack" in caught.value.fix


def test_on_a_jetson_the_fix_is_jetpack(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(trt_api, "_JETSON_MARK", tmp_path)
    assert "apt install" in trt_api.how_to_get()


def test_bindings_without_libraries_name_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """The true bindings on a machine without TensorRT's libraries."""
    monkeypatch.setattr(trt_api, "_MODULES", ("tensorrt_bindings",))
    with pytest.raises(ModelUnavailableError, match=r"libnv\w+\.so\.11"):
        trt_api.load_tensorrt()


def test_the_true_bindings_take_what_is_made_of_them() -> None:
    """The 11.4 bindings over stub libraries: loaded, derived from, and without a GPU refused in words."""
    result = run_with_bindings("""
import contextlib
from mmrobot.errors import ModelUnavailableError
from mmrobot.vlm.engines import trt_api
from mmrobot.vlm.engines.trt_build import EngineBuilder
from mmrobot.vlm.engines.trt_progress import LogLines, Progress, make_logger, make_monitor
from mmrobot.vlm.engines.trt_runner import EngineLoader
from types import SimpleNamespace
trt_api._MODULES = ("tensorrt_bindings",)
trt = trt_api.load_tensorrt()
assert trt.__version__.startswith("11.4"), trt.__version__
phases, lines = [], LogLines()
monitor, logger = make_monitor(trt, Progress(phases.append)), make_logger(trt, lines)
assert isinstance(monitor, trt.IProgressMonitor) and isinstance(logger, trt.ILogger)
monitor.phase_start("all", None, 2)
assert monitor.step_complete("all", 0) is True
monitor.phase_finish("all")
assert [p.name for p in phases][0] == "all" and phases[-1].finished, phases
logger.log(trt.ILogger.ERROR, "bad")
logger.log(trt.ILogger.VERBOSE, "chatter")
assert lines.take_errors() == ("bad",)
for name in trt_api.TORCH_DTYPE:
    trt_api.torch_dtype(trt, getattr(trt.DataType, name), name)
assert trt_api.network_flags(trt) == 0
for make in (EngineBuilder, EngineLoader):
    try:
        make(trt, SimpleNamespace(working=contextlib.nullcontext))
    except ModelUnavailableError as error:
        print(error.message)
""")
    assert result.returncode == 0, result.stderr
    assert result.stdout.split("\n")[:2] == ["TensorRT made no builder", "TensorRT made no runtime"]
