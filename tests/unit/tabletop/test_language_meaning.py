"""The evaluator against plain definitions, and against unclear scenes."""

import math
import random

import pytest

from mmrobot.tabletop.language import (
    Both,
    Expr,
    Extreme,
    Kind,
    Middle,
    Nearest,
    Related,
    Thing,
    Without,
    is_clear,
    random_things,
    referents,
    things_of,
)
from mmrobot.tabletop.language.meaning import DIRECTIONS, ORDERS
from mmrobot.tabletop.objects import SHAPES, SIZES, TRAINED_COLORS, dimensions
from mmrobot.tabletop.scene import Scene, SceneObject


def cube(thing_id: str, x: float, y: float, color: str = "red", size: str = "small") -> Thing:
    return Thing(thing_id, "cube", color, size, (x, y, 0.02))


def brute(expr: Expr, things: tuple[Thing, ...]) -> set[str]:
    """Each definition spelled out: a thing is meant when the sentence is true of it."""
    ids = {t.id: t for t in things}
    if isinstance(expr, Kind):
        out = set(ids)
        if expr.shapes is not None:
            out &= {t.id for t in things if t.shape in expr.shapes}
        if expr.color is not None:
            out &= {t.id for t in things if t.color == expr.color}
        if expr.size is not None:
            out &= {t.id for t in things if t.size == expr.size}
        return out
    if isinstance(expr, Both):
        return set().union(*(brute(p, things) for p in expr.parts))
    if isinstance(expr, Without):
        return brute(expr.base, things) - brute(expr.excluded, things)
    base = brute(expr.base, things)
    if isinstance(expr, Extreme):
        key = {
            "left": lambda t: -t.position_m[1], "right": lambda t: t.position_m[1],
            "near": lambda t: math.hypot(*t.position_m[:2]), "far": lambda t: -math.hypot(*t.position_m[:2]),
            "large": lambda t: -math.prod(dimensions(t.shape, t.size).size_m),
            "small": lambda t: math.prod(dimensions(t.shape, t.size).size_m),
        }[expr.order]  # fmt: skip
        return {i for i in base if sum(key(ids[o]) < key(ids[i]) for o in base) == expr.rank}
    if isinstance(expr, Middle):
        n = len(base)
        y = {i: ids[i].position_m[1] for i in base}
        return {i for i in base if n > 2 and n % 2 and sum(y[o] > y[i] for o in base) == n // 2}
    refs = brute(expr.reference, things)
    if isinstance(expr, Nearest):
        if not refs:
            return set()
        place = {t.id: t.position_m[:2] for t in things}
        gap = {i: min(math.dist(place[i], place[r]) for r in refs) for i in base - refs}
        return {i for i in gap if gap[i] == min(gap.values())}

    def true_of(i: str, r: str) -> bool:
        t, ref = ids[i], ids[r]
        if expr.relation in DIRECTIONS:
            axis = 1 if expr.relation in ("left_of", "right_of") else 0
            sign = 1 if expr.relation in ("left_of", "behind") else -1
            return sign * (t.position_m[axis] - ref.position_m[axis]) > 0
        if expr.relation == "under":
            return ref.inside == i or ref.on == i
        held = {"in": t.inside, "on": t.on}[expr.relation] == r
        return held or (ref.shape == "tray" and r in (t.inside, t.on))

    return {i for i in base - refs if any(true_of(i, r) for r in refs)}


def random_expr(rng: random.Random, depth: int) -> Expr:
    if depth == 0 or rng.random() < 0.25:
        return Kind(
            frozenset(rng.sample(SHAPES, rng.randint(1, 3))) if rng.random() < 0.6 else None,
            rng.choice(TRAINED_COLORS) if rng.random() < 0.4 else None,
            rng.choice(SIZES) if rng.random() < 0.2 else None,
        )
    one, two = random_expr(rng, depth - 1), random_expr(rng, depth - 1)
    relation = rng.choice((*DIRECTIONS, "in", "on", "under"))
    options: list[Expr] = [
        Without(one, two),
        Extreme(one, rng.choice(ORDERS), rng.randint(0, 2)),
        Middle(one),
        Both((one, two)),
        Related(one, relation, two),
        Nearest(one, two),
    ]
    return rng.choice(options)


def test_evaluator_equals_the_definitions() -> None:
    rng, compared, found = random.Random(3), 0, 0
    while compared < 800:
        things, expr = random_things(rng), random_expr(rng, 2)
        # Stacked things tie for place, like ones for size, and then any of them would do.
        ordered = any(name in repr(expr) for name in ("Extreme", "Nearest", "Middle"))
        tied = len({t.position_m[:2] for t in things}) < len(things) or "order='large'" in repr(expr)
        if ordered and (tied or "order='small'" in repr(expr)):
            continue
        assert referents(expr, things) == brute(expr, things), expr
        compared += 1
        found += bool(brute(expr, things))
    assert found > 200


def test_sizes_in_order() -> None:
    things = (cube("a", 0.4, 0, size="large"), cube("b", 0.4, 0.1), cube("c", 0.4, 0.2))
    assert referents(Extreme(Kind(), "large"), things) == {"a"}
    assert referents(Extreme(Kind(), "large"), things, 0.02) == {"a"}
    assert not is_clear(Extreme(Kind(), "small"), things)


def test_left_is_plus_y_and_behind_is_plus_x() -> None:
    things = (cube("ref", 0.45, 0.0, "blue"), cube("left", 0.45, 0.1), cube("behind", 0.55, 0.0))
    ref = Kind(None, "blue")
    assert referents(Related(Kind(), "left_of", ref), things) == {"left"}
    assert referents(Related(Kind(), "behind", ref), things) == {"behind"}
    assert referents(Extreme(Kind(), "left"), things) == {"left"}
    assert referents(Extreme(Kind(), "far"), things) == {"behind"}


@pytest.mark.parametrize("gap", [0.0, 0.01, 0.019])
def test_closer_than_the_margin_is_unclear(gap: float) -> None:
    things = (cube("a", 0.45, 0.1), cube("b", 0.55, 0.1 - gap, "blue"))
    assert not is_clear(Extreme(Kind(), "left"), things)
    assert not is_clear(Related(Kind(None, "red"), "left_of", Kind(None, "blue")), things)
    assert is_clear(Related(Kind(None, "blue"), "behind", Kind(None, "red")), things)


def test_mostly_behind_is_not_clearly_left() -> None:
    things = (cube("a", 0.60, 0.05), cube("b", 0.35, 0.0, "blue"))
    assert not is_clear(Related(Kind(None, "red"), "left_of", Kind(None, "blue")), things)
    assert is_clear(Related(Kind(None, "red"), "behind", Kind(None, "blue")), things)


def test_several_references_are_unclear() -> None:
    things = (cube("a", 0.4, 0.2), cube("b", 0.4, 0.0, "blue"), cube("c", 0.5, -0.2, "blue"))
    assert not is_clear(Related(Kind(None, "red"), "left_of", Kind(None, "blue")), things)


def test_middle_needs_an_odd_number() -> None:
    three = (cube("a", 0.4, 0.2), cube("b", 0.5, 0.0), cube("c", 0.4, -0.2))
    assert referents(Middle(Kind()), three) == {"b"}
    assert referents(Middle(Kind()), three[:2]) == frozenset()
    assert not is_clear(Middle(Kind()), three[:2])


def test_things_of_a_scene_know_what_they_lie_in_and_on() -> None:
    scene = Scene(0, (
        SceneObject("bowl", "bowl", "blue", position=(0.4, 0.1)),
        SceneObject("ball", "ball", "red", position=(0.4, 0.1, 0.006)),
        SceneObject("base", "cube", "green", "large", (0.5, -0.1)),
        SceneObject("top", "cube", "red", "small", (0.5, -0.1, 0.052)),
        SceneObject("plate", "plate", "white", position=(0.3, -0.25)),
        SceneObject("cube", "cube", "black", position=(0.3, -0.25, 0.006)),
    ))  # fmt: skip
    things = {t.id: t for t in things_of(scene)}
    assert (things["ball"].inside, things["ball"].on) == ("bowl", None)
    assert (things["top"].inside, things["top"].on) == (None, "base")
    assert (things["cube"].inside, things["cube"].on) == (None, "plate")
    assert all(things[i].inside is None and things[i].on is None for i in ("bowl", "base", "plate"))
    assert things["top"].position_m == pytest.approx((0.5, -0.1, 0.072))
    on = Related(Kind(frozenset({"cube"})), "on", Kind(frozenset({"plate"})))
    assert referents(on, tuple(things.values())) == {"cube"}
