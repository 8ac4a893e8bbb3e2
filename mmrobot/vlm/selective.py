"""Short thought first: one look; a second one, from other views, only where the first was unsure.

The model's own probabilities say whether it was: a box near the threshold, a plan with a doubtful step, a
verdict near one half. So does a failed check: nothing found where something was named, a reply that does not
fit the schema. The long way shows the model other views of the same picture (nearer or shifted, never
mirrored: left stays left) and averages what it says of them (self-consistency, Wang et al. 2022,
arXiv:2203.11171; test-time augmentation).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mmrobot.errors import ModelReplyInvalidError
from mmrobot.types import PlanDraft, ScoredBox, box_iou
from mmrobot.vlm.interface import VisionLanguageModel

_SAME_IOU = 0.5


@dataclass(frozen=True)
class Doubt:
    """When a first answer is not trusted. Probabilities between `low` and `high` are unsure."""

    low: float = 0.15
    high: float = 0.85
    plan_confidence: float = 0.6
    look_again_for_nothing: bool = True


@dataclass(frozen=True)
class View:
    """Part of the picture: left, top, width, height, as shares of its size. (0, 0, 1, 1) is all of it."""

    left: float
    top: float
    width: float
    height: float


VIEWS = (View(0.04, 0.04, 0.92, 0.92), View(0.0, 0.06, 0.94, 0.94), View(0.06, 0.0, 0.94, 0.94))
"""A little nearer and shifted: other pixels for the same things, seen under nearly the same perspective."""


class SelectiveVlm:
    """Any VisionLanguageModel, asked once or several times. `short` and `long` count the ways taken."""

    def __init__(
        self, model: VisionLanguageModel, doubt: Doubt | None = None, views: Sequence[View] = VIEWS
    ) -> None:
        if not views:
            raise ValueError("give at least one view besides the whole picture")
        self.model, self.doubt, self.views = model, doubt or Doubt(), tuple(views)
        self.short = self.long = 0

    @property
    def name(self) -> str:
        return self.model.name

    @property
    def operations(self) -> frozenset[str]:
        return self.model.operations

    def ground(self, image_rgb: NDArray[np.uint8], phrase: str) -> tuple[ScoredBox, ...]:
        """Boxes of all things that the phrase names; scores are means over the views taken."""
        first = self._candidates(image_rgb, phrase)
        if not self._count(self._unsure_of(first)):
            return _kept(first)
        answers = [first]
        for view in self.views:
            part, left, top = cut(image_rgb, view)
            answers.append(tuple(_shifted(b, left, top) for b in self._candidates(part, phrase)))
        return _kept(merge_boxes(answers))

    def plan(self, image_rgb: NDArray[np.uint8], instruction: str, dialogue: Sequence[str] = ()) -> PlanDraft:
        """The draft that most views agree on, when the first is doubtful. Raises as the model does."""
        failure: ModelReplyInvalidError | None = None
        drafts: list[PlanDraft] = []
        try:
            drafts.append(self.model.plan(image_rgb, instruction, dialogue))
        except ModelReplyInvalidError as error:
            failure = error
        doubtful = not drafts or (
            drafts[0].confidence < self.doubt.plan_confidence and not drafts[0].question
        )
        if not self._count(doubtful):
            return drafts[0]
        for view in self.views:
            try:
                drafts.append(self.model.plan(cut(image_rgb, view)[0], instruction, dialogue))
            except ModelReplyInvalidError as error:
                failure = failure or error
        if not drafts:
            assert failure is not None
            raise failure
        votes = Counter(_meaning(d) for d in drafts)
        most = max(votes.values())
        # Of equals the surest: all of them heard the same words.
        return max((d for d in drafts if votes[_meaning(d)] == most), key=lambda d: d.confidence)

    def verify(self, image_rgb: NDArray[np.uint8], statement: str) -> float:
        """Probability that the statement holds; the mean over views when the first look is unsure."""
        first = self.model.verify(image_rgb, statement)
        if not self._count(self.doubt.low < first < self.doubt.high):
            return first
        more = [self.model.verify(cut(image_rgb, view)[0], statement) for view in self.views]
        return float(np.mean([first, *more]))

    def answer(self, image_rgb: NDArray[np.uint8], question: str) -> str:
        """The model's answer; the one that most views give when the first found nothing to speak of."""
        first = self.model.answer(image_rgb, question)
        if not self._count(first.strip().lower() in ("", "nothing", "none", "unknown")):
            return first
        said = [first, *(self.model.answer(cut(image_rgb, view)[0], question) for view in self.views)]
        return Counter(said).most_common(1)[0][0]

    def describe(self, image_rgb: NDArray[np.uint8]) -> tuple[ScoredBox, ...]:
        """Every object in the picture, in one look."""
        return self.model.describe(image_rgb)

    def _candidates(self, image_rgb: NDArray[np.uint8], phrase: str) -> tuple[ScoredBox, ...]:
        """All that may be meant, unlikely ones too where the model tells them."""
        asked = getattr(self.model, "candidates", None)
        found = self.model.ground(image_rgb, phrase) if asked is None else asked(image_rgb, phrase)
        return tuple(found)

    def _unsure_of(self, boxes: Sequence[ScoredBox]) -> bool:
        if any(self.doubt.low < b.score < self.doubt.high for b in boxes):
            return True
        return self.doubt.look_again_for_nothing and not any(b.score >= 0.5 for b in boxes)

    def _count(self, long: bool) -> bool:
        self.long += long
        self.short += not long
        return long


