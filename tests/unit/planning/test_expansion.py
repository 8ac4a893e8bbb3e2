"""Sets, swaps, pyramids, conditions and bans become picks and places."""

from __future__ import annotations

import pytest

from mmrobot.config import Config
from mmrobot.errors import (
    AmbiguousError,
    NotUnderstoodError,
    OperationUnsupportedError,
    TargetNotFoundError,
    UnsafeError,
)
from mmrobot.planning.bans import banned
from mmrobot.planning.footprint import footprint_of, gap_m
from mmrobot.planning.planner import Planner, distance_m
from mmrobot.planning.table_top import TABLE
from mmrobot.types import DraftStep, PlanDraft
from tests.support.fake_world import bowl, thing

RED, BLUE, GREEN = (
    thing(f"{c} cube", x, y) for c, x, y in (("red", 0.40, 0.20), ("blue", 0.50, 0.0), ("green", 0.33, -0.05))
)
BALL = thing("white ball", 0.60, 0.25, (0.042, 0.042, 0.042))
RED_BOWL, BLUE_BOWL = bowl("red bowl", 0.55, -0.22), bowl("blue bowl", 0.33, -0.25)
THINGS = (RED, BLUE, GREEN, BALL, RED_BOWL, BLUE_BOWL)
PHRASES = {
    "cubes": [RED, BLUE, GREEN],
    "red and blue cubes": [RED, BLUE],
    "everything but the ball": [RED, BLUE, GREEN, RED_BOWL],
    "red bowl": [RED_BOWL],
    "bowls": [RED_BOWL, BLUE_BOWL],
    "red cube": [RED],
    "blue cube": [BLUE],
    "green cube": [GREEN],
    "ball": [BALL],
    "cube": [RED, BLUE, GREEN],
}


def plan(*steps: DraftStep, things=THINGS, **more):
    made = Planner(lambda p: PHRASES.get(p, []), things, Config(), **more)
    return made.steps(PlanDraft(steps))


def each(phrase: str, reference: str, match: str | None = None, count: int | None = None):
    place = DraftStep("place", relation="in", reference=reference, match=match)
    return DraftStep("each", target=phrase, count=count), place


def moves(steps) -> list[tuple[str, str]]:
    return [(s.target.label, s.reference.label) for s in steps if s.skill == "place"]


def test_all_are_moved_once_the_nearest_first_and_where_they_go_is_none_of_them() -> None:
    steps = plan(*each("everything but the ball", "red bowl"))
    assert [s.skill for s in steps] == ["pick", "place"] * 3
    assert moves(steps) == [(f"{c} cube", "red bowl") for c in ("green", "red", "blue")]
    spots = [s.goal_position_m for s in steps if s.skill == "place"]
    assert len({(round(x, 3), round(y, 3)) for x, y, _ in spots}) == 3


def test_what_is_there_already_is_left() -> None:
    inside = thing("green cube", 0.55, -0.22, bottom=0.006)
    things = (RED, BLUE, inside, BALL, RED_BOWL, BLUE_BOWL)
    made = Planner(
        lambda p: [RED, BLUE, inside] if p == "cubes" else PHRASES.get(p, []), things, Config()
    ).steps(PlanDraft(each("cubes", "red bowl")))
    assert {label for label, _ in moves(made)} == {"red cube", "blue cube"}


def test_nothing_left_to_do_is_said() -> None:
    inside = thing("green cube", 0.55, -0.22, bottom=0.006)
    things = (inside, RED_BOWL)
    (said,) = Planner(lambda p: {"cubes": [inside], "red bowl": [RED_BOWL]}[p], things, Config()).steps(
        PlanDraft(each("cubes", "red bowl"))
    )
    assert said.skill == "say" and "already" in (said.text or "")


def test_exactly_so_many() -> None:
    assert len(moves(plan(*each("cubes", "red bowl", count=2)))) == 2
    with pytest.raises(TargetNotFoundError, match="only 3 of 'cubes', 4 were asked for"):
        plan(*each("cubes", "red bowl", count=4))


