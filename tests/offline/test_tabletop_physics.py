"""The table's objects in real physics: they stand still, hollow things hold what is put in, balls stop."""

from __future__ import annotations

import numpy as np
import pytest

from mmrobot.simulator.simulator import Simulator
from mmrobot.tabletop.episode import load_episodes
from mmrobot.tabletop.families import generate_episode
from mmrobot.tabletop.goals import failed_goals, holds, initial_world, moved_m, settled
from mmrobot.tabletop.levels import sample_scene_for_level
from mmrobot.tabletop.meshes import MODELS_DIR
from mmrobot.tabletop.objects import CONTAINERS, DISTRACTORS, GRASPABLE, SIZES
from mmrobot.tabletop.sampling import sample_scene
from mmrobot.tabletop.scene import Scene, SceneObject

DEMO = MODELS_DIR.parent / "scenes" / "demo.yaml"
# A long bar lies across a small bowl's rim; cups take only what is narrower than their opening.
TOO_LONG = {("bar", "large", "bowl", "small")}


def _fits_cup(shape: str, size: str, cup: str) -> bool:
    return shape in ("ball", "cube") and size == "small" and cup == "large"


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("container", CONTAINERS)
def test_what_is_dropped_into_a_container_lies_in_it(container: str, size: str) -> None:
    rng = np.random.default_rng(0)
    holder = SceneObject("holder", container, "blue", size, (0.45, 0.0))
    for shape in GRASPABLE:
        for own_size in SIZES:
            if container == "cup" and not _fits_cup(shape, own_size, size):
                continue
            x, y = rng.uniform(-0.008, 0.008, 2)
            above = (0.45 + float(x), float(y), holder.dims.height_m + 0.01)
            thing = SceneObject("thing", shape, "red", own_size, above, yaw=float(rng.uniform(-3, 3)))
            scene = Scene(0, (holder, thing))
            simulator = Simulator(scene=scene)
            simulator.step(1.0)
            world = simulator.truth()
            simulator.close()
            expected = (shape, own_size, container, size) not in TOO_LONG
            assert holds("in(thing, holder)", world, scene) == expected, (shape, own_size)


def test_scenes_stand_where_they_are_put() -> None:
    rng = np.random.default_rng(1)
    for _ in range(10):
        scene = sample_scene(rng, (5, 8), nested_probability=0.5)
        simulator = Simulator(scene=scene)
        world, start = simulator.truth(), initial_world(scene)
        simulator.close()
        assert settled(world)
        assert max(moved_m(start, world, o.id) for o in scene.objects) < 0.005


def test_odd_sizes_and_distractors_stand_too() -> None:
    shapes = DISTRACTORS
    places = [(0.25 + 0.14 * (i // 5), -0.4 + 0.2 * (i % 5)) for i in range(len(shapes))]
    distractors = tuple(
        SceneObject(f"d_{shape}", shape, "pink", "large", place)
        for shape, place in zip(shapes, places, strict=True)
    )
    scenes = [Scene(0, distractors)]
    scenes += [sample_scene_for_level("L3", np.random.default_rng([5, i])) for i in range(3)]
    for scene in scenes:
        simulator = Simulator(scene=scene)
        simulator.step(0.5)
        world, start = simulator.truth(), initial_world(scene)
        simulator.close()
        assert settled(world)
        far = {o.id: moved_m(start, world, o.id) for o in scene.objects}
            # What lies in another thing sinks or rolls a little.
        assert max(far.values()) < 0.01, far


def test_a_rolling_ball_comes_to_rest() -> None:
    scene = Scene(0, (SceneObject("ball", "ball", "red", "small", (0.45, 0.0)),))
    simulator = Simulator(scene=scene)
    before = simulator.truth()
    simulator.data.qvel[-6:] = [0.1, 0.0, 0.0, 0.0, 0.1 / 0.021, 0.0]
    simulator.step(1.0)
    after = simulator.truth()
    simulator.close()
    assert settled(after)
    assert 0.005 < moved_m(before, after, "ball") < 0.05


def test_demo_and_family_scenes_begin_undone() -> None:
    episodes = load_episodes(DEMO) + [
        generate_episode(family, "L0", 1_000_000) for family in ("pick", "put_in", "put_beside", "stack")
    ]
    for episode in episodes:
        simulator = Simulator(scene=episode.scene)
        world = simulator.truth()
        simulator.close()
        assert settled(world)
        assert failed_goals(episode.expect.goal, world, episode.scene)
