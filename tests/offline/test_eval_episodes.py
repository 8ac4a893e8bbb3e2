"""True episodes: simulator, arm, depth, planner, gate and runner, with boxes from the simulator's masks."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mmrobot.evals.episode_runner import run_episode
from mmrobot.evals.oracle import OracleVlm
from mmrobot.evals.suite import SuiteOptions, run_suite
from mmrobot.tabletop.episode import Disturbance, Episode, Expect, Followup, Move
from mmrobot.tabletop.families import generate_episode
from mmrobot.tabletop.scene import Scene, SceneObject
from mmrobot.types import DraftStep, PlanDraft

SCENE = Scene(
    3,
    (
        SceneObject("red_cube", "cube", "red", position=(0.42, 0.12), yaw=0.3),
        SceneObject("blue_bowl", "bowl", "blue", position=(0.48, -0.14)),
        SceneObject("green_cube", "cube", "green", position=(0.36, -0.02)),
    ),
)
PUT_IN = Episode(
    "put_in", SCENE, "put the red cube in the blue bowl",
    expect=Expect("success", ("in(red_cube, blue_bowl)",), ("green_cube",)),
)  # fmt: skip


@pytest.mark.parametrize("family", ["put_beside", "stack"])
def test_families_with_true_boxes(family):
    result = run_episode(generate_episode(family, "L0", 1_000_003))
    assert result.passed, result.reason
    assert result.outcome == "success"


def test_the_same_episode_twice_is_the_same_run():
    first, second = run_episode(PUT_IN), run_episode(PUT_IN)
    assert first.passed, first.reason
    assert first.simulated_s == second.simulated_s
    assert (first.plan, first.outcome, first.retries) == (second.plan, second.outcome, second.retries)


def test_a_bowl_moved_on_the_way_is_followed():
    moved = Disturbance("step:1", Move("blue_bowl", (0.56, -0.05)))
    result = run_episode(replace(PUT_IN, disturb=(moved,)))
    assert result.passed, result.reason


def test_stop_leaves_everything_where_it_is():
    stopped = replace(
        PUT_IN,
        followups=(Followup("seconds:0.5", "stop!"),),
        expect=Expect("success", ("not in(red_cube, blue_bowl)",), tuple(o.id for o in SCENE.objects)),
    )
    result = run_episode(stopped)
    assert result.passed, result.reason
    assert not result.claimed


UNSURE = PlanDraft(
    (DraftStep("pick", "red_cube"), DraftStep("place", None, "in", "blue_bowl")), confidence=0.3
)


@pytest.mark.parametrize(
    ("meant", "said", "passed", "outcome"),
    [
        (((("pick", "red cube"), ("in", "blue bowl")),), "yes", True, "success"),
        (((("pick", "green cube"), ("in", "blue bowl")),), "no", False, "clarify"),
        ((), "unanswered", False, "clarify"),
    ],
)
def test_what_is_read_back_is_answered_truthfully(monkeypatch, meant, said, passed, outcome):
    monkeypatch.setattr(OracleVlm, "plan", lambda *_: UNSURE)
    result = run_episode(replace(PUT_IN, meant=meant))
    assert (result.read_back, result.passed, result.outcome) == (said, passed, outcome)
    assert result.asked and not result.asked_which and not result.unaided
    assert result.claimed == passed


def test_without_depth_nothing_moves(monkeypatch):
    result = run_episode(replace(PUT_IN, expect=Expect("refuse")), ablation="depth")
    assert result.passed, result.reason


def test_a_fault_of_ours_is_an_error_not_an_end_of_the_suite(monkeypatch):
    def broken(self, *_):
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(OracleVlm, "plan", broken)
    result = run_suite(SuiteOptions(families=("pick",), episodes=1, model="oracle"))
    (episode,) = result["episodes"]
    assert episode["outcome"] == "error"
    assert "ZeroDivisionError" in episode["reason"]
