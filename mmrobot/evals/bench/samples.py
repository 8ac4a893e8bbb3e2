"""What is measured on: held-out scenes rendered once, then the same for every backend.

`Task` is a picture with depth and an instruction, for speed; `Scene` a picture with phrases and the true
boxes of what they mean, for quality, both as `mmrobot eval-model` asks them.
"""

from __future__ import annotations

import pickle
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mmrobot.types import BoxXyxy, RgbdFrame

_FAMILIES = ("pick", "put_in", "put_beside", "stack")


@dataclass(frozen=True, eq=False)
class Task:
    """One instruction over one look."""

    frame: RgbdFrame
    instruction: str
    objects: int


@dataclass(frozen=True)
class Phrase:
    """A phrase and the boxes of all that it means; none for something absent."""

    text: str
    kind: str
    boxes: tuple[BoxXyxy, ...]


@dataclass(frozen=True, eq=False)
class Scene:
    """A picture (H, W, 3) uint8 with what is asked about it; `visible` boxes of all objects."""

    rgb: NDArray[np.uint8]
    phrases: tuple[Phrase, ...]
    visible: tuple[BoxXyxy, ...]


@dataclass(frozen=True)
class Samples:
    """All that a worker needs. Written and read on one machine by one program: a pickle."""

    tasks: tuple[Task, ...]
    scenes: tuple[Scene, ...]

    def save(self, path: Path) -> None:
        path.write_bytes(pickle.dumps(self))

    @staticmethod
    def load(path: Path) -> Samples:
        loaded = pickle.loads(path.read_bytes())
        assert isinstance(loaded, Samples)
        return loaded


Progress = Callable[[int, int], None]


def make_samples(
    tasks: int,
    scenes: int,
    levels: Sequence[str] = ("L0",),
    seed: int | None = None,
    tell: Progress | None = None,
) -> Samples:
    """Renders `tasks` and, of every level, `scenes`. Seeds are those of evaluation."""
    from mmrobot.tabletop.families import EVALUATION_SEED

    first = EVALUATION_SEED if seed is None else seed
    total = tasks + scenes * len(levels)
    made_tasks = []
    for index in range(tasks):
        made_tasks.append(_task(_FAMILIES[index % len(_FAMILIES)], first + index))
        if tell is not None:
            tell(index + 1, total)
    return Samples(tuple(made_tasks), make_scenes(scenes, levels, first, tell, tasks, total))


def make_scenes(
    count: int,
    levels: Sequence[str],
    first: int,
    tell: Progress | None = None,
    done: int = 0,
    total: int = 0,
) -> tuple[Scene, ...]:
    """Pictures with phrases: those that `mmrobot eval-model` asks with the same seed."""
    from mmrobot.simulator.scene_pool import ScenePool

    made: list[Scene] = []
    with ScenePool() as pool:
        for level in levels:
            for index in range(count):
                scene = _scene(pool, level, first + index)
                if scene.phrases:
                    made.append(scene)
                if tell is not None:
                    done += 1
                    tell(done, total or count * len(levels))
    return tuple(made)


def _task(family: str, seed: int) -> Task:
    from mmrobot.simulator.simulator import Simulator
    from mmrobot.tabletop.families import generate_episode

    episode = generate_episode(family, "L0", seed)
    with Simulator(scene=episode.scene, seed=seed) as simulator:
        return Task(simulator.render(), episode.instruction, len(episode.scene.objects))


def _scene(pool: object, level: str, seed: int) -> Scene:
    from mmrobot.evals.boxes import seen_objects
    from mmrobot.evals.model_eval import scene_of
    from mmrobot.evals.model_queries import make_queries
    from mmrobot.simulator.scene_pool import Randomisation, ScenePool
    from mmrobot.tabletop.language import Thing, things_of, visible_things

    assert isinstance(pool, ScenePool)
    scene, rng = scene_of(level, seed)
    image, indices = pool.render(scene, Randomisation.unseen(rng) if level == "L4" else Randomisation(), rng)
    seen = seen_objects(indices, [o.id for o in scene.objects])
    things = visible_things(things_of(scene), frozenset(seen))
    phrases: list[Phrase] = []
    if things:
        strange = [
            Thing(o.id, o.shape, o.color, o.size, o.center_m)
            for o in scene.objects
            if not o.named and o.id in seen
        ]
        for query in make_queries(level, things, strange, random.Random(f"{level} {seed}")):
            if query.operation == "ground" and isinstance(query.truth, frozenset):
                boxes = tuple(seen[name].box for name in sorted(query.truth))
                phrases.append(Phrase(query.text, query.kind, boxes))
    return Scene(image, tuple(phrases), tuple(s.box for s in seen.values()))
