"""`mmrobot engine`: what it says without a GPU, and what it builds over a fake TensorRT."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mmrobot.cli import engine as command
from mmrobot.cli import main
from mmrobot.cli.engine import UNKNOWN, BarReporter
from mmrobot.vlm.engines import trt_api, trt_device
from mmrobot.vlm.engines.trt_progress import Phase
from tests.support.cpu_device import CpuDevice
from tests.support.fake_tensorrt import FakeTensorRT
from tests.support.onnx_graphs import export_folder, linear
from tests.support.tensorrt_api import bindings_11

ORIN = ["--gpu", "Orin", "--capability", "8.7", "--tensorrt", "10.3.0"]


@pytest.fixture
def graphs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MMROBOT_CACHE", str(tmp_path / "cache"))
    return export_folder(tmp_path / "onnx", {"see": linear(), "read": linear(seed=1)})


@pytest.fixture
def with_gpu(monkeypatch: pytest.MonkeyPatch) -> FakeTensorRT:
    trt = FakeTensorRT(bindings_11())
    monkeypatch.setattr(command, "load_tensorrt", lambda: trt)
    monkeypatch.setattr(trt_device, "CudaDevice", lambda name: CpuDevice())
    return trt


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, Any]]:
    status = main(["engine", *words, "--json"])
    return status, json.loads(capsys.readouterr().out.splitlines()[-1])


def test_dry_run_without_a_gpu(graphs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, answer = run(capsys, "--dry-run", "--graphs", str(graphs))
    assert status == 0 and answer["dry_run"] and not answer["final"]
    assert (answer["tensorrt"], answer["gpu"]) == (UNKNOWN, UNKNOWN)
    assert [e["part"] for e in answer["engines"]] == ["see", "read"]
    assert len({e["key"] for e in answer["engines"]}) == 2


def test_dry_run_for_another_machine(graphs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, answer = run(capsys, "--dry-run", "--graphs", str(graphs), *ORIN)
    assert answer["final"] and (answer["gpu"], answer["capability"], answer["tensorrt"]) == (
        "Orin",
        "8.7",
        "10.3.0",
    )
    _, again = run(capsys, "--dry-run", "--graphs", str(graphs), *ORIN)
    _, thorough = run(capsys, "--dry-run", "--graphs", str(graphs), *ORIN, "--optimization-level", "5")
    keys = [[e["key"] for e in a["engines"]] for a in (answer, again, thorough)]
    assert keys[0] == keys[1] and not set(keys[0]) & set(keys[2])


def test_dry_run_is_readable(graphs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["engine", "--dry-run", "--graphs", str(graphs), *ORIN]) == 0
    text = capsys.readouterr().out
    assert "to build" in text and "TensorRT 10.3.0 on Orin" in text


def test_what_is_built_is_kept(
    graphs: Path, with_gpu: FakeTensorRT, capsys: pytest.CaptureFixture[str]
) -> None:
    status, first = run(capsys, "--graphs", str(graphs))
    assert status == 0 and [e["kept"] for e in first["engines"]] == [False, False]
    assert all(Path(e["path"]).stat().st_size == e["bytes"] for e in first["engines"])
    _, planned = run(capsys, "--dry-run", "--graphs", str(graphs))
    assert planned["final"] and [e["kept"] for e in planned["engines"]] == [True, True]
    assert [e["kept"] for e in run(capsys, "--graphs", str(graphs))[1]["engines"]] == [True, True]
    anew = run(capsys, "--graphs", str(graphs), "--anew")[1]["engines"]
    assert [e["kept"] for e in anew] == [False, False]


def test_a_failing_build_is_an_answer(
    graphs: Path, with_gpu: FakeTensorRT, capsys: pytest.CaptureFixture[str]
) -> None:
    with_gpu.settings.build_fails = True
    status, answer = run(capsys, "--graphs", str(graphs))
    assert status == 1 and "no tactic fits" in answer["error"]["message"] and answer["error"]["fix"]


def test_without_tensorrt(
    graphs: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trt_api, "_MODULES", ("tensorrt_of_nowhere",))
    status, answer = run(capsys, "--graphs", str(graphs))
    assert status == 1 and answer["error"]["code"] == "MODEL_UNAVAILABLE"
    assert "pip install tensorrt" in answer["error"]["fix"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--gpu", "Orin"], "name another machine"),
        (["--dry-run", "--capability", "eight"], "--capability is 'eight'"),
        (["--optimization-level", "6"], "--optimization-level is 6"),
        (["--dry-run", "--precision", "int3", *ORIN], "no precision 'int3'"),
        (["--dry-run", "--model", "nobody", *ORIN], "no model 'nobody'"),
        (["--dry-run", "--graphs", "/nowhere", *ORIN], "no exported graphs"),
    ],
)
def test_wrong_options(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, answer = run(capsys, *words)
    assert status == 1 and said in answer["error"]["message"] and answer["error"]["fix"]


def test_phases_become_bars() -> None:
    from rich.progress import Progress

    bar = Progress(disable=True)
    report = BarReporter(bar, "see")
    for phase in (Phase("all", 0, 2), Phase("in", 1, 4, 3), Phase("in", 1, 4, 3, True)):
        report(phase)
    assert [(t.description, t.completed, t.total) for t in bar.tasks] == [
        ("see: all", 0, 2),
        ("see:   in", 4, 4),
    ]
    report.clear()
    assert not bar.tasks
