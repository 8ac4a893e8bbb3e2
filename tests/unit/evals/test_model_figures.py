"""Boxes, calibration, rows that go on, figures and tables, over made-up answers."""

from __future__ import annotations

import numpy as np
import pytest

from mmrobot.errors import InvalidConfigError
from mmrobot.evals.boxes import exactly, mask_box, matches, middle_in, seen_objects
from mmrobot.evals.calibration import calibration, expected_calibration_error
from mmrobot.evals.model_eval import same_answer
from mmrobot.evals.model_figures import NOT_OFFERED, card_table, kinds_table, summarize_level
from mmrobot.evals.row_store import RowStore
from mmrobot.types import ScoredBox


def mask(x0, y0, x1, y1):
    filled = np.zeros((480, 640), bool)
    filled[y0:y1, x0:x1] = True
    return filled


A, B = mask(100, 100, 140, 140), mask(300, 200, 360, 260)
BOX_A, BOX_B = (ScoredBox("x", mask_box(m), s) for m, s in ((A, 0.9), (B, 0.8)))
TRUTHS = [mask_box(A), mask_box(B)]


def test_a_mask_and_its_box():
    assert mask_box(A) == (99.5, 99.5, 139.5, 139.5)
    assert middle_in(BOX_A, A) and not middle_in(BOX_A, B)


def test_what_has_few_pixels_is_hidden():
    indices = np.full((480, 640), -1)
    indices[A], indices[0, :30] = 0, 1
    assert set(seen_objects(indices, ["a", "b"])) == {"a"}


@pytest.mark.parametrize(
    ("boxes", "truths", "exact"),
    [
        ([BOX_A], TRUTHS[:1], True),
        ([BOX_B], TRUTHS[:1], False),
        ([], TRUTHS[:1], False),
        ([], [], True),
        ([BOX_A], [], False),
        ([BOX_B, BOX_A], TRUTHS, True),
        ([BOX_A, BOX_A], TRUTHS, False),
        ([BOX_A, BOX_B], TRUTHS[:1], False),
        ([ScoredBox("x", (110, 110, 120, 120), 0.9)], TRUTHS[:1], False),
    ],
)
def test_exactly_these_boxes(boxes, truths, exact):
    assert exactly(boxes, truths) is exact


def test_a_truth_is_given_to_the_best_box_only():
    worse = ScoredBox("x", (100, 100, 139, 139), 0.4)
    assert matches([worse, BOX_A], TRUTHS) == [None, 0]


def test_calibration_error():
    assert expected_calibration_error([1.0, 0.0, 1.0], [True, False, True]) == 0.0
    assert expected_calibration_error([0.9] * 10, [True] * 5 + [False] * 5) == pytest.approx(0.4)
    # Two bins of equal weight, 0.1 and 0.3 away.
    assert expected_calibration_error([0.1] * 4 + [0.7] * 4, [False] * 4 + [True] * 4) == pytest.approx(0.2)
    assert calibration([]) == {"n": 0, "ece": 0.0}


@pytest.mark.parametrize(
    ("got", "meant", "same"),
    [
        ("Yes.", "yes", True),
        ("red and the blue", "blue and red", True),
        ("the red cube, the ball and the blue cup", "the red cube, the blue cup and the ball", True),
        ("two", "three", False),
        ("red", "red and blue", False),
        ("", "nothing", False),
    ],
)
def test_same_answer(got, meant, same):
    assert same_answer(got, meant) is same


ROWS = [
    {"op": "ground", "kind": "color", "want": "one", "ok": True, "hit": True, "iou": 0.9, "ms": 3.0,
     "pairs": [[0.9, 1.0], [0.1, 0.0]]},
    {"op": "ground", "kind": "color", "want": "one", "ok": False, "hit": True, "iou": 0.4, "ms": 3.0,
     "pairs": [[0.0, 1.0]], "said": "the red one", "got": 0},
    {"op": "ground", "kind": "label", "want": "several", "ok": True, "hit": True, "iou": 0.9, "ms": 3.0},
    {"op": "ground", "kind": "absent_color", "want": "none", "ok": True, "hit": False, "iou": 0.0, "ms": 3.0},
    {"op": "verify", "kind": "exists", "ok": True, "p": 0.9, "holds": True, "ms": 3.0},
    {"op": "describe", "kind": "describe", "ok": False, "objects": 4, "found": 3, "named": 2, "boxes": 5,
     "ms": 3.0},
    {"op": "ground", "kind": "color", "want": "one", "ok": False, "hit": False, "iou": 0.0, "ms": 3.0,
     "blind": True},
]  # fmt: skip


def test_figures_of_a_level():
    figures = summarize_level(ROWS, {"ground", "verify", "describe"})
    assert (figures["ground"]["passed"], figures["ground"]["n"]) == (2, 3)
    assert figures["ground_one"]["n"] == 2 and figures["ground_several"]["n"] == 1
    assert figures["point_in_mask"]["success"] == 1.0
    assert figures["absent_rejected"] == {
        "n": 1,
        "passed": 1,
        "success": 1.0,
        "wilson95": pytest.approx([0.2065, 1]),
    }
    assert figures["ground_by_kind"]["color"]["n"] == 2
    assert figures["labels"]["n"] == 1
    assert figures["plan"] == figures["answer"] == NOT_OFFERED
    assert figures["describe"]["found"]["success"] == 0.75
    assert figures["describe"]["of_nothing"]["passed"] == 2
    assert figures["blind"]["ground"]["n"] == 1 and figures["blind"]["ground"]["passed"] == 0
    assert figures["calibration"]["pointing_pairs"]["n"] == 3
    assert figures["calibration"]["answered_boxes"]["n"] == 1
    assert figures["calibration"]["verify"]["ece"] == pytest.approx(0.1)
    assert [m["said"] for m in figures["misses"]["ground"]] == ["the red one"]


def test_tables():
    levels = {
        "L0": summarize_level(ROWS, {"ground", "verify", "describe"}),
        "L1": summarize_level([], {"ground"}),
    }
    table = card_table(levels).splitlines()
    assert table[0] == "| | L0 | L1 |"
    assert any("66.7 %" in line and line.endswith("| - |") for line in table)
    assert any(NOT_OFFERED in line for line in table)
    assert any("0.100 (n 1)" in line for line in table)
    assert "| color | 50.0 %" in kinds_table(levels, "ground")


def test_rows_are_kept_and_a_half_line_is_lost(tmp_path):
    header = {"model": "m", "seed": 1}
    store = RowStore(tmp_path, "L0", header)
    store.add(0, [{"op": "a"}])
    store.add(1, [{"op": "b"}, {"op": "c"}])
    path = tmp_path / "L0.jsonl"
    path.write_text(path.read_text() + '{"scene": 2, "ro')
    again = RowStore(tmp_path, "L0", header)
    assert 1 in again and 2 not in again
    assert [r["op"] for r in again.rows(2)] == ["a", "b", "c"]
    assert [r["op"] for r in again.rows(1)] == ["a"]
    again.add(2, [])
    assert 2 in RowStore(tmp_path, "L0", header)


def test_rows_of_another_model_are_refused(tmp_path):
    RowStore(tmp_path, "L0", {"model": "m"})
    with pytest.raises(InvalidConfigError, match="not of"):
        RowStore(tmp_path, "L0", {"model": "n"})
    (tmp_path / "L0.jsonl").write_text("nonsense\n")
    with pytest.raises(InvalidConfigError, match="cannot be read"):
        RowStore(tmp_path, "L0", {"model": "m"})
