"""Scenes of training and of the levels: valid, repeatable, and new where the level says so."""

from __future__ import annotations

import numpy as np
import pytest

from mmrobot.errors import InvalidConfigError, InvalidSceneError
from mmrobot.tabletop.levels import (
    DISTRACTOR_ASPECT,
    DISTRACTOR_SCALE,
    LEVELS,
    MAX_GRASP_M,
    WIDE_ASPECT,
    WIDE_SCALE,
    distractor_stretch,
    sample_scene_for_level,
    trained_stretch,
    training_scene,
    unseen_stretch,
    wide_stretch,
)
from mmrobot.tabletop.objects import (
    GRASPABLE,
    HELD_OUT_DISTRACTORS,
    LABELLED,
    NAMELESS,
    ODDMENTS,
    SHAPES,
    TRAINED_DISTRACTORS,
    dimensions,
)
from mmrobot.tabletop.sampling import HELD_OUT, carries
from mmrobot.tabletop.scene import Scene, SceneObject, check_object, check_scene

TRAINING = [training_scene(np.random.default_rng([3, i])) for i in range(60)]


def of_level(level: str, count: int = 12, **options: bool) -> list[Scene]:
    return [sample_scene_for_level(level, np.random.default_rng([4, i]), **options) for i in range(count)]


def test_training_scenes_are_valid_and_show_nothing_kept_out() -> None:
    shapes: set[str] = set()
    for scene in TRAINING:
        check_scene(scene)
        shapes |= {o.shape for o in scene.objects}
        named = [o for o in scene.objects if o.named]
        assert 3 <= len(named) <= 14
        assert not {(o.color, o.shape) for o in named} & HELD_OUT
        assert scene.objects[: len(named)] == tuple(named), "distractors come last"
    assert set(SHAPES) < shapes <= {*SHAPES, *TRAINED_DISTRACTORS, *ODDMENTS}


def test_training_has_crowds_nests_labels_and_distractors_in_part_of_its_scenes() -> None:
    def share(has: object) -> float:
        return sum(map(has, TRAINING)) / len(TRAINING)  # type: ignore[call-overload, no-any-return]

    assert 0.1 < share(lambda s: sum(o.named for o in s.objects) > 9) < 0.5
    assert 0.2 < share(lambda s: any(o.underside_z_m > 0 for o in s.objects)) < 0.8
    assert 0.15 < share(lambda s: any(o.label for o in s.objects)) < 0.7
    assert 0.2 < share(lambda s: not all(o.named for o in s.objects)) < 0.7


def test_labels_are_distinct_and_nothing_lies_on_them() -> None:
    for scene in TRAINING:
        labelled = [o for o in scene.objects if o.label]
        assert len({o.label for o in labelled}) == len(labelled)
        assert all(o.shape in LABELLED and not carries(o, scene.objects) for o in labelled)


@pytest.mark.parametrize("level", LEVELS)
def test_levels_are_valid_and_repeat(level: str) -> None:
    for scene, again in zip(of_level(level), of_level(level), strict=True):
        check_scene(scene)
        assert scene == again
        assert not any(o.label for o in scene.objects)


def test_l0_has_distractors_and_labels_only_when_asked_for() -> None:
    assert all(o.named for s in of_level("L0") for o in s.objects)
    full = of_level("L0", labels=True, distractors=True)
    assert {o.shape for s in full for o in s.objects if not o.named} <= set(TRAINED_DISTRACTORS)
    assert any(not o.named for s in full for o in s.objects)
    assert any(o.label for s in full for o in s.objects)


def test_l1_shows_pairs_kept_out() -> None:
    for scene in of_level("L1"):
        assert {(o.color, o.shape) for o in scene.objects} & HELD_OUT


def test_l3_is_crowded_of_other_sizes_and_with_distractors_never_seen() -> None:
    strange = set()
    for scene in of_level("L3"):
        named = [o for o in scene.objects if o.named]
        assert len(named) >= 10
        strange |= {o.shape for o in scene.objects if not o.named}
        low, high = WIDE_SCALE[0] * WIDE_ASPECT[0], WIDE_SCALE[1] * WIDE_ASPECT[1]
        assert all(max(o.stretch) > high or min(o.stretch) < low for o in named)
        for o in named:
            if o.shape in GRASPABLE:
                assert min(o.dims.size_m[:2]) <= MAX_GRASP_M
    assert strange and strange <= set(HELD_OUT_DISTRACTORS)


@pytest.mark.parametrize("shape", [*SHAPES, *NAMELESS])
def test_stretched_things_keep_their_kind(shape: str) -> None:
    rng = np.random.default_rng(1)
    for draw in (trained_stretch, wide_stretch, unseen_stretch, distractor_stretch):
        for _ in range(20):
            o = SceneObject("thing", shape, "red", "small", (0.45, 0.0), stretch=draw(rng, shape))
            check_object(o, "here")
            assert o.dims.size_m == pytest.approx(
                [d * f for d, f in zip(dimensions(shape, "small").size_m, o.stretch, strict=True)]
            )
            assert SceneObject(**{**o.to_dict(), "size": "small", "stretch": o.stretch}).dims == o.dims


def test_what_has_no_name_has_more_proportions_than_what_has_one() -> None:
    """In training; its shapes are those that training may show."""
    scenes = [training_scene(np.random.default_rng(seed)) for seed in range(150)]
    strange = [o for scene in scenes for o in scene.objects if not o.named]
    assert {o.shape for o in strange} == {*TRAINED_DISTRACTORS, *ODDMENTS}
    low, high = WIDE_SCALE[0] * WIDE_ASPECT[0], WIDE_SCALE[1] * WIDE_ASPECT[1]
    beyond = sum(max(o.stretch) > high or min(o.stretch) < low for o in strange)
    assert beyond > 0.25 * len(strange)
    least, most = DISTRACTOR_SCALE[0] * DISTRACTOR_ASPECT[0], DISTRACTOR_SCALE[1] * DISTRACTOR_ASPECT[1]
    assert all(least - 1e-3 <= x <= most + 1e-3 for o in strange for x in o.stretch)


def test_walls_stay_as_thick_when_a_bowl_is_stretched() -> None:
    bowl = dimensions("bowl", "small").stretched((1.5, 1.5, 1.0))
    assert bowl.size_m[0] - bowl.opening_m[0] == pytest.approx(2 * bowl.wall_m)
    assert bowl.mass_kg == pytest.approx(2.25 * dimensions("bowl", "small").mass_kg)


def test_a_scene_with_stretch_and_distractors_is_written_and_read() -> None:
    (scene,) = of_level("L3", 1)
    assert Scene.from_dict(scene.to_dict()) == scene


@pytest.mark.parametrize(
    ("shape", "stretch", "says"),
    [
        ("cube", [0.1, 1, 1], "0.4 to 2.5"),
        ("ball", [1, 1, 1.2], "round"),
        ("cup", [1, 1.2, 1], "round"),
        ("capsule", [1, 1.2, 1], "round"),
        ("cube", [float("nan"), 1, 1], "0.4 to 2.5"),
    ],
)
def test_wrong_stretches_are_refused(shape: str, stretch: list[float], says: str) -> None:
    thing = {"id": "a", "shape": shape, "color": "red", "position": [0.4, 0.0], "stretch": stretch}
    with pytest.raises(InvalidSceneError, match="stretch") as caught:
        Scene.from_dict({"objects": [thing]})
    assert says in f"{caught.value.message} {caught.value.fix}"


def test_unknown_levels_are_refused() -> None:
    with pytest.raises(InvalidConfigError, match="L7"):
        sample_scene_for_level("L7", np.random.default_rng(0))
