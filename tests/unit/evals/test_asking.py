"""Expected against got, questions and refusals, credit, and which failures are shown first."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from mmrobot.evals.asking import asking, confusion
from mmrobot.evals.conditions import CONDITIONS
from mmrobot.evals.report_cases import command_of, worst_first
from mmrobot.evals.report_tables import asked_and_refused
from mmrobot.evals.results import EpisodeResult
from mmrobot.evals.standing import conditions_figures, grounding_gap
from mmrobot.evals.suite_plan import SuiteOptions
from mmrobot.evals.summary import cell

DONE = EpisodeResult("pick_L0_7", "pick", "L0", True, True, "success", True, expected="success", credit=1.0)
WRONG = replace(DONE, name="pick_L0_8", passed=False, strict=False, outcome="wrong", part="ground",
                credit=0.5)  # fmt: skip
REFUSED = replace(WRONG, name="pick_L0_9", outcome="refuse", claimed=False, credit=0.0)
ASKED = replace(REFUSED, name="clarify_L0_1", family="clarify", passed=True, strict=True, outcome="clarify",
                expected="clarify", asked=True, ask_needed=True, credit=1.0)  # fmt: skip


def test_what_was_expected_against_what_came():
    hit = replace(WRONG, name="x", peak_force_n=7.0)
    table = confusion([DONE, WRONG, hit, REFUSED, ASKED])
    assert set(table) == {"success", "clarify"}
    assert {k: n for k, n in table["success"].items() if n} == {
        "success": 1, "wrong": 1, "collision": 1, "refuse": 1,
    }  # fmt: skip
    assert table["clarify"]["clarify"] == 1


def test_questions_and_refusals():
    needless = replace(REFUSED, name="y", outcome="clarify", asked=True)
    answered = replace(DONE, name="z", family="clarify", asked=True, ask_needed=True)
    silent = replace(WRONG, name="w", ask_needed=True, expected="clarify")
    refused = replace(REFUSED, name="v", expected="refuse", passed=True)
    a = asking([DONE, REFUSED, ASKED, needless, answered, silent, refused])
    assert (a["clarify"]["precision"]["passed"], a["clarify"]["precision"]["n"]) == (2, 3)
    assert (a["clarify"]["recall"]["passed"], a["clarify"]["recall"]["n"]) == (2, 3)
    assert (a["refuse"]["precision"]["passed"], a["refuse"]["precision"]["n"]) == (1, 2)
    assert (a["refuse"]["recall"]["passed"], a["refuse"]["recall"]["n"]) == (1, 1)
    assert (a["unneeded"]["passed"], a["unneeded"]["n"]) == (1, 3)
    assert a["over_refused"]["passed"] == 1
    assert asking([])["unneeded"]["n"] == 0


def test_sentences_read_back_are_counted_as_questions_and_apart():
    confirmed = replace(DONE, name="r", asked=True, read_back="yes")
    rejected = replace(REFUSED, name="s", outcome="clarify", asked=True, read_back="no")
    a = asking([DONE, confirmed, rejected, replace(ASKED, asked_which=True)])
    assert (a["unneeded"]["passed"], a["unneeded"]["n"]) == (2, 3)
    assert (a["unneeded_which"]["passed"], a["read_back"]["passed"]) == (0, 2)
    assert (a["clarify"]["precision"]["passed"], a["clarify"]["precision"]["n"]) == (1, 3)
    assert (a["which"]["precision"]["passed"], a["which"]["precision"]["n"]) == (1, 1)
    assert a["which"]["recall"]["passed"] == 1
    assert a["read_backs"] == {"yes": 1, "no": 1, "unanswered": 0}
    figures = cell([DONE, confirmed, rejected])
    assert (figures["passed"], figures["unaided"]["passed"]) == (2, 1)
    assert figures["read_back"] == {"yes": 1, "no": 1}
    assert "yes 1 times and no 1 times" in asked_and_refused([DONE, confirmed, rejected, ASKED])


def test_a_cell_tells_credit_and_collisions_apart_from_success():
    figures = cell([DONE, WRONG, replace(DONE, name="q", peak_force_n=5.1), replace(DONE, peak_force_n=4.9)])
    assert figures["credit"] == 0.875
    assert figures["collided"]["passed"] == 1
    assert figures["false_success"]["passed"] == 1


def test_the_gap_is_to_the_better_of_blind_and_deaf_on_the_same_episodes():
    def run(*passed: bool) -> list[EpisodeResult]:
        return [replace(DONE, name=f"e{i}", strict=p, passed=p) for i, p in enumerate(passed)]

    whole = [*run(True, True, True, False), ASKED]
    runs = {"": whole, "blind": run(False, True, False), "text": run(False)}
    gap = grounding_gap(runs)
    assert gap is not None
    assert (gap["better"], gap["n"], gap["difference"]) == ("blind", 3, 0.6667)
    assert grounding_gap({"": run(True)}) is None
    (row,) = conditions_figures(runs, [CONDITIONS["blind"], CONDITIONS["depth"]])
    assert (row["strict"]["n"], row["full"]["passed"], row["gap"]["only_first"]) == (3, 3, 2)


def test_silent_failures_are_shown_first_and_no_kind_crowds_out_the_others():
    many = [replace(WRONG, name=f"pick_L0_{i}") for i in range(9)]
    loud = replace(REFUSED, name="stack_L0_1", family="stack", part="plan")
    order = [r.name for r in worst_first([loud, DONE, *many])]
    assert order[:4] == ["pick_L0_0", "pick_L0_1", "pick_L0_2", "stack_L0_1"]
    assert len(order) == 10


def test_every_case_can_be_played_again():
    options = SuiteOptions(model="oracle")
    assert command_of(options, "", DONE) == (
        "mmrobot eval --families pick --levels L0 --seed 7 --episodes 1 --model oracle"
    )
    assert command_of(SuiteOptions(), "blind", DONE).endswith("--episodes 1 --ablate blind")
    own = SuiteOptions(episodes_file=Path("mine.yaml"))
    assert command_of(own, "", replace(DONE, name="red_in_bowl")) == "mmrobot eval --episodes-file mine.yaml"
