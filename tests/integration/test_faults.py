"""One fault with its healthy twin on the real graph, as `mmrobot faults` plays all of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from mmrobot.evals.faults import chosen
from mmrobot.evals.faults_suite import FaultOptions, play_all
from mmrobot.evals.faults_table import PASSED

pytestmark = [pytest.mark.timeout(600), pytest.mark.slow]


def test_a_camera_that_freezes_is_named(tmp_path: Path) -> None:
    # Half of real time: a loaded machine keeps up with the camera then.
    options = FaultOptions(1, tmp_path, real_time_factor=0.5)
    rows = play_all(chosen(["camera_frozen"]), options, print)
    assert [(row.fault.name, row.verdict, row.why) for row in rows] == [("camera_frozen", PASSED, ())]
    assert (tmp_path / "faults.json").is_file() and "camera_frozen" in (tmp_path / "faults.md").read_text()
