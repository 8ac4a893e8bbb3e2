"""Small and large, where nothing is as small or large as the model has learned them to be."""

from __future__ import annotations

import pytest

from mmrobot.config import Config
from mmrobot.errors import TargetNotFoundError
from mmrobot.planning.planner import Planner
from mmrobot.planning.relative_size import without_size
from tests.support.fake_world import draft, thing

LITTLE = thing("cube", 0.40, 0.20, size=(0.044, 0.044, 0.044))
BIG = thing("cube", 0.50, 0.0, size=(0.052, 0.052, 0.052))
ALMOST = thing("cube", 0.35, -0.2, size=(0.045, 0.045, 0.044))


@pytest.mark.parametrize(
    ("phrase", "plain"),
    [
        ("the little red cube", "the red cube"),
        ("a very large cup", "a cup"),
        ("the small-sized bar", "the bar"),
        ("the cube left of the big bowl", "the cube left of the bowl"),
        ("the red cube", None),
        ("the smallest cube", None),
        ("the small cube in the large bowl", None),
        ("small", None),
    ],
)
def test_the_word_of_size_is_left_out(phrase: str, plain: str | None) -> None:
    assert without_size(phrase) == plain


def picked(phrase: str, found: dict[str, list[object]]) -> object:
    planner = Planner(lambda p: found.get(p, []), (LITTLE, BIG, ALMOST), Config(), None)
    (step,) = planner.steps(draft(("pick", phrase)))
    return step.target.position_m


def test_the_only_one_of_its_kind_may_be_of_any_size() -> None:
    assert picked("the large cube", {"the cube": [LITTLE]}) == LITTLE.position_m


def test_beside_its_like_it_is_so() -> None:
    both = {"the cube": [BIG, LITTLE]}
    assert picked("the small cube", both) == LITTLE.position_m
    assert picked("the bigger cube", {"the cube": [LITTLE, BIG]}) == BIG.position_m


def test_what_was_found_is_not_looked_for_again() -> None:
    assert picked("the small cube", {"the small cube": [BIG], "the cube": [BIG, LITTLE]}) == BIG.position_m


@pytest.mark.parametrize(
    ("phrase", "found"),
    [
        ("the small cube", {"the cube": [LITTLE, ALMOST]}),
        ("the small cube", {}),
        # Whose size is meant is not that of the cubes.
        ("the cube left of the big bowl", {"the cube left of the bowl": [BIG, LITTLE]}),
    ],
)
def test_what_no_eye_would_tell_is_not_guessed(phrase: str, found: dict[str, list[object]]) -> None:
    with pytest.raises(TargetNotFoundError, match="I do not see"):
        picked(phrase, found)
