from __future__ import annotations

from pathlib import Path

import pytest

from mmrobot.errors import UnsupportedSdfError
from mmrobot.simulator import files


def test_the_checkouts_folder_comes_first() -> None:
    assert files.sim_folder() == Path(__file__).parents[3] / "sim"
    assert files.WORLD_FILE.is_file()


def test_the_installed_folder_is_found_and_a_missing_one_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "__file__", str(tmp_path / "lib" / "mmrobot" / "simulator" / "files.py"))
    monkeypatch.setattr(files.sys, "prefix", str(tmp_path / "none"))
    monkeypatch.setenv("AMENT_PREFIX_PATH", str(tmp_path))
    with pytest.raises(UnsupportedSdfError, match="no folder sim/worlds"):
        files.sim_folder()
    installed = tmp_path / "share" / "mmrobot" / "sim"
    (installed / "worlds").mkdir(parents=True)
    assert files.sim_folder() == installed
