"""The evaluation over true renders, with models whose figures are known beforehand."""

from __future__ import annotations

import numpy as np
import pytest

from mmrobot.errors import InvalidConfigError
from mmrobot.evals.boxes import seen_objects
from mmrobot.evals.model_eval import evaluate_model, scene_of
from mmrobot.evals.model_figures import NOT_OFFERED
from mmrobot.simulator.scene_pool import Randomisation, ScenePool
from mmrobot.types import PlanDraft, ScoredBox

pytestmark = pytest.mark.slow


class Nothing:
    """Never finds anything, and holds everything for true."""

    name = "nothing"
    operations = frozenset({"ground", "plan", "verify"})
    asked = 0

    def ground(self, image_rgb, phrase):
        self.asked += 1
        return ()

    def plan(self, image_rgb, instruction, dialogue=()):
        return PlanDraft(())

    def verify(self, image_rgb, statement):
        return 1.0


def test_a_model_that_finds_nothing_rejects_what_is_absent_only(tmp_path):
    model = Nothing()
    figures = evaluate_model(model, ("L0", "L3"), 3, folder=tmp_path)
    for level in figures.values():
        assert level["ground"]["passed"] == 0 and level["ground"]["n"] > 5
        assert level["absent_rejected"]["passed"] == level["absent_rejected"]["n"]
        assert level["answer"] == level["describe"] == NOT_OFFERED
        assert level["verify"]["n"] == 6
        wrong = 1 - level["verify"]["success"]
        assert level["calibration"]["verify"]["ece"] == pytest.approx(wrong, abs=1e-3)
    asked = model.asked
    assert evaluate_model(model, ("L0", "L3"), 3, folder=tmp_path) == figures
    assert model.asked == asked + 2  # the two of the fingerprint: nothing was asked again


class TrueBoxes:
    """Points at all that is to be seen, whatever is said; knows the pictures by their bytes."""

    name = "true boxes"
    operations = frozenset({"ground", "describe"})

    def __init__(self, scenes):
        self._known = {}
        with ScenePool() as pool:
            for level, seed in scenes:
                scene, rng = scene_of(level, seed)
                vary = Randomisation.unseen(rng) if level == "L4" else Randomisation()
                image, indices = pool.render(scene, vary, rng)
                named = {o.id: f"{o.color} {o.shape}" for o in scene.objects if o.named}
                seen = seen_objects(indices, [o.id for o in scene.objects])
                self._known[image.tobytes()] = [
                    ScoredBox(named[k], v.box, 1.0) for k, v in seen.items() if k in named
                ]

    def ground(self, image_rgb, phrase):
        return tuple(self._known.get(image_rgb.tobytes(), ()))

    def describe(self, image_rgb):
        return self.ground(image_rgb, "")


def test_scenes_and_pictures_follow_from_level_and_seed_and_true_boxes_are_found():
    model = TrueBoxes([(level, 1_000_000 + i) for level in ("L1", "L4") for i in range(2)])
    figures = evaluate_model(model, ("L1", "L4"), 2)
    for level in figures.values():
        assert level["describe"]["found"]["success"] == level["describe"]["named"]["success"] == 1.0
        assert level["describe"]["of_nothing"]["passed"] == 0
        assert level["absent_rejected"]["passed"] == 0
        assert level["blind"]["ground"]["passed"] == 0


@pytest.mark.parametrize(
    ("levels", "count", "words"), [(("L9",), 1, "L9"), ((), 1, "no level"), (("L0",), 0, "0 scenes")]
)
def test_wrong_options(levels, count, words):
    with pytest.raises(InvalidConfigError, match=words):
        evaluate_model(Nothing(), levels, count)


def test_looks_differ_by_level():
    scene, _ = scene_of("L0", 1_000_000)
    with ScenePool() as pool:
        plain, _ = pool.render(scene, Randomisation(), np.random.default_rng(1))
        odd, _ = pool.render(scene, Randomisation.unseen(np.random.default_rng(1)), np.random.default_rng(1))
    assert np.abs(plain.astype(int) - odd).mean() > 15
