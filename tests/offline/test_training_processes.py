"""Training in two real processes: they keep the same weights, and learn what one would of both batches."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from mmrobot.learn.distributed import World
from tests.support.train_in_step import run, toy

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.slow


def torchrun(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc-per-node",
        "2",
        *arguments,
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}
    return subprocess.run(
        command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=170, check=False
    )


def test_two_processes_learn_what_one_would_of_both_batches(tmp_path: Path) -> None:
    done = torchrun(str(ROOT / "tests" / "support" / "train_in_step.py"), str(tmp_path))
    assert done.returncode == 0, done.stderr[-2000:]
    first, second = (torch.load(tmp_path / f"rank{rank}.pt") for rank in range(2))

    alone = tmp_path / "alone"
    run(toy(seed=0), alone, [0, 1], World(), steps=6)
    wanted = toy(seed=99)
    run(wanted, alone, [0, 1], World(), steps=10)

    for name, value in wanted.state_dict().items():
        assert torch.equal(first["weights"][name], second["weights"][name])
        torch.testing.assert_close(first["weights"][name], value, atol=1e-6, rtol=1e-5)
    assert any("validation" in line for line in first["lines"]) and second["lines"] == []
    assert (tmp_path / "toy.csv").read_text().splitlines()[0] == "step,part,figure,value"


def test_words_are_trained_in_two_processes_by_the_same_command(tmp_path: Path) -> None:
    options = ("--data", str(tmp_path), "--word-steps", "2", "--batch", "8", "--device", "cpu")
    done = torchrun("-m", "mmrobot.learn.train", "words", *options)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.count("== words") == 1
    assert "language 2/2 validation: plan " in done.stdout
    assert (tmp_path / "words.pt").is_file() and (tmp_path / "words.png").is_file()
