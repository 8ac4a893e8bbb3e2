"""A wrong measurement must fail its row, whichever it is; so must a twin that did not go well."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from mmrobot.errors import InvalidConfigError
from mmrobot.evals.faults import DONE, FAULTS, Fault, Limits, chosen
from mmrobot.evals.faults_rig import SETTINGS
from mmrobot.evals.faults_runs import RUNS
from mmrobot.evals.faults_suite import OWN_GRAPH, FaultOptions, play_all
from mmrobot.evals.faults_table import FAILED, NOT_YET, PASSED, Measured, Row, table

FAULT = Fault("f", "does", "expected", Limits(("NO_CAMERA",), r"'/image' is \d", still_s=0.5))
RUN = Measured(True, "NO_CAMERA", "vlm: the last message on '/image' is 2 s old", still_s=0.3, returns_s=1.0,
               answer_s=0.5, answer_code="NO_CAMERA", plan_s=0.7, plan_code="NO_CAMERA")  # fmt: skip
TWIN = Measured(True, DONE, "", still_s=9.0, returns_s=1.0, answer_s=0.2, answer_code=DONE, plan_s=0.3,
                plan_code=DONE, goal_holds=True)  # fmt: skip


def row(run: Measured = RUN, twin: Measured = TWIN, fault: Fault = FAULT) -> Row:
    return Row(fault, (run,), (twin,))


def test_a_good_row_passes() -> None:
    assert row().why == () and row().verdict == PASSED
    assert "pass" in table([row()]) and row().as_dict()["verdict"] == PASSED


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"moving": False}, "did not move"),
        ({"code": DONE}, "ended with NONE"),
        ({"code": ""}, "ended with nothing"),
        ({"told": "something is wrong"}, "nothing told"),
        ({"still_s": 0.6}, "moved for 0.60 s"),
        ({"still_s": None}, "moved for no end"),
        ({"returns_s": 11.0}, "result came after 11.00 s"),
        ({"returns_s": None}, "result came after no end"),
        ({"answer_s": 12.0}, "a question was answered after 12.00 s"),
        ({"plan_s": None}, "an instruction was answered after no end"),
        ({"others_moved_m": 0.2}, "moved by 20 cm"),
        ({"died": ("vlm",)}, "vlm died"),
        ({"broken": ("no record was kept",)}, "no record"),
    ],
)
def test_a_wrong_measurement_fails(change: dict, words: str) -> None:
    failed = row(run=replace(RUN, **change))
    assert failed.verdict == FAILED
    assert any(words in why for why in failed.why), failed.why


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"moving": False}, "did not move"),
        ({"code": "NO_CAMERA"}, "ended with NO_CAMERA"),
        ({"goal_holds": False}, "not done"),
        ({"told": "the last message on '/image' is 2 s old"}, "fault that was not there"),
        ({"answer_code": "TIMEOUT"}, "answered TIMEOUT"),
        ({"plan_code": ""}, "answered NONE and nothing"),
        ({"died": ("vlm",)}, "vlm died"),
        ({"broken": ("broke down",)}, "broke down"),
    ],
)
def test_a_twin_that_did_not_go_well_fails_the_row(change: dict, words: str) -> None:
    failed = row(twin=replace(TWIN, **change))
    assert failed.verdict == FAILED
    assert any(why.startswith("healthy twin") and words in why for why in failed.why), failed.why


def test_done_must_be_true_and_told_where_asked() -> None:
    may_go_on = replace(FAULT, limits=replace(FAULT.limits, ends=(DONE,), still_s=None))
    done = replace(TWIN, returns_s=60.0)
    assert row(done, fault=may_go_on).verdict == PASSED, "carried out: nothing to tell, no hurry"
    assert "said done, and it was not" in row(replace(done, goal_holds=False), fault=may_go_on).why
    told = replace(may_go_on, limits=replace(may_go_on.limits, told_anyway=True))
    assert row(done, fault=told).verdict == FAILED


def test_nothing_measured_is_no_pass() -> None:
    assert Row(FAULT, (), ()).verdict == FAILED
    assert Row(FAULT, (RUN, RUN), (TWIN,)).verdict == FAILED
    assert Row(FAULT, (RUN, replace(RUN, code=DONE)), (TWIN, TWIN)).verdict == FAILED, "one of two"


def test_what_is_known_not_to_hold_is_told_so_unless_its_twin_failed_too() -> None:
    known = replace(FAULT, not_yet="nobody restarts it")
    assert row(replace(RUN, code=DONE), fault=known).verdict == NOT_YET
    assert row(replace(RUN, code=DONE), replace(TWIN, code="TIMEOUT"), known).verdict == FAILED
    assert row(fault=known).verdict == PASSED
    assert "nobody restarts it" in table([row(replace(RUN, code=DONE), fault=known)])


def test_the_catalogue_can_be_played() -> None:
    names = [fault.name for fault in FAULTS]
    assert len(set(names)) == len(names) > 30
    for fault in FAULTS:
        assert fault.rig in (*SETTINGS, OWN_GRAPH) and (fault.rig == OWN_GRAPH or fault.run in RUNS)
        assert fault.limits.ends and fault.does and fault.expected


def test_faults_are_chosen_by_name() -> None:
    assert chosen([""]) == FAULTS
    assert [f.name for f in chosen(["flood", "camera_stops"])] == ["camera_stops", "flood"]
    with pytest.raises(InvalidConfigError, match="no fault 'kil_vlm'") as told:
        chosen(["kil_vlm"])
    assert "kill_vlm" in told.value.fix


@pytest.mark.parametrize(
    ("told", "found"),
    [
        ("manager: the robot is stopped: no heartbeat of 'vlm' for over 3 s", True),
        ("result: no heartbeat of executor and vlm for over 3 s, or a new start of it", True),
        ("arm_server: the arm holds still: no heartbeat of vlm for over 0.35 s, or a new start of it", False),
        ("vlm: waiting for camera: nothing has arrived on '/image'", False),
    ],
)
def test_a_moment_of_silence_is_not_told_as_a_death(told: str, found: bool) -> None:
    (fault,) = chosen(["kill_vlm"])
    assert bool(re.search(fault.limits.words, told, re.IGNORECASE)) is found


def test_the_table_tells_the_command_that_makes_it() -> None:
    assert FaultOptions().command([]) == "mmrobot faults --out faults"
    given = FaultOptions(3, Path("runs/some"), 0.5).command(["kill_vlm", "flood"])
    assert given == "mmrobot faults --only kill_vlm,flood --count 3 --real-time-factor 0.5 --out some"


def test_a_graph_that_does_not_come_up_is_a_failed_row_that_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*given: object) -> None:
        raise InvalidConfigError("no graph today", "wait")

    monkeypatch.setattr("mmrobot.evals.faults_suite.running_rig", fails)
    rows = play_all(chosen(["kill_vlm", "flood"]), FaultOptions(out=tmp_path / "out"), print)
    assert [r.verdict for r in rows] == [FAILED, FAILED]
    head = json.loads((tmp_path / "out/faults.json").read_text())["machine"]
    assert head["command"] == "mmrobot faults --only kill_vlm,flood --out out"
    text = (tmp_path / "out/faults.md").read_text()
    assert "2 of 2 rows played, 2 failed" in text and "no graph today" in text
