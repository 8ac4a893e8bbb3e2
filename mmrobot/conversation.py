"""What is said, turn by turn, before anything moves: a plan, an answer to a question, or a question back.

A phrase that fits several things is asked about; the next words may say which one is meant, and the first
request goes on with it. A sentence that the model reads unsurely is read back first, and waits for a yes.
Words may lean on the request before them ("no, the green one", "put it back"), and may say what other words
mean ("a dax is a white bar"). Words that ask for something else begin anew.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from mmrobot.command.answers import names_thing, narrowed, yes_or_no
from mmrobot.command.definitions import define, replaced
from mmrobot.command.questions import is_question
from mmrobot.command.text import clean_instruction
from mmrobot.errors import AmbiguousError, NotUnderstoodError
from mmrobot.pipeline import Pipeline
from mmrobot.planning.dialogue import in_context, renamed
from mmrobot.planning.planner import Moved
from mmrobot.planning.readback import read_back
from mmrobot.types import ActionPlan, Answer, GroundedObject, PlanDraft, RgbdFrame

READ_BACK = "did you mean: "
"""So begins the message of the AmbiguousError that reads a sentence back."""
_REMEMBERED = 12
"""Moves that "back" may go back over."""


@dataclass(frozen=True)
class _Asked:
    """A request that waits for what a phrase of it means, or with "" for a yes, since `at_ns`."""

    instruction: str
    draft: PlanDraft
    phrase: str
    at_ns: int


class Conversation:
    """Answers to what is said, in turns, over one Pipeline. Not for concurrent calls."""

    def __init__(self, pipeline: Pipeline) -> None:
        self.pipeline = pipeline
        self._asked: _Asked | None = None
        self._before: PlanDraft | None = None
        self._moved: list[Moved] = []
        self._words: dict[str, str] = {}
        self.read: PlanDraft | None = None
        """What the model read in the last words, before anything was made of it."""

    def respond(
        self,
        frame: RgbdFrame,
        instruction: str | bytes,
        dialogue: Sequence[str] = (),
        held: GroundedObject | None = None,
        now_ns: int | None = None,
    ) -> ActionPlan | Answer:
        """A checked plan, or an answer where a question was asked. Arguments and errors as Pipeline.plan;
        after an AmbiguousError the next words may name the thing meant, or say yes or no where it was asked
        whether something was meant, for `command.answer_within_s`."""
        self.read = None
        said = self._in_known_words(clean_instruction(instruction))
        at_ns = frame.stamp_ns if now_ns is None else now_ns
        asked, self._asked = self._asked, None
        if asked is not None and self._in_time(asked, at_ns):
            if asked.phrase and names_thing(said):
                draft = _meaning(asked.draft, asked.phrase, narrowed(asked.phrase, said))
                return self._plan(frame, asked.instruction, draft, held, now_ns, about=asked.draft)
            agreed = None if asked.phrase else yes_or_no(said)
            if agreed is False:
                raise NotUnderstoodError("then nothing is done", "say it in other words")
            if agreed:
                return self._planned(frame, asked.instruction, asked.draft, held, now_ns)
        began_s = time.perf_counter()
        draft = self.read = self.pipeline.draft(frame, said, dialogue)
        draft_ms = 1000 * (time.perf_counter() - began_s)
        if self._asks(said, draft):
            return Answer(said, self.pipeline.vlm.answer(frame.rgb, said))
        self._confirm(said, draft, at_ns)
        plan = self._planned(frame, said, draft, held, now_ns)
        total_ms = plan.timings_ms["total"] + draft_ms
        return replace(plan, timings_ms={**plan.timings_ms, "plan": draft_ms, "total": total_ms})

    def aside(self, frame: RgbdFrame, instruction: str | bytes) -> Answer | None:
        """An answer to a question said while something else goes on; None where the words ask for a move, or
        nothing. What was asked back, and what went before, stay as they are. Errors as `respond`."""
        said = self._in_known_words(clean_instruction(instruction))
        if not is_question(said) or not self._asks(said, self.pipeline.draft(frame, said)):
            return None
        return Answer(said, self.pipeline.vlm.answer(frame.rgb, said))

    def _asks(self, said: str, draft: PlanDraft) -> bool:
        """Whether words, of which the model made this draft, ask and move nothing."""
        plans = draft.steps or draft.question or draft.refusal
        return not plans and is_question(said) and self._answers

    def _confirm(self, said: str, draft: PlanDraft, at_ns: int) -> None:
        """Reads back what was read unsurely. Raises AmbiguousError; the next words may be a yes."""
        if not draft.steps or draft.confidence >= self.pipeline.config.command.confirm_below:
            return
        self._asked = _Asked(said, draft, "", at_ns)
        raise AmbiguousError(
            f"{READ_BACK}{read_back(draft.steps)}?", "say yes, or say it in other words", ("yes", "no")
        )

    def _planned(
        self,
        frame: RgbdFrame,
        said: str,
        draft: PlanDraft,
        held: GroundedObject | None,
        now_ns: int | None,
    ) -> ActionPlan:
        """A plan of a draft as it was said, which may lean on the request before."""
        moved = self.pipeline.still_seen(frame, self._moved)
        whole = in_context(draft, self._before, held.label if held else None, moved)
        return self._plan(frame, said, whole, held, now_ns, about=whole)

    @property
    def _answers(self) -> bool:
        return "answer" in self.pipeline.vlm.operations

    def _in_known_words(self, said: str) -> str:
        """With words that were defined before, or in these very words, replaced by their meaning."""
        text, defined = define(said)
        self._words |= defined
        return clean_instruction(replaced(text, self._words)) if self._words else text

    def _in_time(self, asked: _Asked, at_ns: int) -> bool:
        waited_s = (at_ns - asked.at_ns) / 1e9
        return 0.0 <= waited_s <= self.pipeline.config.command.answer_within_s

    def _plan(
        self,
        frame: RgbdFrame,
        instruction: str,
        draft: PlanDraft,
        held: GroundedObject | None,
        now_ns: int | None,
        about: PlanDraft,
    ) -> ActionPlan:
        """`about` is the draft as it was said, before any phrase of it was asked about."""
        try:
            plan = self.pipeline.plan(frame, instruction, (), held, now_ns, draft, self._moved)
        except AmbiguousError as error:
            if error.phrase:
                at_ns = frame.stamp_ns if now_ns is None else now_ns
                self._asked = _Asked(instruction, draft, error.phrase, at_ns)
            raise
        if not any(s.skill == "resume" for s in about.steps):
            self._before = about
        self._moved = [*self._moved, *moves_of(plan)][-_REMEMBERED:]
        return plan


def moves_of(plan: ActionPlan) -> list[Moved]:
    """What a plan moves: each thing as it will stand, and as it stood when it was taken."""
    moves: list[Moved] = []
    taken: GroundedObject | None = None
    for step in plan.steps:
        if step.skill == "pick":
            taken = step.target
        elif step.skill == "place" and step.target is not None and step.goal_position_m is not None:
            x, y, z = step.goal_position_m
            there = replace(step.target, position_m=(x, y, z + step.target.size_m[2] / 2))
            moves.append((there, taken or step.target))
            taken = None
    return moves


def _meaning(draft: PlanDraft, phrase: str, meant: str) -> PlanDraft:
    """The draft with one phrase for another. Raises NotUnderstoodError where the phrase is not in it."""
    made = renamed(draft, lambda said: meant if said == phrase else said)
    if made.steps == draft.steps:
        raise NotUnderstoodError(f"'{meant}' answers nothing that was asked", "give the whole instruction")
    return made
