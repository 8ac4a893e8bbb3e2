from __future__ import annotations

import numpy as np
import pytest

from mmrobot.simulator.looks import (
    CAMERA_SHIFT_M,
    CAMERA_TURN_RAD,
    Look,
    jitter_color,
    look_of_seed,
    sample_look,
    training_look,
    unseen_look,
)
from mmrobot.simulator.table_textures import ALL, TRAINED, UNSEEN, pattern
from mmrobot.tabletop.objects import COLORS


@pytest.mark.parametrize("name", COLORS)
def test_a_jittered_color_stays_nearest_to_its_own_name(name: str) -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        shade = np.array(jitter_color(COLORS[name], rng))
        assert (shade >= 0).all() and (shade <= 1).all()
        nearest = min(COLORS, key=lambda other: float(np.linalg.norm(np.array(COLORS[other]) - shade)))
        assert nearest == name


def test_no_jitter_keeps_the_color() -> None:
    assert np.allclose(jitter_color(COLORS["orange"], np.random.default_rng(0), 0.0), COLORS["orange"])


def test_seed_0_is_plain_and_others_vary_but_repeat() -> None:
    assert look_of_seed(0) == Look()
    assert look_of_seed(5) == look_of_seed(5)
    assert look_of_seed(5) != look_of_seed(6)
    assert sample_look(np.random.default_rng(1), 0.0) == Look()


def test_camera_shake_stays_small_in_training_and_grows_beyond() -> None:
    rng = np.random.default_rng(2)
    looks = [sample_look(rng) for _ in range(300)]
    assert max(np.abs(look.camera_shift_m).max() for look in looks) <= 0.01
    assert max(np.abs(look.camera_turn_rad).max() for look in looks) <= 0.015
    far = [sample_look(rng, 4.0) for _ in range(300)]
    assert max(np.abs(look.camera_shift_m).max() for look in far) > 0.02


def test_unseen_looks_lie_outside_of_training_in_every_respect() -> None:
    rng = np.random.default_rng(3)
    trained = [training_look(rng) for _ in range(300)]
    unseen = [unseen_look(rng) for _ in range(300)]

    def reach(values: list[float]) -> tuple[float, float]:
        return min(values), max(values)

    for name in ("sun", "fill", "ambient", "sun_lean_rad", "floor_value"):
        low, high = reach([getattr(look, name) for look in trained])
        # No fill at all is one of training's; every other value in between is.
        inside = [v for v in (getattr(look, name) for look in unseen) if low < v < high]
        assert not inside or name == "fill", name
    assert max(abs(look.sun_turn_rad) for look in trained) < min(abs(look.sun_turn_rad) for look in unseen)
    assert {look.table for look in trained} == set(TRAINED)
    assert {look.table for look in unseen} == set(UNSEEN)
    assert max(np.abs(look.camera_shift_m).max() for look in trained) <= CAMERA_SHIFT_M
    assert max(np.abs(look.camera_turn_rad).max() for look in trained) <= CAMERA_TURN_RAD
    shifts = [np.linalg.norm(look.camera_shift_m) for look in unseen]
    turns = [np.linalg.norm(look.camera_turn_rad) for look in unseen]
    assert min(shifts) > CAMERA_SHIFT_M and min(turns) > CAMERA_TURN_RAD


def test_training_has_lights_of_every_number_and_no_shadow_now_and_then() -> None:
    rng = np.random.default_rng(4)
    looks = [training_look(rng) for _ in range(300)]
    lights = {1 + (look.fill > 0) + (look.lamp > 0) for look in looks}
    assert lights == {1, 2, 3}
    assert 0.05 < sum(not look.shadows for look in looks) / len(looks) < 0.3


@pytest.mark.parametrize("name", ALL)
def test_patterns_are_mostly_light_and_repeat(name: str) -> None:
    levels = pattern(name)
    assert levels.mean() > 190
    assert np.array_equal(levels, pattern(name))
