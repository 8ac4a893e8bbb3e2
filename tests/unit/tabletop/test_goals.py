"""Goal predicates: truth by geometry, properties that hold of every pair of places."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmrobot.errors import InvalidSceneError
from mmrobot.tabletop.goals import (
    ARITY,
    DIRECTIONS,
    Goal,
    ObjectState,
    WorldState,
    failed_goals,
    holds,
    initial_world,
    moved_m,
    parse_goal,
    settled,
    unmoved,
)
from mmrobot.tabletop.scene import Scene, SceneObject

TURN_X = (math.cos(math.pi / 4), math.sin(math.pi / 4), 0.0, 0.0)


def _scene(*objects: SceneObject) -> Scene:
    return Scene(0, objects)


def _two(shape_a: str, shape_b: str, a: tuple[float, ...], b: tuple[float, ...]) -> tuple[Scene, WorldState]:
    scene = _scene(
        SceneObject("a", shape_a, "red", "small", (a[0], a[1], a[2])),
        SceneObject("b", shape_b, "blue", "", (b[0], b[1])),
    )
    return scene, initial_world(scene)


@pytest.mark.parametrize("container", ["bowl", "cup", "plate", "tray"])
def test_ball_in_container(container: str) -> None:
    scene, world = _two("ball", container, (0.4, 0.1, 0.008), (0.4, 0.1))
    assert holds("in(a, b)", world, scene)
    assert not holds("not in(a, b)", world, scene)
    assert not holds("in(b, a)", world, scene)
    for z in (0.15, -0.03):
        scene, world = _two("ball", container, (0.4, 0.1, z), (0.4, 0.1))
        assert not holds("in(a, b)", world, scene)
    scene, world = _two("ball", container, (0.4, 0.25, 0.0), (0.4, 0.1))
    assert not holds("in(a, b)", world, scene)


def test_held_thing_is_not_in() -> None:
    scene, world = _two("ball", "bowl", (0.4, 0.1, 0.008), (0.4, 0.1))
    world = WorldState(world.objects, held="a")
    assert holds("held(a)", world, scene)
    assert not holds("in(a, b)", world, scene)
    assert holds("near(a, b, 0.05)", world, scene)


def test_thing_across_the_rim_is_not_in_the_bowl_but_on_the_tray_floor_is() -> None:
    scene, world = _two("bar", "bowl", (0.4, 0.1, 0.055), (0.4, 0.1))
    assert not holds("in(a, b)", world, scene)
    assert holds("on(a, b)", world, scene)
    for flat, z in (("tray", 0.005), ("tray", 0.03), ("plate", 0.015)):
        scene, world = _two("bar", flat, (0.4, 0.1, z), (0.4, 0.1))
        assert holds("in(a, b)", world, scene)
        assert holds("on(a, b)", world, scene)
    scene, world = _two("bar", "tray", (0.4, 0.1, 0.005), (0.4, 0.1))
    assert holds("in(a, b)", world, scene)
    assert holds("on(a, b)", world, scene)


def test_second_thing_on_the_first_is_in_too() -> None:
    scene = _scene(
        SceneObject("tray", "tray", "blue", "", (0.4, 0.1)),
        SceneObject("lower", "cube", "red", "small", (0.4, 0.1, 0.005)),
        SceneObject("upper", "cube", "green", "small", (0.4, 0.1, 0.045)),
    )
    assert (
        failed_goals(["in(lower, tray)", "in(upper, tray)", "on(upper, lower)"], initial_world(scene), scene)
        == []
    )
    alone = initial_world(_scene(scene.objects[0], scene.objects[2]))
    assert not holds("in(upper, tray)", alone, scene)


def test_tipped_bowl_holds_nothing() -> None:
    scene, world = _two("ball", "bowl", (0.4, 0.1, 0.008), (0.4, 0.1))
    objects = {**world.objects, "b": ObjectState("b", (0.4, 0.1, 0.03), TURN_X)}
    assert not holds("in(a, b)", WorldState(objects), scene)


def test_on_needs_height_and_middle() -> None:
    for xyz, expected in [
        ((0.4, 0.1, 0.04), True),
        ((0.415, 0.1, 0.045), True),
        ((0.43, 0.1, 0.04), False),
        ((0.4, 0.1, 0.06), False),
        ((0.4, 0.1, 0.0), False),
    ]:
        scene, world = _two("cube", "cube", xyz, (0.4, 0.1))
        assert holds("on(a, b)", world, scene) == expected, xyz


def test_on_a_lying_cylinder_uses_its_extent_as_it_lies() -> None:
    scene = _scene(
        SceneObject("a", "cube", "red", "small", (0.4, 0.1)),
        SceneObject("b", "cylinder", "blue", "large", (0.4, 0.1)),
    )
    lying = ObjectState("b", (0.4, 0.1, 0.025), TURN_X)
    world = WorldState({"a": ObjectState("a", (0.4, 0.1, 0.07)), "b": lying})
    assert holds("on(a, b)", world, scene)
    standing = WorldState({**world.objects, "b": ObjectState("b", (0.4, 0.1, 0.0325))})
    assert not holds("on(a, b)", standing, scene)


@pytest.mark.parametrize(
    ("offset", "true"),
    [
        ((0.0, 0.1), "left_of"),
        ((0.0, -0.1), "right_of"),
        ((0.1, 0.0), "behind"),
        ((-0.1, 0.0), "in_front_of"),
    ],
)
def test_four_sides(offset: tuple[float, float], true: str) -> None:
    scene, world = _two("cube", "cube", (0.4 + offset[0], offset[1], 0.0), (0.4, 0.0))
    for predicate in DIRECTIONS:
        assert holds(Goal(predicate, ("a", "b")), world, scene) == (predicate == true)


place = st.tuples(st.floats(0.25, 0.65), st.floats(-0.35, 0.35))
OPPOSITE = {"left_of": "right_of", "right_of": "left_of", "behind": "in_front_of", "in_front_of": "behind"}


@settings(max_examples=200, deadline=None)
@given(place, place)
def test_sides_are_opposite_and_cover_what_is_far(p: tuple[float, float], q: tuple[float, float]) -> None:
    scene, world = _two("cube", "cube", (*p, 0.0), q)
    true = [d for d in DIRECTIONS if holds(Goal(d, ("a", "b")), world, scene)]
    for d in DIRECTIONS:
        assert holds(Goal(d, ("a", "b")), world, scene) == holds(Goal(OPPOSITE[d], ("b", "a")), world, scene)
    if math.dist(p, q) > 0.1:
        assert 1 <= len(true) <= 2
    assert not (set(true) & {OPPOSITE[d] for d in true})


@settings(max_examples=100, deadline=None)
@given(place, place, st.floats(0.01, 0.5))
def test_near_is_symmetric_and_grows(p: tuple[float, float], q: tuple[float, float], reach: float) -> None:
    scene, world = _two("cube", "ball", (*p, 0.0), q)
    near = holds(Goal("near", ("a", "b"), (reach,)), world, scene)
    assert near == holds(Goal("near", ("b", "a"), (reach,)), world, scene)
    assert not near or holds(Goal("near", ("a", "b"), (reach * 2,)), world, scene)
    assert holds(Goal("at", ("a",), (*p, 0.001)), world, scene)


goals = st.sampled_from(sorted(ARITY)).flatmap(
    lambda name: st.builds(
        Goal,
        st.just(name),
        st.just(("a", "b")[: ARITY[name][0]]),
        st.tuples(*[st.integers(1, 50).map(lambda i: i / 100)] * ARITY[name][1]),
        st.booleans(),
    )
)


@given(goals)
def test_text_and_back(goal: Goal) -> None:
    assert parse_goal(str(goal)) == goal


@settings(deadline=None)
@given(goals, place, place)
def test_not_is_the_opposite(goal: Goal, p: tuple[float, float], q: tuple[float, float]) -> None:
    scene, world = _two("cube", "bowl", (*p, 0.0), q)
    other = Goal(goal.predicate, goal.objects, goal.numbers, not goal.negated)
    assert holds(goal, world, scene) != holds(other, world, scene)


@given(st.text(max_size=40))
def test_any_text_is_a_goal_or_a_named_error(text: str) -> None:
    try:
        goal = parse_goal(text)
    except InvalidSceneError as e:
        assert e.fix
    else:
        assert goal.predicate in ARITY


def test_unknown_object_is_named() -> None:
    scene, world = _two("cube", "bowl", (0.4, 0.1, 0.0), (0.5, -0.1))
    with pytest.raises(InvalidSceneError, match="'c' is no object"):
        holds("in(a, c)", world, scene)


def test_nothing_is_left_of_itself() -> None:
    scene, world = _two("cube", "bowl", (0.4, 0.1, 0.0), (0.5, -0.1))
    assert not holds("on(a, a)", world, scene)


def test_unmoved_and_settled() -> None:
    _, before = _two("cube", "bowl", (0.4, 0.1, 0.0), (0.5, -0.1))
    shifted = ObjectState("a", (0.42, 0.1, 0.02), linear_velocity_m_s=(0.2, 0.0, 0.0))
    after = WorldState({**before.objects, "a": shifted})
    assert math.isclose(moved_m(before, after, "a"), 0.02)
    assert unmoved(before, after, ["a", "b"])
    assert not unmoved(before, after, ["a"], 0.01)
    assert not unmoved(before, WorldState({"a": shifted}), ["b"])
    assert settled(before) and not settled(after)


def test_displaced_is_along_the_way_and_not_across() -> None:
    scene = _scene(SceneObject("a", "cube", "red", "small", (0.46, 0.1)))
    world = initial_world(scene)
    assert holds("displaced(a, 0.40, 0.10, 0.05, 0)", world, scene)
    assert not holds("displaced(a, 0.42, 0.10, 0.05, 0)", world, scene), "not far enough"
    assert not holds("displaced(a, 0.40, 0.02, 0.05, 0)", world, scene), "further across"
    assert not holds("displaced(a, 0.40, 0.10, -0.05, 0)", world, scene), "the other way"


def test_on_table_and_so_many_in() -> None:
    scene, world = _two("ball", "bowl", (0.4, 0.1, 0.008), (0.4, 0.1))
    assert holds("amount_in(b, 1)", world, scene) and not holds("amount_in(b, 0)", world, scene)
    scene, world = _two("cube", "cube", (0.4, 0.1, 0.04), (0.4, 0.1))
    assert holds("on_table(b)", world, scene) and not holds("on_table(a)", world, scene)
    assert not holds("on_table(b)", WorldState(world.objects, held="b"), scene)


def test_rests_on_either_of_two() -> None:
    scene, world = _two("cube", "cube", (0.4, 0.126, 0.04), (0.4, 0.1))
    assert holds("rests_on(a, b)", world, scene) and not holds("on(a, b)", world, scene)
    scene, world = _two("cube", "cube", (0.4, 0.15, 0.04), (0.4, 0.1))
    assert not holds("rests_on(a, b)", world, scene)


def test_the_way_there_is_judged_by_what_was_watched() -> None:
    scene = _scene(SceneObject("a", "cube", "red", "small", (0.4, 0.1)))
    calm = initial_world(scene)
    busy = WorldState(calm.objects, touched=("a",), picks={"a": 3})
    assert holds("never_touched(a)", calm, scene) and not holds("never_touched(a)", busy, scene)
    assert holds("picked_at_most(a, 2)", calm, scene) and not holds("picked_at_most(a, 2)", busy, scene)
    assert holds("picked_at_most(a, 0)", calm, scene)
