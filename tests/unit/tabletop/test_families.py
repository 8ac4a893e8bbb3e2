"""One test over all families and levels: valid, repeatable, not yet done; and what each family promises."""

from __future__ import annotations

import pytest

from mmrobot.command.definitions import define
from mmrobot.errors import InvalidSceneError
from mmrobot.tabletop.episode import Episode, dump_episodes, load_episodes
from mmrobot.tabletop.families import EVALUATION_SEED, FAMILIES, LEVELS, generate_episode, offers
from mmrobot.tabletop.families.composed import JOINED
from mmrobot.tabletop.families.defining import NEW_WORDS
from mmrobot.tabletop.families.goals import _says_right
from mmrobot.tabletop.families.scenes import CLUTTER
from mmrobot.tabletop.goals import failed_goals, initial_world, parse_goal
from mmrobot.tabletop.objects import SIZES, is_container, is_graspable
from mmrobot.tabletop.sampling import HELD_OUT
from mmrobot.vlm.words import words

COUNT = 12
OUTCOMES = {"question": {"answer"}, "refuse": {"refuse"}, "clarify": {"clarify", "success"}}
TURNS = {"clarify", "dialogue", "interrupt"}
# One command about one thing, and nothing that happens meanwhile.
PLAIN = ("pick", "put_in", "put_beside", "stack", "refer", "label")
EVERY = [(family, level) for family in FAMILIES for level in LEVELS if offers(family, level)]


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
        assert len(e.meant) == 1 + len(e.followups)
        assert bool(e.meant[0]) == (family != "question")
        assert e.expect.outcome in OUTCOMES.get(family, {"success"})
        if e.expect.outcome != "success":
            assert set(e.expect.unchanged) == set(e.scene.by_id) and not e.expect.goal
            assert bool(e.expect.answer) == (family == "question")
            continue
        assert bool(e.followups) == (family in TURNS)
        assert bool(e.disturb) == (family == "disturbed")
        goals = [parse_goal(g) for g in e.expect.goal]
        moving = {
            g.objects[0] for g in goals if g.predicate not in ("amount_in", "never_touched") and not g.negated
        }
        assert goals and moving.isdisjoint(e.expect.unchanged)
        assert all(is_graspable(e.scene.by_id[n].shape) for n in moving)
        if family not in (*TURNS, "disturbed"):
            assert failed_goals(e.expect.goal, initial_world(e.scene), e.scene), "already true at the start"
        if family in PLAIN:
            assert {n for g in goals for n in g.objects} | set(e.expect.unchanged) == set(e.scene.by_id)


@pytest.mark.parametrize("family", PLAIN)
@pytest.mark.parametrize("level", ["L0", "L1", "L2", "L4"])
def test_pairs_kept_out_of_training_are_named_at_l1_alone(family: str, level: str) -> None:
    for e in _episodes(family, level):
        kinds = [(o.color, o.shape) for o in e.scene.objects]
        assert len(set(kinds)) == len(kinds)
        named = {e.scene.by_id[n] for g in e.expect.goal for n in parse_goal(g).objects}
        assert bool({(o.color, o.shape) for o in named} & HELD_OUT) == (level == "L1")


def test_l3_is_crowded_with_things_that_training_never_shows_and_words_it_never_heard() -> None:
    episodes = [e for f in ("pick", "put_in", "sort") for e in _episodes(f, "L3")]
    for e in episodes:
        assert len(e.scene.objects) >= CLUTTER
        assert all(o.stretch != (1.0, 1.0, 1.0) for o in e.scene.objects if o.named)
    defined = [define(e.instruction) for e in episodes]
    assert any(known for _, known in defined)
    for (text, known), e in zip(defined, episodes, strict=True):
        new = [w for w in NEW_WORDS if w in words(e.instruction)]
        assert not set(words(text)) & set(known), e.instruction
        assert bool(new) <= bool(known), e.instruction


def test_no_set_is_open_to_things_without_a_name() -> None:
    for e in _episodes("negation", "L3") + _episodes("all", "L3"):
        said = set(words(e.instruction))
        assert not said & {"everything", "things", "objects", "ones"}, e.instruction


def test_l5_joins_two_families_and_is_longer_than_l0() -> None:
    for family in JOINED:
        short, long = (
            [len(e.instruction.split()) for e in _episodes(family, level)] for level in ("L0", "L5")
        )
        assert sum(long) > 1.3 * sum(short)
    with pytest.raises(InvalidSceneError, match="no level L5"):
        generate_episode("pick", "L5", 1)


def test_exactly_so_many_are_asked_for_and_each_is_picked_at_most_twice() -> None:
    goals = [[parse_goal(g) for g in e.expect.goal] for e in _episodes("all", "L0") + _episodes("sort", "L0")]
    for own in goals:
        assert {"amount_in", "picked_at_most"} <= {g.predicate for g in own}
        assert all(g.numbers == (2.0,) for g in own if g.predicate == "picked_at_most" and not g.negated)


def test_what_is_not_to_be_touched_may_not_move_either() -> None:
    banned = [
        (e, parse_goal(g))
        for e in _episodes("conditional", "L0")
        for g in e.expect.goal
        if g.startswith("never_touched")
    ]
    assert banned
    for e, goal in banned:
        assert goal.objects[0] in e.expect.unchanged


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
            if goal.predicate != "on":
                continue
            above, below = (e.scene.by_id[n] for n in goal.objects)
            assert SIZES.index(above.size) <= SIZES.index(below.size)
    assert 1 <= sum(len(e.expect.goal) == 2 for e in episodes) <= COUNT // 2


@pytest.mark.parametrize("level", ["L0", "L3"])
def test_a_pyramid_has_six_blocks_of_one_height_and_each_upper_one_rests_on_two(level: str) -> None:
    episodes = [generate_episode("stack", level, seed) for seed in range(60)]
    pyramids = [e for e in episodes if any(g.startswith("rests_on") for g in e.expect.goal)]
    assert pyramids
    for e in pyramids:
        rests = [parse_goal(g).objects for g in e.expect.goal if g.startswith("rests_on")]
        blocks = {n for pair in rests for n in pair}
        assert len(rests) == 6 and len(blocks) == 6
        heights = [e.scene.by_id[n].dims.height_m for n in blocks]
        assert max(heights) - min(heights) < 0.001


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


def test_only_what_was_moved_is_put_back() -> None:
    """Of seed 19 the other thing was named, which stands where it was."""
    for seed in range(30):
        e = generate_episode("dialogue", "L0", EVALUATION_SEED + seed)
        for what, phrase in e.meant[1]:
            if what == "put_back" and phrase not in ("it", "that"):
                moved = e.scene.by_id[parse_goal(e.expect.goal[0]).objects[0]]
                assert moved.color in phrase or moved.shape in phrase or "one" in phrase, e.followups
