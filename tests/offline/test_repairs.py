"""What goes wrong on the way is put right, or told: whole episodes on true physics with true boxes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mmrobot.errors import ErrorCode
from mmrobot.evals.episode_runner import EpisodeRun
from mmrobot.tabletop.episode import Disturbance, Episode, Expect, Move
from mmrobot.tabletop.goals import holds
from mmrobot.tabletop.scene import Scene, SceneObject
from mmrobot.types import DraftStep, PlanDraft

RED = SceneObject("red_cube", "cube", "red", position=(0.36, 0.22), yaw=0.3)
BALL = SceneObject("ball", "ball", "green", position=(0.34, -0.25))
BOWL = SceneObject("bowl", "bowl", "blue", position=(0.50, -0.14))
TRAY = SceneObject("tray", "tray", "yellow", position=(0.52, 0.16), yaw=0.4)
SCENE = Scene(3, (RED, BALL, BOWL, TRAY))
TWO = Episode(
    "two", SCENE, "the cube in the bowl, the ball in the tray",
    expect=Expect("success", ("in(red_cube, bowl)", "in(ball, tray)")),
)  # fmt: skip


class Played:
    """An episode played to its end, with the runner's last words."""

    def __init__(self, episode: Episode, *steps: DraftStep) -> None:
        run = EpisodeRun(episode, None, model="oracle")
        if steps:
            run._pipeline.vlm.plan = lambda *_: PlanDraft(steps)  # type: ignore[method-assign]
        try:
            self.result = run.run()
            self.status, self.said = run.runner.status, run._said.message
            self.world, self.scene = run.simulator.truth(), run.simulator.scene
        finally:
            run.close()

    def holds(self, goal: str) -> bool:
        return holds(goal, self.world, self.scene)


@pytest.mark.parametrize(
    ("vessel", "things"),
    [
        ("tray", ("cup", "bar")), ("plate", ("cup", "ball")), ("bowl", ("cube", "cylinder")),
        ("bowl", ("cup", "ball")),
    ],
)  # fmt: skip
def test_two_things_in_one_vessel(vessel: str, things: tuple[str, str]) -> None:
    holder = SceneObject("holder", vessel, "blue", position=(0.48, -0.02), yaw=0.5)
    first = SceneObject("first", things[0], "red", position=(0.36, 0.22), yaw=0.3)
    second = SceneObject("second", things[1], "green", position=(0.36, -0.25), yaw=-0.4)
    scene = Scene(5, (holder, first, second))
    expect = Expect("success", ("in(first, holder)", "in(second, holder)"))
    played = Played(Episode("both", scene, "both in there", expect=expect))
    assert played.result.passed, played.result.reason
    assert played.result.claimed
    assert played.status.report == "done: first in holder, second in holder"


def test_what_was_moved_after_it_was_placed_is_put_right_at_the_end() -> None:
    taken_out = Disturbance("step:3", Move("red_cube", (0.36, -0.02)))
    played = Played(replace(TWO, disturb=(taken_out,)))
    assert played.result.passed, played.result.reason
    assert played.result.claimed and played.result.retries == 1
    assert played.status.report == "done: ball in tray, red_cube in bowl"


def test_what_was_taken_out_of_reach_is_told_as_not_done() -> None:
    taken_away = Disturbance("step:3", Move("red_cube", (0.45, 0.60)))
    played = Played(replace(TWO, disturb=(taken_away,)))
    assert not played.result.claimed and not played.result.passed
    assert played.status.code is ErrorCode.VERIFICATION_FAILED
    assert "done: ball in tray; not done: red_cube is not seen where it was put" in played.status.message


@pytest.mark.parametrize("relation", ["left_of", "behind"])
def test_a_push_through_the_whole_robot(relation: str) -> None:
    scene = Scene(3, (replace(RED, position=(0.45, 0.0)), BOWL, BALL))
    before = scene.by_id["red_cube"].position
    episode = Episode("push", scene, "push the cube", expect=Expect("success", ("at(red_cube, 0.45, 0, 1)",)))
    played = Played(episode, DraftStep("push", target="red_cube", relation=relation))
    assert played.result.claimed, played.said
    x, y, _ = played.world.objects["red_cube"].position_m
    gone = (x - before[0], y - before[1])
    along, across = gone if relation == "behind" else gone[::-1]
    assert along >= 0.05 and abs(across) < 0.7 * along


def test_a_thing_put_back_stands_where_it_stood() -> None:
    expect = Expect("success", ("at(red_cube, 0.36, 0.22, 0.03)",))
    episode = Episode("back", SCENE, "there and back", expect=expect)
    played = Played(
        episode,
        DraftStep("pick", target="red_cube"),
        DraftStep("place", relation="in", reference="bowl"),
        DraftStep("put_back", target="red_cube"),
    )
    assert played.result.passed, played.result.reason
    assert played.result.claimed


def test_a_thing_may_be_put_down_on_the_table() -> None:
    expect = Expect("success", ("not held(ball)", "not in(ball, tray)", "not in(ball, bowl)"))
    played = Played(
        replace(TWO, expect=expect),
        DraftStep("pick", target="ball"),
        DraftStep("place", relation="on", reference="the table"),
    )
    assert played.result.passed and played.result.claimed, played.result.reason
    assert played.status.report == "done: ball on the table"
