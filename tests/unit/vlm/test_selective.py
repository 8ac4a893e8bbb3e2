"""Second looks: only in doubt, from views that keep left where it is, averaged without losing anything."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmrobot.errors import ModelReplyInvalidError
from mmrobot.types import DraftStep, PlanDraft, ScoredBox, box_iou
from mmrobot.vlm.selective import VIEWS, Doubt, SelectiveVlm, View, cut, merge_boxes

PICTURE = np.random.default_rng(0).integers(0, 255, (100, 200, 3), dtype=np.uint8)
THING = (80.0, 40.0, 120.0, 60.0)


class Scripted:
    """Answers in order; finds its thing wherever the view puts it."""

    name, operations = "scripted", frozenset({"ground", "plan", "verify", "answer", "describe"})

    def __init__(self, scores: Sequence[float] = (), replies: Sequence[object] = ()) -> None:
        self.scores, self.replies, self.sizes = list(scores), list(replies), []

    def candidates(self, image, phrase):
        self.sizes.append(image.shape[:2])
        score = self.scores.pop(0)
        # The view begins where its first pixel stands in the whole picture.
        top, left = (int(v) for v in np.argwhere((image[0, 0] == PICTURE).all(-1))[0])
        x0, y0, x1, y1 = THING
        box = (x0 - left, y0 - top, x1 - left, y1 - top)
        return () if score == 0 else (ScoredBox(phrase, box, score),)

    def _reply(self):
        reply = self.replies.pop(0)
        if isinstance(reply, Exception):
            raise reply
        return reply

    def plan(self, image, instruction, dialogue=()):
        return self._reply()

    def verify(self, image, statement):
        return self._reply()

    def answer(self, image, question):
        return self._reply()

    def describe(self, image):
        return (ScoredBox("all", THING, 1.0),)


def test_a_sure_look_is_the_only_one() -> None:
    model = Scripted([0.97])
    vlm = SelectiveVlm(model)
    assert vlm.ground(PICTURE, "it") == (ScoredBox("it", THING, 0.97),)
    assert (vlm.short, vlm.long, len(model.sizes)) == (1, 0, 1)


def test_doubt_looks_from_all_views_and_averages() -> None:
    vlm = SelectiveVlm(Scripted([0.6, 0.8, 0.4, 0.8]))
    (box,) = vlm.ground(PICTURE, "it")
    assert box.score == pytest.approx(0.65)
    assert box.box_xyxy == pytest.approx(THING)
    assert (vlm.short, vlm.long) == (0, 1)


@pytest.mark.parametrize(("scores", "found"), [([0.0, 0.9, 0.9, 0.9], True), ([0.0, 0.9, 0.0, 0.0], False)])
def test_nothing_found_is_looked_for_again(scores: list[float], found: bool) -> None:
    assert bool(SelectiveVlm(Scripted(scores)).ground(PICTURE, "it")) is found


def test_nothing_may_be_believed() -> None:
    vlm = SelectiveVlm(Scripted([0.0]), Doubt(look_again_for_nothing=False))
    assert vlm.ground(PICTURE, "it") == ()


def draft(target: str, confidence: float) -> PlanDraft:
    return PlanDraft((DraftStep("pick", target, confidence=confidence),), confidence=confidence)


def test_plans_are_voted_on_in_doubt_only() -> None:
    sure = draft("a", 0.9)
    assert SelectiveVlm(Scripted(replies=[sure])).plan(PICTURE, "do") is sure
    replies = [draft("a", 0.5), draft("b", 0.4), draft("b", 0.45), draft("c", 0.9)]
    assert SelectiveVlm(Scripted(replies=replies)).plan(PICTURE, "do").steps[0].target == "b"
    invalid = ModelReplyInvalidError("no JSON")
    replies = [invalid, draft("a", 0.2), invalid, invalid]
    assert SelectiveVlm(Scripted(replies=replies)).plan(PICTURE, "do").steps[0].target == "a"
    with pytest.raises(ModelReplyInvalidError, match="no JSON"):
        SelectiveVlm(Scripted(replies=[invalid] * 4)).plan(PICTURE, "do")


def test_a_question_of_the_models_is_no_doubt_to_vote_on() -> None:
    asked = PlanDraft((), question="which?", confidence=0.3)
    assert SelectiveVlm(Scripted(replies=[asked])).plan(PICTURE, "do") is asked


def test_verdicts_and_answers() -> None:
    assert SelectiveVlm(Scripted(replies=[0.95])).verify(PICTURE, "so") == 0.95
    assert SelectiveVlm(Scripted(replies=[0.5, 0.7, 0.9, 0.7])).verify(PICTURE, "so") == pytest.approx(0.7)
    assert SelectiveVlm(Scripted(replies=["two"])).answer(PICTURE, "how many") == "two"
    assert SelectiveVlm(Scripted(replies=["nothing", "a", "b", "a"])).answer(PICTURE, "what") == "a"
    assert SelectiveVlm(Scripted()).describe(PICTURE)[0].label == "all"


def test_a_model_that_tells_no_candidates_is_asked_to_ground() -> None:
    class Plain:
        name, operations = "plain", frozenset({"ground"})

        def ground(self, image, phrase):
            return (ScoredBox(phrase, THING, 0.9),)

    assert SelectiveVlm(Plain()).ground(PICTURE, "it")[0].score == 0.9


def test_views_are_needed_and_lie_inside() -> None:
    with pytest.raises(ValueError, match="at least one"):
        SelectiveVlm(Scripted(), views=())
    for view in (*VIEWS, View(0, 0, 1, 1)):
        part, left, top = cut(PICTURE, view)
        assert left + part.shape[1] <= 200 and top + part.shape[0] <= 100
        assert np.array_equal(part[0, 0], PICTURE[int(top), int(left)])


boxes = st.builds(
    lambda x, y, w, h, s: ScoredBox("thing", (x, y, x + w, y + h), s),
    st.floats(0, 100), st.floats(0, 100), st.floats(1, 50), st.floats(1, 50), st.floats(0, 1),
)  # fmt: skip


@settings(max_examples=50, deadline=None)
@given(st.lists(st.lists(boxes, max_size=4), min_size=1, max_size=3))
def test_merging_keeps_all_score_and_never_more_than_one(answers: list[list[ScoredBox]]) -> None:
    merged = merge_boxes(answers)
    total = sum(b.score for each in answers for b in each) / len(answers)
    assert sum(b.score for b in merged) == pytest.approx(total, abs=1e-6)
    assert len(merged) >= max(map(len, answers))
    assert all(a.score >= b.score for a, b in pairwise(merged))


def test_overlap() -> None:
    assert box_iou((0, 0, 2, 2), (1, 1, 3, 3)) == pytest.approx(1 / 7)
    assert box_iou((0, 0, 1, 1), (1, 0, 2, 1)) == 0.0
