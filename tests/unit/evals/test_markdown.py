"""The table of a README."""

from __future__ import annotations

from dataclasses import replace

from mmrobot.evals.markdown import SAYS, main_table
from mmrobot.evals.results import EpisodeResult
from mmrobot.tabletop.families import FAMILIES

DONE = EpisodeResult("push_L0_7", "push", "L0", True, True, "success", True)


def test_families_by_levels_with_intervals_and_what_needed_no_yes() -> None:
    confirmed = replace(DONE, level="L5", read_back="yes")
    missed = replace(DONE, level="L1", passed=False)
    other = replace(DONE, family="pick")
    lines = main_table([DONE, missed, confirmed, other]).splitlines()
    assert lines[0] == "| Family | For example | L0 | L1 | L5 | L0 to L1 |"
    assert lines[1] == "|---|---|---|---|---|---|"
    assert lines[2] == (
        '| push | "push the cylinder away", "push the ball to the tray" | 1 of 1 | 0 of 1 | 1 of 1 | '
        "50 % (9 % to 91 %, n 2) |"
    )
    assert lines[3].startswith('| pick | "pick up the red cube" | 1 of 1 | - | - | 100 %')
    assert lines[4].startswith("| **all** |  | **100 % (34 % to 100 %, n 2)** | **0 %")
    assert lines[5] == "| without a sentence read back |  | 100 % | 0 % | 0 % | 67 % |"


def test_every_family_has_its_example() -> None:
    assert set(SAYS) == set(FAMILIES)
