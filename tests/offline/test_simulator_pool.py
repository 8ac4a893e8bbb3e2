"""The pool's pictures are the simulator's pictures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mmrobot.simulator.scene_pool import PLAIN, Randomisation, ScenePool
from mmrobot.simulator.simulator import Simulator
from mmrobot.tabletop.objects import SHAPES
from mmrobot.tabletop.scene import Scene, SceneObject

PLACES = [(x, y) for x in (0.32, 0.55) for y in (-0.3, -0.1, 0.1, 0.3)]
ALL = tuple(
    SceneObject(shape, shape, color, position=place, yaw=0.3)
    for shape, color, place in zip(
        SHAPES, ("red", "green", "blue", "yellow", "orange", "purple", "white", "black"), PLACES, strict=True
    )
)


@pytest.mark.parametrize("seed", [0, 7])
def test_a_scene_looks_the_same_in_the_pool_and_in_the_simulator(seed: int) -> None:
    scene = Scene(seed, ALL)
    vary = Randomisation(0.0, True, 0.0, 0.0, 0.0, False)
    with ScenePool() as pool, Simulator(scene=scene) as sim:
        rgb, mask = pool.render(scene, vary)
        assert rgb.dtype == np.uint8 and mask.dtype == np.int16
        difference = np.abs(rgb.astype(int) - sim.render_true().rgb)
        assert (difference.max(axis=-1) > 12).mean() < 0.003
        for index, name in enumerate(o.id for o in ALL):
            true = sim.segmentation()[name]
            assert ((mask == index) & true).sum() > 0.97 * true.sum() > 100


ODD = tuple(
    SceneObject(f"o{i}", shape, color, size, place, yaw=0.4, label=label, stretch=stretch)
    for i, (shape, color, size, place, label, stretch) in enumerate(
        [
            ("cube", "red", "large", PLACES[0], "A7", (1.2, 1.2, 0.8)),
            ("tray", "white", "small", PLACES[1], "B2", (1.1, 0.9, 1.0)),
            ("bowl", "green", "large", PLACES[2], None, (1.2, 1.2, 0.8)),
            ("cup", "blue", "small", PLACES[3], None, (0.8, 0.8, 1.2)),
            ("arch", "pink", "small", PLACES[4], None, (1.2, 1.0, 1.0)),
            ("cone", "cyan", "large", PLACES[5], None, (1.0, 1.0, 1.2)),
            ("capsule", "brown", "large", PLACES[6], None, (1.2, 1.0, 1.0)),
            ("hexagon", "grey", "small", PLACES[7], None, (1.1, 0.9, 1.3)),
        ]
    )
)


def test_stretched_things_prints_and_distractors_look_the_same_in_the_pool() -> None:
    """Whatever the copies showed before."""
    scene = Scene(0, ODD)
    with ScenePool(copies=1) as pool, Simulator(scene=scene) as sim:
        pool.render(Scene(0, tuple(replace(o, stretch=(1.0, 1.0, 1.0), label=None) for o in ODD)), PLAIN)
        rgb, mask = pool.render(scene, PLAIN)
        difference = np.abs(rgb.astype(int) - sim.render_true().rgb)
        assert (difference.max(axis=-1) > 12).mean() < 0.003
        for index, name in enumerate(o.id for o in ODD):
            true = sim.segmentation()[name]
            assert ((mask == index) & true).sum() > 0.97 * true.sum() > 100
        print_area = mask == 0
        assert np.ptp(rgb[print_area].astype(int).sum(-1)) > 200, "no print on the cube"


def test_small_masks_are_the_large_ones_shrunk() -> None:
    with ScenePool(mask_shrink=2) as half, ScenePool() as full:
        (_, small), (_, large) = (pool.render(Scene(0, ALL), PLAIN) for pool in (half, full))
    assert small.shape == (240, 320)
    assert (small == large[::2, ::2]).mean() > 0.99


def test_things_inside_others_hide_and_are_hidden() -> None:
    bowl = SceneObject("bowl", "bowl", "blue", position=(0.5, 0.0))
    ball = SceneObject("ball", "ball", "red", position=(0.5, 0.0, bowl.dims.floor_m))
    with ScenePool() as pool:
        _, alone = pool.render(Scene(0, (bowl,)), PLAIN)
        _, both = pool.render(Scene(0, (bowl, ball)), PLAIN)
    assert (both == 1).sum() > 200
    assert (both == 0).sum() < (alone == 0).sum()


def test_it_repeats_by_seed_varies_by_call_and_holds_more_than_it_began_with() -> None:
    many = Scene(
        0, tuple(SceneObject(f"c{i}", "cube", "red", position=PLACES[i]) for i in range(len(PLACES)))
    )
    with ScenePool(5, copies=1) as first, ScenePool(5, copies=1) as second:
        pictures = [pool.render(many) for pool in (first, second)]
        assert np.array_equal(pictures[0][0], pictures[1][0])
        assert set(np.unique(pictures[0][1])) >= set(range(len(PLACES)))
        assert not np.array_equal(first.render(many)[0], pictures[0][0])


def test_pictures_of_another_size() -> None:
    with ScenePool(size=(320, 240)) as pool:
        rgb, mask = pool.render(Scene(0, ALL))
    assert rgb.shape == (240, 320, 3) and mask.shape == (240, 320)
