"""What is said, turn by turn, before anything moves: a plan, an answer to a question, or a question back.

A phrase that fits several things is asked about. The next words may say which one is meant; then the first
request goes on with it. Words that ask for something else begin anew.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from mmrobot.command.answers import names_thing, narrowed
from mmrobot.command.questions import is_question
from mmrobot.command.text import clean_instruction
from mmrobot.errors import AmbiguousError, NotUnderstoodError
from mmrobot.pipeline import Pipeline
from mmrobot.types import ActionPlan, Answer, GroundedObject, PlanDraft, RgbdFrame


@dataclass(frozen=True)
class _Asked:
    """A request that waits for what a phrase of it means."""

    instruction: str
    draft: PlanDraft
    phrase: str


class Conversation:
    """Answers to what is said, in turns, over one Pipeline. Not for concurrent calls."""

    def __init__(self, pipeline: Pipeline) -> None:
        self.pipeline = pipeline
        self._asked: _Asked | None = None

    def respond(
        self,
        frame: RgbdFrame,
        instruction: str | bytes,
        dialogue: Sequence[str] = (),
        held: GroundedObject | None = None,
        now_ns: int | None = None,
    ) -> ActionPlan | Answer:
        """A checked plan, or an answer where a question was asked. Arguments and errors as Pipeline.plan;
        after an AmbiguousError the next words may name the thing meant."""
        said = clean_instruction(instruction)
        asked, self._asked = self._asked, None
        if asked is not None and names_thing(said):
            draft = _meaning(asked.draft, asked.phrase, narrowed(asked.phrase, said))
            return self._plan(frame, asked.instruction, draft, held, now_ns)
        began_s = time.perf_counter()
        draft = self.pipeline.draft(frame, said, dialogue)
        draft_ms = 1000 * (time.perf_counter() - began_s)
        plans = draft.steps or draft.question or draft.refusal
        if not plans and is_question(said) and self._answers:
            return Answer(said, self.pipeline.vlm.answer(frame.rgb, said))
        plan = self._plan(frame, said, draft, held, now_ns)
        total_ms = plan.timings_ms["total"] + draft_ms
        return replace(plan, timings_ms={**plan.timings_ms, "plan": draft_ms, "total": total_ms})

    @property
    def _answers(self) -> bool:
        return "answer" in self.pipeline.vlm.operations

    def _plan(
        self,
        frame: RgbdFrame,
        instruction: str,
        draft: PlanDraft,
        held: GroundedObject | None,
        now_ns: int | None,
    ) -> ActionPlan:
        try:
            return self.pipeline.plan(frame, instruction, (), held, now_ns, draft)
        except AmbiguousError as error:
            if error.phrase:
                self._asked = _Asked(instruction, draft, error.phrase)
            raise


def _meaning(draft: PlanDraft, phrase: str, meant: str) -> PlanDraft:
    """The draft with one phrase for another. Raises NotUnderstoodError where the phrase is not in it."""
    steps = tuple(
        replace(
            step,
            target=meant if step.target == phrase else step.target,
            reference=meant if step.reference == phrase else step.reference,
        )
        for step in draft.steps
    )
    if steps == draft.steps:
        raise NotUnderstoodError(f"'{meant}' answers nothing that was asked", "give the whole instruction")
    return replace(draft, steps=steps)
