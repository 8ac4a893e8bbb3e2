"""Controls and stress with the true simulator, arm and model; one suite from end to end."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from mmrobot.config import Config
from mmrobot.evals.episode_runner import EpisodeRun, run_episode
from mmrobot.evals.extras import alike
from mmrobot.evals.films import film
from mmrobot.evals.suite import SuiteOptions, run_suite
from mmrobot.tabletop.episode import Disturbance, Episode, Expect, Move
from mmrobot.tabletop.scene import Scene, SceneObject
from mmrobot.vlm.registry import load_model

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


@pytest.fixture(scope="module")
def nano():
    return load_model("mmrobot-nano")


@pytest.mark.parametrize(
    "condition",
    ["true_sight", "true_plan", "both_true", "always_act", "no_verify", "half_size", "print", "old_250"],
)
def test_what_does_not_matter_here_changes_nothing(nano, condition):
    result = run_episode(PUT_IN, nano, model="mmrobot-nano", ablation=condition)
    assert result.strict, result.reason


@pytest.mark.parametrize(
    "condition", ["blind", "other_picture", "text", "blank", "always_ask", "no_rgb"]
)
def test_without_sight_or_words_nothing_is_done(nano, condition):
    result = run_episode(PUT_IN, nano, model="mmrobot-nano", ablation=condition)
    assert not result.passed and result.credit == 0.0
    assert result.outcome == ("clarify" if condition == "always_ask" else "refuse"), result.reason


def test_true_sight_reads_order_words_by_true_places(nano):
    leftmost = replace(
        PUT_IN, instruction="pick up the leftmost cube", expect=Expect("success", ("held(red_cube)",))
    )
    result = run_episode(leftmost, nano, model="mmrobot-nano", ablation="true_sight")
    assert result.passed, result.reason


def test_without_a_second_look_a_moved_bowl_is_missed(nano):
    moved = replace(PUT_IN, disturb=(Disturbance("step:1", Move("blue_bowl", (0.56, -0.05))),))
    assert run_episode(moved, nano, model="mmrobot-nano").passed
    assert not run_episode(moved, nano, model="mmrobot-nano", ablation="no_relook").passed


def test_old_pictures_are_as_old_as_they_say():
    run = EpisodeRun(PUT_IN, None, model="oracle", ablation="old_250")
    try:
        run._keep()
        for i in range(40):
            run._step(0.02)
            if i < 15:
                continue
            age_s = run.simulator.time_s - run._frame().stamp_ns / 1e9
            assert 0.25 - 1e-6 <= age_s <= 0.25 + 0.1 + 0.02 + 1e-6
    finally:
        run.close()


def test_a_film_is_small_and_the_run_the_same(tmp_path: Path):
    file = tmp_path / "film.mp4"
    filmed = film(file, PUT_IN, None, model="oracle", config=Config())
    assert alike(filmed, run_episode(PUT_IN, None, model="oracle")), "who is filmed does the same"
    assert 10_000 < file.stat().st_size < 1_000_000


def test_a_suite_from_end_to_end(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("MMROBOT_CACHE", str(tmp_path / "cache"))
    options = SuiteOptions(suite="ci", families=("pick", "refuse"), episodes=2, seed=500_000, out=tmp_path)
    stages = []
    result = run_suite(options, stage=lambda what, done, total: stages.append(what))
    assert result["overall"]["n"] + len(result["not_doable"]["episodes"]) == 4
    assert result["repeats"] == {"n": 1, "differ": []}, "all other numbers shrink with the episodes"
    assert result["counterfactuals"]["words"]["right"]["n"] == 4
    assert result["grounding_gap"]["difference"] > 0
    assert set(stages) == {"made", "again", "pairs"}
    assert json.loads((tmp_path / "result.json").read_text())["manifest"] == result["manifest"]
    stages.clear()
    again = run_suite(options, stage=lambda what, done, total: stages.append(what))
    assert again["played"] == 0 and set(stages) == {"made"}, "nothing is done twice"
