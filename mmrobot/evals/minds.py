"""Models that stand in for the robot's own, in part or in whole: guessing, obstinate or all-knowing ones.

Each keeps what is not its subject: whoever takes any object still plans with the robot's own words.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmrobot.command.questions import is_question
from mmrobot.errors import ModelReplyInvalidError, OperationUnsupportedError
from mmrobot.evals.oracle import OracleVlm
from mmrobot.simulator.simulator import Simulator
from mmrobot.tabletop.episode import Episode
from mmrobot.tabletop.language import describe_phrase, things_of
from mmrobot.types import DraftStep, PlanDraft, ScoredBox
from mmrobot.vlm.interface import VisionLanguageModel

MakeMind = Callable[[VisionLanguageModel, Simulator, Episode], VisionLanguageModel]
Picture = NDArray[np.uint8]


class StandIn:
    """The robot's own model; whoever inherits changes one thing of it."""

    def __init__(self, own: VisionLanguageModel, simulator: Simulator, episode: Episode) -> None:
        self._own, self._simulator, self._episode = own, simulator, episode

    @property
    def name(self) -> str:
        return self._own.name

    @property
    def operations(self) -> frozenset[str]:
        return self._own.operations

    def ground(self, image_rgb: Picture, phrase: str) -> tuple[ScoredBox, ...]:
        return self._own.ground(image_rgb, phrase)

    def plan(self, image_rgb: Picture, instruction: str, dialogue: Sequence[str] = ()) -> PlanDraft:
        return self._own.plan(image_rgb, instruction, dialogue)

    def verify(self, image_rgb: Picture, statement: str) -> float:
        return self._own.verify(image_rgb, statement)

    def answer(self, image_rgb: Picture, question: str) -> str:
        return self._own.answer(image_rgb, question)

    def describe(self, image_rgb: Picture) -> tuple[ScoredBox, ...]:
        return self._own.describe(image_rgb)


class AnyObject(StandIn):
    """Whatever is named, some thing that is there is taken for it: always the same one for a phrase."""

    def __init__(self, own: VisionLanguageModel, simulator: Simulator, episode: Episode) -> None:
        super().__init__(own, simulator, episode)
        self._chosen: dict[str, str] = {}

    def ground(self, image_rgb: Picture, phrase: str) -> tuple[ScoredBox, ...]:
        boxes = self._own.describe(image_rgb)
        if not boxes:
            return ()
        if phrase not in self._chosen:
            names = sorted({b.label for b in boxes})
            draw = zlib.crc32(f"{self._episode.name} {phrase}".encode())
            self._chosen[phrase] = names[draw % len(names)]
        found = next((b for b in boxes if b.label == self._chosen[phrase]), None)
        return () if found is None else (replace(found, label=phrase, score=0.99),)


class AlwaysActs(StandIn):
    """Never asks nor refuses: takes what fits best, however little."""

    def ground(self, image_rgb: Picture, phrase: str) -> tuple[ScoredBox, ...]:
        all_of_them = getattr(getattr(self._own, "model", self._own), "candidates", self._own.ground)
        boxes = all_of_them(image_rgb, phrase) or self._own.describe(image_rgb)
        if not boxes:
            return ()
        best = max(boxes, key=lambda b: b.score)
        return (replace(best, label=phrase, score=0.99),)

    def plan(self, image_rgb: Picture, instruction: str, dialogue: Sequence[str] = ()) -> PlanDraft:
        try:
            draft = self._own.plan(image_rgb, instruction, dialogue)
        except ModelReplyInvalidError:
            draft = PlanDraft(())
        if draft.steps or is_question(instruction):
            return PlanDraft(draft.steps)
        return PlanDraft((DraftStep("pick", target=instruction),))


class AlwaysAsks(StandIn):
    """Asks back whatever it is told."""

    def plan(self, image_rgb: Picture, instruction: str, dialogue: Sequence[str] = ()) -> PlanDraft:
        return PlanDraft((), question="which one do you mean?")


class TruePlan(StandIn):
    """The right plan, in phrases that name each thing clearly; the robot's own eyes find them."""

    def plan(self, image_rgb: Picture, instruction: str, dialogue: Sequence[str] = ()) -> PlanDraft:
        draft = OracleVlm(self._simulator, self._episode).plan(image_rgb, instruction, dialogue)
        things = things_of(self._episode.scene)
        names = {t.id: f"the {describe_phrase(t, things)}" for t in things}

        def named(step: DraftStep) -> DraftStep:
            return replace(
                step,
                target=names.get(step.target or "", step.target),
                reference=names.get(step.reference or "", step.reference),
            )

        return replace(draft, steps=tuple(named(s) for s in draft.steps))


def true_sight(own: VisionLanguageModel, simulator: Simulator, episode: Episode) -> VisionLanguageModel:
    """The robot's own reading of words, over what is truly there.

    Raises OperationUnsupportedError for a model whose sight and reading are one.
    """
    reader: Any = getattr(own, "model", own)
    if not offers_true_sight(own):
        raise OperationUnsupportedError(
            f"{own.name} does not part its sight from its reading", "leave out --ablate true_sight"
        )
    # Loads the model's own libraries.
    from mmrobot.evals.true_sight import true_eyes

    model: VisionLanguageModel = reader.with_eyes(true_eyes(simulator, reader.config))
    return model


def offers_true_sight(own: VisionLanguageModel) -> bool:
    """Whether a model's eyes can be changed."""
    return hasattr(getattr(own, "model", own), "with_eyes")


def all_knowing(own: VisionLanguageModel, simulator: Simulator, episode: Episode) -> VisionLanguageModel:
    """True sight and the right plan: what then fails is the arm's, or cannot be done."""
    return OracleVlm(simulator, episode)