def cut(image_rgb: NDArray[np.uint8], view: View) -> tuple[NDArray[np.uint8], float, float]:
    """A view's pixels, at their own scale, and where its first pixel lies in the picture."""
    height, width = image_rgb.shape[:2]
    left, top = round(view.left * width), round(view.top * height)
    w, h = max(round(view.width * width), 1), max(round(view.height * height), 1)
    part = np.ascontiguousarray(image_rgb[top : top + h, left : left + w])
    return part, float(left), float(top)


def merge_boxes(answers: Sequence[Sequence[ScoredBox]]) -> tuple[ScoredBox, ...]:
    """Boxes of several looks at one picture as one answer: the same thing's boxes and scores averaged.

    A look that does not tell of a thing gives it 0. Best first.
    """
    groups: list[list[ScoredBox]] = []
    for boxes in answers:
        taken: set[int] = set()
        for box in boxes:
            free = [(i, group[0]) for i, group in enumerate(groups) if i not in taken]
            fits = [(box_iou(box.box_xyxy, first.box_xyxy), i) for i, first in free]
            best, at = max(fits, default=(0.0, -1))
            if best >= _SAME_IOU:
                groups[at].append(box)
                taken.add(at)
            else:
                taken.add(len(groups))
                groups.append([box])
    merged = []
    for group in groups:
        x0, y0, x1, y1 = np.mean([b.box_xyxy for b in group], axis=0)
        score = sum(b.score for b in group) / len(answers)
        merged.append(
            ScoredBox(group[0].label, (float(x0), float(y0), float(x1), float(y1)), min(score, 1.0))
        )
    return tuple(sorted(merged, key=lambda b: -b.score))


def _kept(boxes: Sequence[ScoredBox]) -> tuple[ScoredBox, ...]:
    return tuple(b for b in boxes if b.score >= 0.5)


def _shifted(box: ScoredBox, left: float, top: float) -> ScoredBox:
    x0, y0, x1, y1 = box.box_xyxy
    return ScoredBox(box.label, (x0 + left, y0 + top, x1 + left, y1 + top), box.score)


def _meaning(draft: PlanDraft) -> tuple[object, ...]:
    return (tuple(replace(s, confidence=1.0) for s in draft.steps), draft.question, draft.refusal)
