"""`mmrobot bench`: wrong usage is named before anything is rendered, and what was not run is said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mmrobot.cli.app import main
from mmrobot.errors import ModelUnavailableError


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--backends", "torch,abacus"], "abacus"),
        (["--backends", ""], "no backend"),
        (["--levels", "L9"], "L9"),
        (["--rounds", "0"], "0 rounds"),
        (["--threads", "-1"], "-1 threads"),
    ],
)
def test_wrong_usage(arguments: list[str], named: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", *arguments, "--json"]) == 1
    error = json.loads(capsys.readouterr().out.splitlines()[-1])["error"]
    assert error["code"] == "INVALID_CONFIG" and named in error["message"]


def test_a_section_that_cannot_run_says_why(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def no_gpu(device: str) -> None:
        raise ModelUnavailableError("no NVIDIA driver on this machine", "use the CPU")

    monkeypatch.setattr("mmrobot.vlm.hardware.check_cuda", no_gpu)
    out = tmp_path / "new" / "bench.json"
    assert main(["bench", "--no-speed", "--large", "--json", "--out", str(out)]) == 0
    answer = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert answer["ok"] and answer["large"] == {
        "run": False,
        "reason": "not run: no NVIDIA driver on this machine",
    }
    assert json.loads(out.read_text())["large"]["run"] is False
    assert main(["bench", "--no-speed", "--json"]) == 0
    assert "not asked for" in json.loads(capsys.readouterr().out.splitlines()[-1])["large"]["reason"]
