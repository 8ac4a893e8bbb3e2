"""One test over all families and levels: valid, repeatable, not yet done; and what each family promises."""

from __future__ import annotations

import pytest

from mmrobot.errors import InvalidSceneError
from mmrobot.tabletop.episode import Episode, dump_episodes, load_episodes
from mmrobot.tabletop.families import EVALUATION_SEED, FAMILIES, LEVELS, generate_episode
from mmrobot.tabletop.families.goals import _says_right
from mmrobot.tabletop.goals import failed_goals, initial_world, parse_goal
from mmrobot.tabletop.objects import SIZES, is_container, is_graspable
from mmrobot.tabletop.sampling import HELD_OUT

COUNT = 25
OUTCOMES = {"question": {"answer"}, "refuse": {"refuse"}, "clarify": {"clarify", "success"}}
EVERY = [(family, level) for family in FAMILIES for level in LEVELS]


def _episodes(family: str, level: str) -> list[Episode]:
    return [generate_episode(family, level, EVALUATION_SEED + i) for i in range(COUNT)]


@pytest.mark.parametrize(("family", "level"), EVERY)
def test_every_family(family: str, level: str, tmp_path) -> None:  # type: ignore[no-untyped-def]
    episodes = _episodes(family, level)
    file = tmp_path / "episodes.yaml"
    file.write_text(dump_episodes(episodes))
    assert load_episodes(file) == episodes
    assert episodes == _episodes(family, level)
    assert len({e.instruction for e in episodes}) > COUNT // 2
    for e in episodes:
        assert (e.family, e.level) == (family, level)
        assert (e.expect.outcome == "success") or family in OUTCOMES
        assert e.expect.outcome in OUTCOMES.get(family, {"success"})
        if e.expect.outcome != "success":
            assert set(e.expect.unchanged) == set(e.scene.by_id) and not e.expect.goal
            assert bool(e.expect.answer) == (family == "question")
            continue
        assert bool(e.followups) == (family == "clarify")
        assert failed_goals(e.expect.goal, initial_world(e.scene), e.scene), "already true at the start"
        named = {name for g in e.expect.goal for name in parse_goal(g).objects}
        assert named.isdisjoint(e.expect.unchanged)
        rest = named | set(e.expect.unchanged)
        # What a sequence moves twice stands beside its first reference no more.
        assert rest <= set(e.scene.by_id) if family == "sequence" else rest == set(e.scene.by_id)
        picked = {parse_goal(g).objects[0] for g in e.expect.goal}
        assert all(is_graspable(e.scene.by_id[p].shape) for p in picked)
        if family in OUTCOMES or family == "twin":
            continue
        kinds = [(o.color, o.shape) for o in e.scene.objects]
        assert len(set(kinds)) == len(kinds)
        if family == "sequence":
            continue
        held_out = {
            e.scene.by_id[n] for n in named if (e.scene.by_id[n].color, e.scene.by_id[n].shape) in HELD_OUT
        }
        assert bool(held_out) == (level == "L1")


@pytest.mark.parametrize("family", FAMILIES)
def test_l2_says_l0_scenes_in_other_words(family: str) -> None:
    plain, heldout = _episodes(family, "L0"), _episodes(family, "L2")
    assert sum(a.scene == b.scene for a, b in zip(plain, heldout, strict=True)) >= COUNT - 2
    assert sum(a.instruction == b.instruction for a, b in zip(plain, heldout, strict=True)) <= 1


def test_put_in_goes_into_containers_that_it_fits() -> None:
    for e in _episodes("put_in", "L0"):
        (goal,) = (parse_goal(g) for g in e.expect.goal)
        a, b = (e.scene.by_id[n] for n in goal.objects)
        assert goal.predicate in ("in", "on") and is_container(b.shape)
        assert b.shape == "tray" or a.footprint.reach_m < b.dims.opening_m[0] / 2


def test_put_beside_names_a_side_and_a_distance() -> None:
    for e in _episodes("put_beside", "L0"):
        predicates = [parse_goal(g).predicate for g in e.expect.goal]
        assert "near" in predicates
        if not _says_right(e.instruction) and predicates[0] == "near":
            assert predicates == ["near", "in", "on"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("put it right of the cup", True),
        ("put it riight of the cup", True),
        ("put it on the write side", True),
        ("put the bright red cube next to the cup", False),
        ("put it beside the cup.", False),
        ("rightward of the bar", True),
    ],
)
def test_says_right(text: str, says: bool) -> None:
    assert _says_right(text) == says


def test_no_cube_stands_on_a_smaller_one_and_some_towers_have_three() -> None:
    episodes = _episodes("stack", "L0")
    for e in episodes:
        for goal in map(parse_goal, e.expect.goal):
            above, below = (e.scene.by_id[n] for n in goal.objects)
            assert goal.predicate == "on"
            assert SIZES.index(above.size) <= SIZES.index(below.size)
    assert 1 <= sum(len(e.expect.goal) == 2 for e in episodes) <= COUNT // 2


def test_seeds_differ() -> None:
    assert generate_episode("pick", "L0", 1).scene != generate_episode("pick", "L0", 2).scene


@pytest.mark.parametrize(
    ("arguments", "says", "fix"),
    [
        (("pic", "L0", 1), "'pic' is no known family", "'pick'"),
        (("pick", "L9", 1), "'L9' is no known level", "L0, L1, L2"),
        (("pick", "L0", -1), "seed -1", "0 or more"),
    ],
)
def test_unknown_names_are_refused(arguments: tuple[str, str, int], says: str, fix: str) -> None:
    with pytest.raises(InvalidSceneError, match=says) as caught:
        generate_episode(*arguments)
    assert fix in caught.value.fix
