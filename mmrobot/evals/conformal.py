"""A threshold for pointing with a promise: the thing meant lies above it in 1 - alpha of all phrases.

Split conformal prediction (Vovk et al. 2005; Angelopoulos & Bates 2021, arXiv:2107.07511): the threshold is a
quantile of the scores that true referents get on calibration scenes, seeds below those of evaluation. What is
above it is the set of what may be meant: one is taken, several are asked about, none is refused. Measured on
evaluation scenes, beside the threshold that the robot uses.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from mmrobot.config import GroundingConfig
from mmrobot.errors import InvalidConfigError, ModelReplyInvalidError
from mmrobot.evals.boxes import seen_objects
from mmrobot.evals.model_eval import said_and_true, scene_of
from mmrobot.evals.model_queries import make_queries
from mmrobot.evals.statistics import Rate
from mmrobot.simulator.scene_pool import Randomisation, ScenePool
from mmrobot.tabletop.families import EVALUATION_SEED
from mmrobot.tabletop.language import things_of, visible_things
from mmrobot.vlm.interface import VisionLanguageModel

ALPHAS = (0.1, 0.05)
CALIBRATION_SEED = 900_000


@dataclass(frozen=True)
class Phrase:
    """What a model made of one phrase: (score, meant) of each thing seen and of each box of nothing;
    `want`: none, one or several things are meant."""

    want: str
    scores: tuple[tuple[float, bool], ...]

    @property
    def true_score(self) -> float:
        """Of the thing meant; 0 where it got none."""
        return max((score for score, meant in self.scores if meant), default=0.0)

    def chosen(self, threshold: float, rival_ratio: float = 0.0) -> list[bool]:
        """Whether each of those above the threshold, and near enough to the best, is meant."""
        best = max((score for score, _ in self.scores), default=0.0)
        floor = max(threshold, rival_ratio * best)
        return [meant for score, meant in self.scores if score >= floor and score > 0]


def conformal_threshold(true_scores: Sequence[float], alpha: float) -> float:
    """The score that a true referent reaches with probability of at least 1 - alpha; 0 where so few scores
    promise nothing. Raises InvalidConfigError for an alpha out of (0, 1)."""
    if not 0 < alpha < 1:
        raise InvalidConfigError(f"alpha {alpha}", "give a share between 0 and 1, such as 0.1")
    rank = math.floor((len(true_scores) + 1) * alpha)
    return sorted(true_scores)[rank - 1] if rank >= 1 else 0.0


def rates(phrases: Sequence[Phrase], threshold: float, rival_ratio: float = 0.0) -> dict[str, Any]:
    """`coverage`: the thing meant is in the set; `false_ask`: one thing is meant and it is not the only one
    chosen, so that the robot asks or refuses; `false_act`: one thing is taken that is not the one meant."""
    clear = [p for p in phrases if p.want == "one"]
    sets = [(p, p.chosen(threshold, rival_ratio)) for p in phrases]
    clear_sets = [p.chosen(threshold, rival_ratio) for p in clear]
    return {
        "threshold": round(threshold, 4),
        "coverage": Rate(sum(any(s) for s in clear_sets), len(clear)).as_dict(),
        "false_ask": Rate(sum(len(s) != 1 for s in clear_sets), len(clear)).as_dict(),
        "false_act": Rate(
            sum(len(s) == 1 and not (p.want == "one" and s[0]) for p, s in sets), len(phrases)
        ).as_dict(),
    }


def ask_phrases(
    vlm: VisionLanguageModel, seed: int, scenes: int, progress: Callable[[int, int], None]
) -> list[Phrase]:
    """Four phrases of each of so many L0 scenes."""
    asked: list[Phrase] = []
    ask = getattr(getattr(vlm, "model", vlm), "candidates", vlm.ground)
    with ScenePool() as pool:
        for i in range(scenes):
            scene, rng = scene_of("L0", seed + i)
            image, indices = pool.render(scene, Randomisation(), rng)
            seen = seen_objects(indices, [o.id for o in scene.objects])
            things = visible_things(things_of(scene), frozenset(seen))
            for query in make_queries("L0", things, (), random.Random(f"L0 {seed + i}")) if things else ():
                if query.operation != "ground" or not isinstance(query.truth, frozenset):
                    continue
                try:
                    boxes = ask(image, query.text)
                except ModelReplyInvalidError:
                    boxes = ()
                truths = [seen[name].box for name in sorted(query.truth)]
                pairs = said_and_true(boxes, truths, seen)
                asked.append(Phrase(query.want, tuple((s, bool(m)) for s, m in pairs)))
            progress(i + 1, scenes)
    return asked


def conformal(
    vlm: VisionLanguageModel,
    config: GroundingConfig,
    scenes: int,
    progress: Callable[[int, int], None] = lambda done, total: None,
    seed: int = EVALUATION_SEED,
) -> dict[str, Any]:
    """Thresholds from `scenes` calibration scenes, measured on as many evaluation scenes."""
    fits = ask_phrases(vlm, CALIBRATION_SEED, scenes, lambda done, _: progress(done, 2 * scenes))
    test = ask_phrases(vlm, seed, scenes, lambda done, _: progress(scenes + done, 2 * scenes))
    true_scores = [p.true_score for p in fits if p.want == "one"]
    return {
        "calibration_phrases": len(true_scores),
        "phrases": len(test),
        "used": rates(test, config.threshold, config.rival_ratio),
        "conformal": [
            {"promised": 1 - alpha, **rates(test, conformal_threshold(true_scores, alpha))}
            for alpha in ALPHAS
        ],
    }
