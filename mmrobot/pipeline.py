"""The whole way on one page: words and pixels in, a checked plan in metres out. No ROS.

    words -> cleaned -> the model's draft -> each phrase grounded -> lifted into metres -> steps -> gate

`Pipeline.plan` does so once an instruction; `Pipeline.locate` looks again before contact.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from mmrobot.command.places import named_place
from mmrobot.command.questions import is_question
from mmrobot.command.text import clean_instruction, words
from mmrobot.config import Config
from mmrobot.errors import (
    AmbiguousError,
    NoDepthError,
    NotUnderstoodError,
    OperationUnsupportedError,
    TransformUnavailableError,
)
from mmrobot.grounding.lifting import FrameLifter
from mmrobot.grounding.monocular import MonocularLifter
from mmrobot.locating import locate
from mmrobot.looking import Lift, Lifter, Look, timed
from mmrobot.planning.pins import Pins
from mmrobot.planning.planner import Moved, Planner, distance_m, like_size
from mmrobot.planning.table import no_larger
from mmrobot.safety.gate import SafetyGate
from mmrobot.safety.hazards import check_words, hazards_of
from mmrobot.types import ActionPlan, DraftStep, GroundedObject, PlanDraft, PlanStep, RgbdFrame, ScoredBox
from mmrobot.vlm.change_gate import ChangeGate
from mmrobot.vlm.interface import VisionLanguageModel

# What was put down may have rolled or slid this far.
_ROLLED_M, _LEFT_M = 0.06, 0.02


class Pipeline:
    """Joins the model and the rooms. Between calls it holds but the last picture looked at: while nothing
    moves, that one is looked at again, and all that was worked out for it is known. Not for concurrent calls.
    """

    def __init__(
        self,
        vlm: VisionLanguageModel,
        config: Config | None = None,
        gate: SafetyGate | None = None,
        lifter: Lifter | None = None,
    ) -> None:
        self.vlm = vlm
        self.config = config or Config()
        self.gate = gate or SafetyGate(self.config)
        self._lifter = lifter or self._depth_lifter
        self._geometry: FrameLifter | MonocularLifter | None = None
        self._hazards = hazards_of(self.config)
        self._still = self._still_gate()

    def use(self, config: Config) -> None:
        """Another configuration from the next call on, with the same rules about words; between two calls."""
        self.config = self.gate.config = config
        # What the last picture showed was found by other thresholds.
        self._still = self._still_gate()

    def _still_gate(self) -> ChangeGate | None:
        limits = self.config.grounding
        return ChangeGate(limits.reuse_max_age_s) if limits.reuse_unchanged else None

    def plan(
        self,
        frame: RgbdFrame,
        instruction: str | bytes,
        dialogue: Sequence[str] = (),
        held: GroundedObject | None = None,
        now_ns: int | None = None,
        draft: PlanDraft | None = None,
        moved: Sequence[Moved] = (),
        pins: Pins | None = None,
    ) -> ActionPlan:
        """A checked plan for an instruction, with `timings_ms` per stage; of `draft`, where there is one.

        `moved` are things that earlier plans moved, as they should stand now and as they stood before, the
        last one last: what "it" and "back" mean. `pins` binds phrases of the draft to things known already.

        `held` is what the hand holds already; `now_ns` the present ROS time (default: the picture's
        stamp), against which ages are judged. Raises errors of mmrobot/errors.py: the words are no
        instruction, the model has no plan or asks, a phrase names nothing or several things, the
        gate refuses.
        """
        timings: dict[str, float] = {}
        with timed(timings, "words"):
            words = clean_instruction(instruction)
            self._check_frame(frame)
        with timed(timings, "change"):
            frame = self._steady(frame, held)
        with timed(timings, "plan"):
            draft = draft or self._read(frame, words, dialogue)
            check_draft(draft, words)
        look = self._look(frame)
        seen = _seen_again(moved, look.things)
        bound = pins or Pins()
        planner = Planner(
            partial(bound.find, look),
            look.things,
            self.config,
            held,
            recent=seen[-1][0] if seen else None,
            moved=seen,
            holds=look.holds,
            spot=bound.spot,
            seen_ns=frame.stamp_ns,
        )
        with timed(timings, "steps"):
            steps = planner.steps(draft)
        timings["steps"] -= sum(look.timings_ms.get(stage, 0.0) for stage in ("ground", "lift"))
        timings |= look.timings_ms
        plan = ActionPlan(
            plan_id=uuid.uuid4().hex,
            instruction=words,
            steps=steps,
            stamp_ns=frame.stamp_ns,
            model=self.vlm.name,
            confidence=min([draft.confidence, *(s.confidence for s in steps)]),
        )
        with timed(timings, "gate"):
            self.gate.check_plan(plan, frame.stamp_ns if now_ns is None else now_ns, held)
        timings["total"] = sum(timings.values())
        return replace(plan, timings_ms=timings)

    def draft(self, frame: RgbdFrame, words: str, dialogue: Sequence[str] = ()) -> PlanDraft:
        """The model's steps for an instruction, over phrases; with none where it asks for no move.

        Words that send a mobile base to a place of the settings need no model. Steps that the model only
        guesses are unsure enough to be read back, for whoever does so (conversation.py); where nothing is
        read back, and for words that ask, nothing is guessed. Raises UnsafeError for words that ask for harm,
        whatever a model would make of them (safety/hazards.py).
        """
        draft = self._read(frame, words, dialogue)
        # A guess that names nothing ("go on"?) is no help to who said something else.
        named = any(s.target or s.reference or s.parts for s in draft.guess)
        sure = draft.guess[0].confidence if named else 1.0
        if draft.steps or draft.question or sure >= self.config.command.confirm_below or is_question(words):
            return draft
        return replace(draft, steps=draft.guess, confidence=sure)

    def _read(self, frame: RgbdFrame, words: str, dialogue: Sequence[str]) -> PlanDraft:
        check_words(words, self._hazards)
        place = named_place(words, self.config.navigation.places)
        if place is not None:
            return PlanDraft((DraftStep("navigate", text=place),))
        turns = self.config.command.dialogue_turns
        given = tuple(dialogue)[-turns:] if turns else ()
        try:
            return self.vlm.plan(frame.rgb, words, given)
        except OperationUnsupportedError:
            if not given:
                raise
            # A model without dialogue reads each sentence by itself.
            return self.vlm.plan(frame.rgb, words, ())

    def ground(self, frame: RgbdFrame, phrase: str) -> tuple[GroundedObject, ...]:
        """All things that a phrase names, in metres, best first; empty when there are none."""
        self._check_frame(frame)
        return tuple(self._look(frame).find(clean_instruction(phrase)))

    def overview(self, frame: RgbdFrame) -> tuple[GroundedObject, ...]:
        """Every thing in view that lies on or near the work area; what cannot be located is left out."""
        self._check_frame(frame)
        return self._look(frame).things

    def seen_again(self, frame: RgbdFrame, moved: Sequence[Moved]) -> list[Moved]:
        """Those of the things that earlier plans moved that stand about where they were left."""
        return _seen_again(moved, self.overview(frame)) if moved else []

    def locate(self, frame: RgbdFrame, step: PlanStep, held: GroundedObject | None = None) -> PlanStep:
        """The step with its things where they are now (locating.py).

        `held` is what the hand holds: it is no candidate. Raises TargetNotFoundError or AmbiguousError
        when the thing vanished or cannot be told apart, UnsafeError when the new goal has no room.
        """
        self._check_frame(frame)
        return locate(self._look(self._steady(frame, held)), step)

    def _look(self, frame: RgbdFrame) -> Look:
        return Look(frame, self.vlm, self._lifter, self.config)

    def _steady(self, frame: RgbdFrame, held: GroundedObject | None) -> RgbdFrame:
        """The picture looked at last, as of now, when this one shows the same; else this one."""
        if self._still is None:
            return frame
        seen = self._still.unchanged(frame, held.label if held else None)
        return frame if seen is None else replace(seen, stamp_ns=frame.stamp_ns)

    def _depth_lifter(self, frame: RgbdFrame, boxes: Sequence[ScoredBox]) -> Lift:
        if self._geometry is None or not self._geometry.serves(frame, boxes):
            made = FrameLifter if frame.depth_m is not None else MonocularLifter
            self._geometry = made(frame, self.config.work_area.table_z_m, boxes)
        return partial(self._geometry, stamp_ns=frame.stamp_ns)

    def _check_frame(self, frame: RgbdFrame) -> None:
        if frame.depth_m is None and not self.config.grounding.without_depth:
            raise NoDepthError(
                "there is no depth picture: things cannot be located in metres",
                "check the depth camera and its topic, or allow grounding.without_depth",
            )
        if frame.T_base_camera is None:
            raise TransformUnavailableError(
                f"the pose of '{frame.camera.frame_id}' in base_link is unknown",
                "publish it on /tf or /tf_static",
            )


def _seen_again(moved: Sequence[Moved], things: Sequence[GroundedObject]) -> list[Moved]:
    """What was moved, where it is seen now: near where it should stand, of its size; of several, what is
    called most like it."""
    found: list[Moved] = []
    for now, before in moved:
        about = (t for t in things if distance_m(t.position_m, now.position_m) <= _ROLLED_M)
        near = [t for t in about if like_size(t, now) or (no_larger(t, now) and _stayed(t, now))]
        if near:
            called = set(words(now.label))
            best = min(
                near,
                key=lambda t: (-len(called & set(words(t.label))), distance_m(t.position_m, now.position_m)),
            )
            found.append((best, before))
    return found


def _stayed(thing: GroundedObject, known: GroundedObject) -> bool:
    """Whether a thing stands where it was left, or is called what was said of it: half hidden in a vessel, or
    over a plate, it is of another size."""
    called = bool(thing.label) and set(words(thing.label)) <= set(words(known.label))
    return called or distance_m(thing.position_m, known.position_m) <= _LEFT_M


def check_draft(draft: PlanDraft, words: str) -> None:
    """Raises AmbiguousError or NotUnderstoodError for a draft without steps."""
    if draft.question:
        raise AmbiguousError(draft.question, "answer the question")
    if draft.refusal:
        raise NotUnderstoodError(draft.refusal, "say it in other words, or ask for something else")
    if not draft.steps:
        raise NotUnderstoodError(
            f"the model made no plan of '{words}'", 'say what to do, for example "put the ball in the bowl"'
        )
