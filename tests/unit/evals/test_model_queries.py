"""What models are asked: new words at L2, new pairs at L1, no sizes at L3; the same for the same seed."""

from __future__ import annotations

import random

import numpy as np
import pytest

from mmrobot.evals.model_queries import PER_SCENE, make_queries, speaks_of_size
from mmrobot.tabletop.language import Extreme, Kind, Related, Thing, things_of, visible_things
from mmrobot.tabletop.language.claims import Compared, Denied
from mmrobot.tabletop.levels import sample_scene_for_level
from mmrobot.tabletop.sampling import HELD_OUT


def queries(level, seed):
    scene = sample_scene_for_level(level, np.random.default_rng(seed), labels=True)
    strange = [Thing(o.id, o.shape, o.color, o.size, o.center_m) for o in scene.objects if not o.named]
    return things_of(scene), make_queries(level, things_of(scene), strange, random.Random(seed))


@pytest.mark.parametrize("level", ["L0", "L1", "L2", "L3", "L4"])
def test_every_level_asks_of_everything_and_repeats(level):
    things, made = queries(level, 5)
    assert made == queries(level, 5)[1]
    counts = {op: sum(q.operation == op for q in made) for op in PER_SCENE}
    assert counts == PER_SCENE
    ids = {t.id for t in things}
    assert all(q.truth <= ids for q in made if q.operation == "ground")


def test_at_l1_phrases_are_about_pairs_kept_out():
    for seed in range(6):
        things, made = queries("L1", seed)
        pair = {t.id: (t.color, t.shape) for t in things}
        for q in made:
            if q.operation == "ground" and q.truth:
                assert any(pair[i] in HELD_OUT for i in q.truth)


def test_sizes_are_found_wherever_they_hide():
    cube = Kind(frozenset(("cube",)))
    assert speaks_of_size(Related(cube, "behind", Extreme(cube, "large")))
    assert speaks_of_size(Denied(Compared(cube, "larger", cube)))
    assert speaks_of_size(Kind(None, "red", "small"))
    assert not speaks_of_size(Related(cube, "behind", Extreme(cube, "left")))
    assert not speaks_of_size(Compared(cube, "same_color", cube))


def test_what_is_hidden_is_not_spoken_of():
    things = (Thing("a", "cube", "red", inside="b"), Thing("b", "bowl", "blue"))
    assert visible_things(things, frozenset({"a"})) == (Thing("a", "cube", "red"),)
    assert visible_things(things, frozenset({"a", "b"})) == things
