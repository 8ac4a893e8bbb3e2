"""The set-up's own rules: what it refuses with which words, and that a second time it does nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.gazebo import install_gazebo
from tests.gazebo.install_gazebo import InstallError, NotPermittedError, check_permitted, inside, install


def test_without_root_it_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(NotPermittedError, match="root"):
        install(tmp_path / "gazebo")
    assert not (tmp_path / "gazebo").exists()


def test_where_chroot_is_not_permitted_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(command, 1, "", "unshare: unshare failed: Operation not permitted")

    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(subprocess, "run", refused)
    with pytest.raises(NotPermittedError, match="Operation not permitted"):
        check_permitted()


def test_elsewhere_than_on_linux_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(NotPermittedError, match="darwin"):
        check_permitted()


def test_a_step_that_fails_names_its_log(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(InstallError, match=r"status 3[\s\S]*no such suite"):
        install_gazebo._run(["sh", "-c", "echo no such suite; exit 3"], tmp_path / "install.log")


def test_binds_and_command_stay_apart() -> None:
    line = inside(Path("/somewhere"), ["gz", "--help"], [(Path("/a"), "/b"), (Path("/c"), "/d")])
    assert line[-5:] == ["/somewhere", "/a", "/c", "gz", "--help"]
    assert "--kill-child" in line and line[0] == "unshare"


@pytest.mark.gazebo
@pytest.mark.timeout(900)
def test_a_second_time_nothing_is_done(gazebo_root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert install() == gazebo_root
    assert "==>" not in capsys.readouterr().err
    mounts = Path("/proc/self/mounts").read_text()
    assert str(gazebo_root) not in mounts, "a mount was left behind"