def test_more_than_so_many_there_already_is_not_guessed_at() -> None:
    inside = [thing("red cube", 0.55, -0.24, bottom=0.006), thing("blue cube", 0.55, -0.19, bottom=0.006)]
    phrases = {"cubes": [*inside, GREEN], "red bowl": [RED_BOWL]}
    with pytest.raises(NotUnderstoodError, match="2 of 'cubes' are there already"):
        Planner(lambda p: phrases[p], (*inside, GREEN, RED_BOWL), Config()).steps(
            PlanDraft(each("cubes", "red bowl", count=1))
        )


def test_each_goes_to_the_bowl_of_its_own_colour() -> None:
    steps = plan(*each("red and blue cubes", "bowls", "own_color"))
    assert sorted(moves(steps)) == [("blue cube", "blue bowl"), ("red cube", "red bowl")]
    with pytest.raises(TargetNotFoundError, match="no 'bowls' of the colour of 'green cube'"):
        plan(*each("cubes", "bowls", "own_color"))


def test_each_goes_to_another_bowl() -> None:
    steps = plan(*each("red and blue cubes", "bowls", "different"))
    assert {reference for _, reference in moves(steps)} == {"red bowl", "blue bowl"}
    with pytest.raises(TargetNotFoundError, match="3 things for only 2"):
        plan(*each("cubes", "bowls", "different"))


def test_an_empty_set_is_not_found_and_a_set_without_a_place_is_not_understood() -> None:
    with pytest.raises(TargetNotFoundError, match="giraffes"):
        plan(*each("giraffes", "red bowl"))
    with pytest.raises(NotUnderstoodError, match="one thing at a time"):
        plan(DraftStep("each", target="cubes"))


def test_a_swap_goes_by_a_free_spot_and_ends_where_the_other_stood() -> None:
    steps = plan(DraftStep("swap", target="red cube", reference="blue cube"))
    assert [s.skill for s in steps] == ["pick", "place"] * 3
    aside, second, third = (s.goal_position_m for s in steps if s.skill == "place")
    assert second[:2] == pytest.approx(RED.position_m[:2])
    assert third[:2] == pytest.approx(BLUE.position_m[:2])
    assert all(s.reference.label == TABLE for s in steps if s.skill == "place")
    away = footprint_of(RED).at(*aside[:2])
    assert all(gap_m(away, footprint_of(t)) > 0.01 for t in (RED, BLUE, GREEN, BALL))
    with pytest.raises(NotUnderstoodError, match="same thing"):
        plan(DraftStep("swap", target="red cube", reference="red cube"))


def test_on_the_table_is_a_free_spot_of_it() -> None:
    held = thing("red cube", 0.33, -0.25, bottom=0.006)
    (step,) = plan(DraftStep("place", relation="on", reference="the table"), held=held)
    x, y, z = step.goal_position_m
    assert z == 0.0
    own = footprint_of(held).at(x, y)
    others = [t for t in THINGS if t.label != "red cube"]
    assert all(gap_m(own, footprint_of(t)) > 0.01 for t in others)


@pytest.mark.parametrize(("p", "chosen"), [(0.9, "red cube"), (0.1, "blue cube")])
def test_the_branch_that_the_picture_calls_for(p: float, chosen: str) -> None:
    condition = DraftStep(
        "if",
        text="there is a ball",
        then=(DraftStep("pick", target="red cube"),),
        otherwise=(DraftStep("pick", target="blue cube"),),
    )
    (step,) = plan(condition, holds=lambda claim: {"there is a ball": p}[claim])
    assert step.target.label == chosen


def test_an_unsure_claim_is_asked_about_and_nobody_to_judge_is_told() -> None:
    condition = DraftStep("if", text="there is a ball", then=(DraftStep("home"),))
    with pytest.raises(AmbiguousError, match="cannot tell whether there is a ball"):
        plan(condition, holds=lambda _: 0.55)
    with pytest.raises(AmbiguousError):
        plan(condition, holds=lambda _: float("nan"))
    with pytest.raises(OperationUnsupportedError):
        plan(condition)
    assert [s.skill for s in plan(condition, holds=lambda _: 0.0)] == ["say"]


def test_what_must_not_be_touched_is_wider_than_it_is_in_every_step() -> None:
    steps = plan(
        DraftStep("pick", target="red cube"),
        DraftStep("place", relation="in", reference="red bowl"),
        DraftStep("avoid", target="ball"),
    )
    assert len(steps) == 2
    for step in steps:
        (ball,) = banned(step)
        assert ball.size_m[0] > BALL.size_m[0] + 0.03
        assert "untouched(white ball)" in step.postconditions


