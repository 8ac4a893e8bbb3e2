"""What is said, turn by turn, before anything moves: a plan, an answer to a question, or a question back.

A phrase that fits several things is asked about; the next words may say which one is meant, and the first
request goes on with it. A sentence that the model reads unsurely is read back first, and waits for a yes.
Words may lean on the request before them ("no, the green one", "put it back", "undo"), may point ("put this
there"), and may say what other words mean ("a dax is a white bar"). Words that ask for something else begin
anew.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from mmrobot.command.answers import names_thing, narrowed, yes_or_no
from mmrobot.command.control import goes_on, undoes
from mmrobot.command.definitions import define, replaced
from mmrobot.command.questions import is_question
from mmrobot.command.text import clean_instruction
from mmrobot.errors import AmbiguousError, NotUnderstoodError
from mmrobot.pipeline import Pipeline, check_draft
from mmrobot.planning.dialogue import in_context, renamed
from mmrobot.planning.editing import Change, edited
from mmrobot.planning.pins import Pins
from mmrobot.planning.planner import Moved
from mmrobot.planning.readback import read_back
from mmrobot.planning.undoing import net, undoing
from mmrobot.pointing import point_out_in
from mmrobot.types import ActionPlan, Answer, DraftStep, GroundedObject, PlanDraft, Pointing, RgbdFrame

READ_BACK = "did you mean: "
"""So begins the message of the AmbiguousError that reads a sentence back."""
AT_IT = "I am at it"
_REMEMBERED = 12
"""Moves that "back" may go back over."""


@dataclass(frozen=True)
class _Asked:
    """A request that waits for what a phrase of it means, or with "" for a yes, since `at_ns`."""

    instruction: str
    draft: PlanDraft
    phrase: str
    at_ns: int
    pins: Pins


class Conversation:
    """Answers to what is said, in turns, over one Pipeline. Not for concurrent calls."""

    def __init__(self, pipeline: Pipeline) -> None:
        self.pipeline = pipeline
        self._asked: _Asked | None = None
        self._before: PlanDraft | None = None
        self._bound = Pins()
        self._moved: list[Moved] = []
        self._last: list[Moved] = []
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
        pointings: Sequence[Pointing] = (),
    ) -> ActionPlan | Answer:
        """A checked plan, or an answer where a question was asked. Arguments and errors as Pipeline.plan, and
        of pointing.point_out_in for what `pointings` point at, in the order of "this" and "there" in them.

        After an AmbiguousError the next words may name the thing meant, or say yes or no where it was asked
        whether something was meant, for `command.answer_within_s`."""
        self.read = None
        at_ns = frame.stamp_ns if now_ns is None else now_ns
        said, pins = self._pointed(
            frame, self._in_known_words(clean_instruction(instruction)), pointings, at_ns
        )
        asked, self._asked = self._asked, None
        if asked is not None and self._in_time(asked, at_ns):
            if asked.phrase and names_thing(said):
                draft = _meaning(asked.draft, asked.phrase, narrowed(asked.phrase, said))
                bound = asked.pins.also(pins)
                return self._plan(frame, asked.instruction, draft, held, now_ns, asked.draft, bound)
            agreed = None if asked.phrase else yes_or_no(said)
            if agreed is False:
                raise NotUnderstoodError("then nothing is done", "say it in other words")
            if agreed:
                return self._planned(frame, asked.instruction, asked.draft, held, now_ns, asked.pins)
        if undoes(said):
            return self._undo(frame, said, held, now_ns)
        began_s = time.perf_counter()
        draft = self.read = self.pipeline.draft(frame, said, dialogue)
        draft_ms = 1000 * (time.perf_counter() - began_s)
        if self._asks(said, draft):
            return Answer(said, self.pipeline.vlm.answer(frame.rgb, said))
        self._confirm(said, draft, at_ns, pins, self.pipeline.config.command.confirm_below)
        plan = self._planned(frame, said, draft, held, now_ns, pins)
        total_ms = plan.timings_ms["total"] + draft_ms
        return replace(plan, timings_ms={**plan.timings_ms, "plan": draft_ms, "total": total_ms})

    def aside(
        self,
        frame: RgbdFrame,
        instruction: str | bytes,
        now_ns: int | None = None,
        pointings: Sequence[Pointing] = (),
    ) -> Answer | None:
        """What is answered to words said while something else goes on; None where they are a request that
        takes its place, for `respond`. Errors as `respond`: words that are not understood end nothing, and
        what may be a question as well as a request is read back first."""
        at_ns = frame.stamp_ns if now_ns is None else now_ns
        said, pins = self._pointed(
            frame, self._in_known_words(clean_instruction(instruction)), pointings, at_ns
        )
        if undoes(said) or self._replies(said, at_ns):
            return None
        if goes_on(said):
            return Answer(said, AT_IT)
        draft = self.pipeline.draft(frame, said)
        if self._asks(said, draft):
            return Answer(said, self.pipeline.vlm.answer(frame.rgb, said))
        if [s.skill for s in draft.steps] == ["resume"]:
            # "Are you finished yet?" is read so too, and either way it is the answer.
            return Answer(said, AT_IT)
        check_draft(draft, said)
        command = self.pipeline.config.command
        doubtful = command.confirm_moving_below if is_question(said) else command.confirm_below
        self._confirm(said, draft, at_ns, pins, doubtful)
        return None

    def resume(
        self, frame: RgbdFrame, held: GroundedObject | None = None, now_ns: int | None = None
    ) -> ActionPlan:
        """What is still to be done of the request before. Errors as `respond`."""
        self.read = PlanDraft((DraftStep("resume"),))
        return self._planned(frame, "go on", self.read, held, now_ns, self._bound)

    def edit(
        self,
        frame: RgbdFrame,
        plan: ActionPlan,
        keep: Sequence[int] = (),
        changes: Sequence[Change] = (),
        held: GroundedObject | None = None,
        now_ns: int | None = None,
    ) -> ActionPlan:
        """A plan with a person's changes (planning/editing.py), made anew on this picture, checked as any."""
        draft, pins = edited(plan, keep, changes)
        self.read = draft
        # As if it had not been planned: its moves are not to be remembered beside those of the new one.
        self._moved = self._moved[: max(0, len(self._moved) - len(moves_of(plan)))]
        return self._plan(frame, plan.instruction, draft, held, now_ns, draft, pins)

    def forget(self) -> None:
        """Nothing is left to go on with, and nothing is asked."""
        self._asked = self._before = None

    def _replies(self, said: str, at_ns: int) -> bool:
        """Whether words answer what was asked back."""
        asked = self._asked
        if asked is None or not self._in_time(asked, at_ns):
            return False
        return names_thing(said) if asked.phrase else yes_or_no(said) is not None

    def _pointed(
        self, frame: RgbdFrame, said: str, pointings: Sequence[Pointing], at_ns: int
    ) -> tuple[str, Pins]:
        if not pointings:
            return said, Pins()
        things = self.pipeline.overview(frame)
        return point_out_in(frame, things, said, pointings, self.pipeline.config, at_ns)

    def _asks(self, said: str, draft: PlanDraft) -> bool:
        """Whether words, of which the model made this draft, ask and move nothing."""
        plans = draft.steps or draft.question or draft.refusal
        return not plans and is_question(said) and self._answers

    def _confirm(self, said: str, draft: PlanDraft, at_ns: int, pins: Pins, below: float) -> None:
        """Reads back what was read unsurely. Raises AmbiguousError; the next words may be a yes."""
        if not draft.steps or draft.confidence >= below:
            return
        self._asked = _Asked(said, draft, "", at_ns, pins)
        raise AmbiguousError(
            f"{READ_BACK}{read_back(draft.steps)}?", "say yes, or say it in other words", ("yes", "no")
        )

    def _undo(
        self, frame: RgbdFrame, said: str, held: GroundedObject | None, now_ns: int | None
    ) -> ActionPlan:
        """Back to before the last plan; what that one left undone, or somebody took away, stays as it is."""
        moves = self.pipeline.seen_again(frame, net(self._last))
        draft, pins = undoing(moves, held is not None)
        self.read = draft
        return self._plan(frame, said, draft, held, now_ns, draft, pins, moves)

    def _planned(
        self,
        frame: RgbdFrame,
        said: str,
        draft: PlanDraft,
        held: GroundedObject | None,
        now_ns: int | None,
        pins: Pins,
    ) -> ActionPlan:
        """A plan of a draft as it was said, which may lean on the request before."""
        moved = self.pipeline.seen_again(frame, self._moved[-1:])
        kind = moved[0][0].label if moved else ""
        whole = in_context(draft, self._before, held.label if held else None, bool(moved), kind)
        return self._plan(frame, said, whole, held, now_ns, whole, pins)

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
        pins: Pins,
        moved: Sequence[Moved] | None = None,
    ) -> ActionPlan:
        """`about` is the draft as it was said, before any phrase of it was asked about; `moved` what "back"
        goes back over, by default all that is remembered."""
        try:
            plan = self.pipeline.plan(
                frame, instruction, (), held, now_ns, draft, self._moved if moved is None else moved, pins
            )
        except AmbiguousError as error:
            if error.phrase:
                at_ns = frame.stamp_ns if now_ns is None else now_ns
                self._asked = _Asked(instruction, draft, error.phrase, at_ns, pins)
            raise
        if not any(s.skill == "resume" for s in about.steps):
            self._before, self._bound = about, pins
        self._last = moves_of(plan)
        self._moved = [*self._moved, *self._last][-_REMEMBERED:]
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
