"""What a truthful person says to "did you mean ...?"."""

from __future__ import annotations

import pytest

from mmrobot.evals.person import agrees
from mmrobot.tabletop.families import generate_episode
from mmrobot.tabletop.plan_meaning import Meaning
from mmrobot.tabletop.scene import Scene, SceneObject
from mmrobot.types import DraftStep, PlanDraft

SCENE = Scene(
    3,
    (
        SceneObject("red_cube", "cube", "red", position=(0.42, 0.12)),
        SceneObject("green_cube", "cube", "green", position=(0.36, -0.02)),
        SceneObject("blue_bowl", "bowl", "blue", position=(0.48, -0.14)),
    ),
)
MEANT: Meaning = (("pick", "red cube"), ("in", "blue bowl"))


def read(target: str, reference: str = "blue bowl", relation: str = "in") -> PlanDraft:
    return PlanDraft((DraftStep("pick", target), DraftStep("place", None, relation, reference)))


@pytest.mark.parametrize(
    ("draft", "yes"),
    [
        (read("red cube"), True),
        (read("the red cube", "the blue bowl"), True),
        (read("red block", "bowl"), True),
        (read("red one"), True),
        (read("red colored cube", "your blue bowl"), True),
        (read("cube whose is red"), False),
        (read("cube"), False),
        (read("green cube"), False),
        (read("red ball"), False),
        (read("red cube", relation="on"), False),
        (read("red cube", "bowl on the left"), False),
        (PlanDraft((DraftStep("pick", "red cube"),)), False),
        (PlanDraft(()), False),
    ],
)
def test_yes_to_what_was_meant_and_no_to_all_else(draft: PlanDraft, yes: bool) -> None:
    assert agrees(draft, MEANT, SCENE) == yes


def test_in_a_tray_is_on_it_and_in_a_bowl_is_not() -> None:
    meant = (("pick", "red cube"), ("on", "white tray"))
    assert agrees(read("red cube", "white tray", "in"), meant, SCENE)
    assert not agrees(read("red cube", "white tray", "behind"), meant, SCENE)
    assert not agrees(read("red cube", "blue bowl", "on"), MEANT, SCENE)
    branch = DraftStep("if", text="it is", then=read("red cube", "white tray", "in").steps)
    told = (("if", "it is"), ("then pick", "red cube"), ("then on", "white tray"))
    assert agrees(PlanDraft((branch,)), told, SCENE)


def test_moves_that_commute_are_the_same_and_what_means_nothing_is_never_meant() -> None:
    both = (*read("red cube").steps, DraftStep("pick", "green cube"), DraftStep("place", None, "in", "bowl"))
    meant = (("pick", "green cube"), ("in", "bowl"), ("pick", "red cube"), ("in", "blue bowl"))
    assert agrees(PlanDraft(both), meant, SCENE)
    assert not agrees(read("red cube"), (), SCENE)


def test_an_episode_carries_what_its_sentences_mean() -> None:
    episode = generate_episode("interrupt", "L0", 4)
    assert [bool(plan) for plan in episode.meant] == [True, *(f.say[:4].lower() not in ("stop", "halt")
                                                              for f in episode.followups)]  # fmt: skip
