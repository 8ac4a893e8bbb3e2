"""Whether plans follow the words and the picture: pairs that differ in one thing only, planned, not played.

Words: the same scene, one colour word changed, so that another thing is meant. Picture: the same words, the
meant thing painted in a colour that nobody named, so that nothing is meant. A robot that plans the same for
both of a pair looks at only one of them.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mmrobot.config import Config
from mmrobot.errors import InvalidSceneError, MmrobotError
from mmrobot.evals.judge import truly
from mmrobot.evals.statistics import Rate
from mmrobot.pipeline import Pipeline
from mmrobot.simulator.simulator import Simulator
from mmrobot.tabletop.language import CLEAN, make_command, things_of
from mmrobot.tabletop.objects import GRASPABLE, TRAINED_COLORS
from mmrobot.tabletop.sampling import HELD_OUT, Kind, sample_scene
from mmrobot.tabletop.scene import Scene
from mmrobot.vlm.interface import VisionLanguageModel

_SALT, _TRIES = 0xC0F2, 60
NOTHING = ""


@dataclass(frozen=True)
class Pair:
    """`before` and `after`: scene, words, and the id of the one thing meant ("": none)."""

    kind: str
    before: tuple[Scene, str, str]
    after: tuple[Scene, str, str]


def make_pair(kind: str, seed: int) -> Pair:
    """`words` or `picture`; the same for the same seed. Raises InvalidSceneError where none was found."""
    rng = np.random.default_rng([seed, _SALT])
    for _ in range(_TRIES):
        shape = str(rng.choice(GRASPABLE))
        scene = sample_scene(rng, (4, 7), wishes=[Kind(shape), Kind(shape)], distinct=True)
        target, other = scene.objects[:2]
        words = random.Random(int(rng.integers(2**31)))
        said = make_command(
            words, things_of(scene), family="pick", target=target.id, noise=CLEAN, kinds={"color_shape": 1.0}
        )
        if said is None or said.text.lower().split().count(target.color) != 1:
            continue
        before = (scene, said.text, target.id)
        if kind == "words":
            text = " ".join(other.color if w.lower() == target.color else w for w in said.text.split())
            return Pair(kind, before, (scene, text, other.id))
        taken = {o.color for o in scene.objects}
        free = [c for c in TRAINED_COLORS if c not in taken and (c, shape) not in HELD_OUT]
        if free:
            painted = replace(target, color=free[int(rng.integers(len(free)))])
            changed = replace(scene, objects=(painted, *scene.objects[1:]))
            return Pair(kind, before, (changed, said.text, NOTHING))
    raise InvalidSceneError(f"no pair of {kind} with seed {seed}", "Take another seed.")


def planned(vlm: VisionLanguageModel, config: Config, scene: Scene, words: str) -> str:
    """The id of what a plan takes first, by the true places; NOTHING where there is no plan."""
    with Simulator(scene=scene, seed=scene.seed) as simulator:
        try:
            plan = Pipeline(vlm, config).plan(simulator.render(), words)
        except MmrobotError:
            return NOTHING
        picks = [s.target for s in plan.steps if s.skill == "pick"]
        return truly(picks[0], simulator.truth()) if picks else NOTHING


def counterfactuals(
    vlm: VisionLanguageModel,
    config: Config,
    count: int,
    seed: int,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, Any]:
    """By kind: `n` pairs, how often the plan `changed`, and how often both plans were `right`."""
    figures: dict[str, Any] = {}
    for row, kind in enumerate(("words", "picture")):
        changed, right = [], []
        for i in range(count):
            pair = make_pair(kind, seed + i)
            before, after = (planned(vlm, config, *side[:2]) for side in (pair.before, pair.after))
            changed.append(before != after)
            right.append((before, after) == (pair.before[2], pair.after[2]))
            progress(row * count + i + 1, 2 * count)
        figures[kind] = {
            "changed": Rate(sum(changed), count).as_dict(),
            "right": Rate(sum(right), count).as_dict(),
        }
    return figures
