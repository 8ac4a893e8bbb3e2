"""Scripts of goals: what makes them true."""

from __future__ import annotations

import pytest

from mmrobot.evals.goal_plans import plan_of_goals
from mmrobot.tabletop.families import FAMILIES, generate_episode
from mmrobot.tabletop.goals import initial_world, parse_goal
from mmrobot.tabletop.scene import Scene, SceneObject

SCENE = Scene(
    0,
    (
        SceneObject("a", "cube", "red", "small", (0.40, 0.1)),
        SceneObject("b", "cube", "blue", "small", (0.50, 0.1)),
        SceneObject("r", "tray", "blue", "", (0.50, -0.2)),
    ),
)


@pytest.mark.parametrize(
    ("goals", "steps"),
    [
        (["displaced(a, 0.4, 0.1, 0, -0.05)", "on_table(a)"], ["push a right_of"]),
        (["near(a, r, 0.15)", "on_table(a)"], ["push a near r"]),
        (["at(a, 0.5, 0.1, 0.04)", "at(b, 0.4, 0.1, 0.04)"], ["swap a b"]),
        (["at(a, 0.4, 0.1, 0.04)", "not picked_at_most(a, 0)"], ["pick a", "put_back a"]),
        (["in(a, r)", "never_touched(b)"], ["pick a", "place in r", "avoid b"]),
        (["amount_in(r, 1)", "picked_at_most(a, 2)", "picked_at_most(b, 2)"], ["pick a", "place in r"]),
        (["on_table(a)"], []),
        (["left_of(a, r)", "near(a, r, 0.15)"], ["pick a", "place left_of r"]),
    ],
)
def test_what_is_not_so_yet_is_done(goals: list[str], steps: list[str]) -> None:
    planned = plan_of_goals([parse_goal(g) for g in goals], initial_world(SCENE), SCENE)
    said = [" ".join(w for w in (s.skill, s.target, s.relation, s.reference) if w) for s in planned]
    assert said == steps


@pytest.mark.parametrize("family", sorted(set(FAMILIES) - {"question", "clarify", "refuse", "twin"}))
def test_every_family_has_a_script_until_its_goals_hold(family: str) -> None:
    for seed in range(8):
        episode = generate_episode(family, "L0", seed)
        goals = [parse_goal(g) for g in episode.expect.goal]
        world = initial_world(episode.scene)
        negated = all(g.negated for g in goals)
        assert negated or plan_of_goals(goals, world, episode.scene)