def test_what_must_not_be_touched_is_neither_taken_nor_crowded() -> None:
    pick = DraftStep("pick", target="red cube")
    with pytest.raises(UnsafeError, match="not to be touched") as error:
        plan(pick, DraftStep("avoid", target="red cube"))
    assert error.value.rule == "untouched"
    near = thing("white ball", 0.40, 0.245, (0.042, 0.042, 0.042))
    phrases = {**PHRASES, "ball": [near]}
    with pytest.raises(UnsafeError, match="too near to 'white ball'"):
        Planner(lambda p: phrases[p], (RED, near), Config()).steps(
            PlanDraft((pick, DraftStep("avoid", target="ball")))
        )


def test_a_pyramid_stands_three_two_one() -> None:
    cubes = [thing(f"cube {k}", 0.30 + 0.07 * (k % 2), 0.30 - 0.08 * k) for k in range(6)]
    phrases = {c.label: [c] for c in cubes}
    steps = Planner(lambda p: phrases[p], cubes, Config()).steps(
        PlanDraft((DraftStep("pyramid", parts=tuple(phrases)),))
    )
    goals = [s.goal_position_m for s in steps if s.skill == "place"]
    assert [round(z, 3) for _, _, z in goals] == [0, 0, 0, 0.04, 0.04, 0.08]
    assert goals[0][1] > goals[1][1] > goals[2][1], "from left to right"
    for upper, (left, right) in ((3, (0, 1)), (4, (1, 2)), (5, (3, 4))):
        assert goals[upper][1] == pytest.approx((goals[left][1] + goals[right][1]) / 2)
    tall = [*cubes[:5], thing("cube 5", 0.37, -0.10, (0.05, 0.05, 0.05))]
    phrases["cube 5"] = [tall[5]]
    with pytest.raises(UnsafeError, match="level"):
        Planner(lambda p: phrases[p], tall, Config()).steps(
            PlanDraft((DraftStep("pyramid", parts=tuple(phrases)),))
        )


def test_it_goes_back_to_where_it_was_taken_from() -> None:
    steps = plan(DraftStep("pick", target="red cube"), DraftStep("put_back", target="it"))
    assert steps[1].goal_position_m[:2] == pytest.approx(RED.position_m[:2])
    moved = (thing("red cube", 0.55, -0.22, bottom=0.006), RED)
    now = (moved[0], BLUE, RED_BOWL)
    steps = Planner(lambda p: [], now, Config(), recent=moved[0], moved=[moved]).steps(
        PlanDraft((DraftStep("put_back", target="it"),))
    )
    assert [s.skill for s in steps] == ["pick", "place"]
    assert distance_m(steps[1].goal_position_m, RED.position_m) < 0.001
    with pytest.raises(NotUnderstoodError, match="not been moved"):
        plan(DraftStep("put_back", target="blue cube"))


def test_the_other_one_is_not_the_one_spoken_of() -> None:
    phrases = {"cube": [RED, BLUE], "red cube": [RED]}
    made = Planner(lambda p: phrases.get(p, []), (RED, BLUE), Config(), recent=RED)
    (step,) = made.steps(PlanDraft((DraftStep("pick", target="the other red cube"),)))
    assert step.target.position_m == BLUE.position_m


def test_going_on_skips_what_is_done() -> None:
    held = thing("red cube", 0.40, 0.20)
    then = (
        DraftStep("pick", target="red cube"),
        DraftStep("place", relation="in", reference="red bowl"),
        DraftStep("pick", target="blue cube"),
        DraftStep("place", relation="in", reference="red bowl"),
    )
    steps = plan(DraftStep("resume", then=then), held=held)
    assert [s.skill for s in steps] == ["place", "pick", "place"]
    done = (thing("red cube", 0.55, -0.22, bottom=0.006), RED)
    steps = Planner(
        lambda p: PHRASES.get(p, []), (done[0], BLUE, RED_BOWL), Config(), recent=done[0], moved=[done]
    ).steps(PlanDraft((DraftStep("resume", then=then),)))
    assert [s.target.label for s in steps if s.skill == "pick"] == ["blue cube"]
