"""Random scenes: valid, wholly inside, apart, repeatable, without the pairs kept out of training."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from mmrobot.tabletop.footprint import gap_m
from mmrobot.tabletop.sampling import (
    HELD_OUT,
    HELD_OUT_HOLDERS,
    HELD_OUT_PAIRS,
    Kind,
    NoRoomError,
    sample_scene,
)
from mmrobot.tabletop.scene import WORK_AREA_X, WORK_AREA_Y, Scene, check_scene


@pytest.fixture(scope="module")
def scenes() -> list[Scene]:
    rng = np.random.default_rng(0)
    return [sample_scene(rng, distinct=i % 2 == 0) for i in range(200)]


def test_scenes_are_valid_and_inside(scenes: list[Scene]) -> None:
    for scene in scenes:
        check_scene(scene)
        assert 3 <= len(scene.objects) <= 8
        for o in scene.objects:
            ex, ey = o.footprint.extent_m
            assert WORK_AREA_X[0] <= o.position[0] - ex and o.position[0] + ex <= WORK_AREA_X[1]
            assert WORK_AREA_Y[0] <= o.position[1] - ey and o.position[1] + ey <= WORK_AREA_Y[1]


def test_gap_leaves_room_for_a_finger(scenes: list[Scene]) -> None:
    for scene in scenes:
        for a, b in itertools.combinations(scene.objects, 2):
            assert gap_m(a.footprint, b.footprint) >= 0.035 - 1e-9


def test_held_out_pairs_do_not_occur(scenes: list[Scene]) -> None:
    assert len(HELD_OUT_PAIRS) == 4 and len(HELD_OUT_HOLDERS) == 2
    assert not any((o.color, o.shape) in HELD_OUT for s in scenes for o in s.objects)


def test_distinct_scenes_repeat_no_kind(scenes: list[Scene]) -> None:
    for scene in scenes[::2]:
        kinds = [(o.color, o.shape) for o in scene.objects]
        assert len(set(kinds)) == len(kinds)


def test_same_generator_same_scene() -> None:
    a, b = (sample_scene(np.random.default_rng(5)) for _ in range(2))
    assert a == b
    assert a != sample_scene(np.random.default_rng(6))


def test_wishes_come_first_even_when_held_out() -> None:
    scene = sample_scene(np.random.default_rng(1), 5, wishes=[Kind("cube", "black", "large"), Kind("bowl")])
    first, second = scene.objects[:2]
    assert (first.shape, first.color, first.size) == ("cube", "black", "large")
    assert second.shape == "bowl"


def test_nested_scenes_are_valid_and_come_as_often_as_asked() -> None:
    rng = np.random.default_rng(2)
    scenes = [sample_scene(rng, (5, 8), nested_probability=1.0) for _ in range(60)]
    for scene in scenes:
        check_scene(scene)
    assert sum(any(len(o.position) == 3 for o in s.objects) for s in scenes) >= 50
    assert not any(len(o.position) == 3 for s in (sample_scene(rng) for _ in range(20)) for o in s.objects)


def test_too_much_is_refused() -> None:
    with pytest.raises(NoRoomError, match="do not fit"):
        sample_scene(np.random.default_rng(3), 20, shapes=["tray"])
    with pytest.raises(NoRoomError, match="no colour and shape left"):
        sample_scene(np.random.default_rng(3), 3, shapes=["cube"], colors=["red"], distinct=True)
