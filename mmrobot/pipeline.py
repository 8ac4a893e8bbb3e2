"""The whole way on one page: words and pixels in, a checked plan in metres out. No ROS.

    words -> cleaned -> the model's draft -> each phrase grounded -> lifted into metres -> steps -> gate

`Pipeline.plan` does so once an instruction; `Pipeline.locate` looks again before contact.
"""

from __future__ import annotations

import math
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

import numpy as np

from mmrobot.command.text import clean_instruction
from mmrobot.config import Config
from mmrobot.errors import (
    AmbiguousError,
    NoDepthError,
    NotUnderstoodError,
    OperationUnsupportedError,
    TargetNotFoundError,
    TransformUnavailableError,
)
from mmrobot.grounding.height import height_at
from mmrobot.grounding.lifting import FrameLifter
from mmrobot.grounding.monocular import MonocularLifter
from mmrobot.planning.bans import banned, widened
from mmrobot.planning.footprint import footprint_of
from mmrobot.planning.identity import seen_in_place, stands_anew
from mmrobot.planning.places import goal_position
from mmrobot.planning.planner import Moved, Planner, distance_m, like_size, same_thing
from mmrobot.planning.pushing import is_push, push_goal
from mmrobot.planning.referents import describe_places, not_found, present
from mmrobot.planning.skills import BLOCKED, VERIFY
from mmrobot.planning.table_top import TABLE, free_spot, table_top
from mmrobot.safety.gate import SafetyGate
from mmrobot.types import ActionPlan, GroundedObject, PlanDraft, PlanStep, RgbdFrame, ScoredBox, Vector3
from mmrobot.vlm.change_gate import ChangeGate
from mmrobot.vlm.interface import VisionLanguageModel

# One picture's geometry is worked out once, with the boxes of all that is seen, since things may touch;
# then boxes of it become things.
Lift = Callable[[ScoredBox], GroundedObject]
Lifter = Callable[[RgbdFrame, Sequence[ScoredBox]], Lift]

# What was pushed may have rolled on, or have been left behind, by so much.
_PUSHED_M = 0.12
# What was put down may have rolled or slid this far.
_ROLLED_M = 0.06
# Surfaces this near to the height that is expected may be it.
_SAME_HEIGHT_M = 0.010


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
        limits = self.config.grounding
        self._geometry: FrameLifter | MonocularLifter | None = None
        self._still = ChangeGate(limits.reuse_max_age_s) if limits.reuse_unchanged else None

    def plan(
        self,
        frame: RgbdFrame,
        instruction: str | bytes,
        dialogue: Sequence[str] = (),
        held: GroundedObject | None = None,
        now_ns: int | None = None,
        draft: PlanDraft | None = None,
        moved: Sequence[Moved] = (),
    ) -> ActionPlan:
        """A checked plan for an instruction, with `timings_ms` per stage; of `draft`, where there is one.

        `moved` are things that earlier plans moved, as they should stand now and as they stood before, the
        last one last: what "it" and "back" mean.

        `held` is what the hand holds already; `now_ns` the present ROS time (default: the picture's
        stamp), against which ages are judged. Raises errors of mmrobot/errors.py: the words are no
        instruction, the model has no plan or asks, a phrase names nothing or several things, the
        gate refuses.
        """
        timings: dict[str, float] = {}
        with _timed(timings, "words"):
            words = clean_instruction(instruction)
            self._check_frame(frame)
        with _timed(timings, "change"):
            frame = self._steady(frame, held)
        with _timed(timings, "plan"):
            draft = draft or self.draft(frame, words, dialogue)
            _check_draft(draft, words)
        with _timed(timings, "describe"):
            boxes = self._describe(frame)
        with _timed(timings, "geometry"):
            lift = self._lifter(frame, boxes)
            things = self._things(lift, boxes)
        within: dict[str, float] = {}
        seen = _seen_again(moved, things)
        planner = Planner(
            lambda phrase: self._find(frame, lift, phrase, within),
            things,
            self.config,
            held,
            recent=seen[-1][0] if seen else None,
            moved=seen,
            holds=lambda claim: self.vlm.verify(frame.rgb, claim),
        )
        with _timed(timings, "steps"):
            steps = planner.steps(draft)
        timings["steps"] -= sum(within.values())
        timings |= within
        plan = ActionPlan(
            plan_id=uuid.uuid4().hex,
            instruction=words,
            steps=steps,
            stamp_ns=frame.stamp_ns,
            model=self.vlm.name,
            confidence=min([draft.confidence, *(s.confidence for s in steps)]),
        )
        with _timed(timings, "gate"):
            self.gate.check_plan(plan, frame.stamp_ns if now_ns is None else now_ns, held)
        timings["total"] = sum(timings.values())
        return replace(plan, timings_ms=timings)

    def draft(self, frame: RgbdFrame, words: str, dialogue: Sequence[str] = ()) -> PlanDraft:
        """The model's steps for an instruction, over phrases; with none where it asks for no move."""
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
        return tuple(self._find(frame, self._lifter(frame, self._describe(frame)), clean_instruction(phrase)))

    def overview(self, frame: RgbdFrame) -> tuple[GroundedObject, ...]:
        """Every thing in view that lies on or near the work area; those without depth are left out."""
        self._check_frame(frame)
        boxes = self._describe(frame)
        return self._things(self._lifter(frame, boxes), boxes)

    def still_seen(self, frame: RgbdFrame, moved: Sequence[Moved]) -> bool:
        """Whether the last of what earlier plans moved stands about where they left it."""
        return bool(moved) and bool(_seen_again(moved[-1:], self.overview(frame)))

    def locate(self, frame: RgbdFrame, step: PlanStep, held: GroundedObject | None = None) -> PlanStep:
        """The step with its things where they are now.

        `held` is what the hand holds: it is no candidate. Raises TargetNotFoundError or AmbiguousError
        when the thing vanished or cannot be told apart, UnsafeError when the new goal has no room.
        """
        self._check_frame(frame)
        frame = self._steady(frame, held)
        boxes = self._describe(frame)
        lift = self._lifter(frame, boxes)
        things = self._things(lift, boxes)
        if step.skill == VERIFY and step.target is not None:
            target = self._where_put(frame, lift, step, things)
            reference = self._still_known(frame, lift, step.reference, things)
            return replace(step, target=target, reference=reference, obstacles=_without(things, target))
        if step.skill == "pick" and step.target is not None:
            target = self._again(frame, lift, step.target, things)
            return replace(step, target=target, obstacles=self._around(frame, lift, step, things, target))
        if step.skill == "push" and step.target is not None:
            return self._locate_push(frame, lift, step, step.target, things)
        if step.skill == "place" and step.reference is not None and step.target is not None:
            if step.reference.label == TABLE:
                others = self._around(frame, lift, step, things)
                wish = None if step.goal_position_m is None else step.goal_position_m[:2]
                goal = free_spot(step.target, others, self.config, wish)
                top = table_top(self.config, frame.stamp_ns)
                return replace(step, reference=top, goal_position_m=goal, obstacles=others)
            reference = _surer(self._again(frame, lift, step.reference, things), step.reference)
            others = self._around(frame, lift, step, things, reference)
            wish = _moved_along(step, reference)
            goal = goal_position(step.relation or "", step.target, reference, others, self.config, wish)
            return replace(step, reference=reference, goal_position_m=goal, obstacles=others)
        return step

    def _locate_push(
        self, frame: RgbdFrame, lift: Lift, step: PlanStep, known: GroundedObject,
        things: Sequence[GroundedObject],
    ) -> PlanStep:  # fmt: skip
        target = self._again(frame, lift, known, things)
        reference = None if step.reference is None else self._again(frame, lift, step.reference, things)
        others = tuple(
            o for o in self._around(frame, lift, step, things, target)
            if reference is None or not same_thing(o, reference)
        )  # fmt: skip
        goal = push_goal(step.relation or "", target, reference, others, self.config)
        return replace(step, target=target, reference=reference, goal_position_m=goal, obstacles=others)

    def _around(
        self,
        frame: RgbdFrame,
        lift: Lift,
        step: PlanStep,
        things: Sequence[GroundedObject],
        but: GroundedObject | None = None,
    ) -> tuple[GroundedObject, ...]:
        """What else is there, what must not be touched with its room. Raises TargetNotFoundError or
        AmbiguousError where such a thing cannot be told any more."""
        others = list(things if but is None else _without(things, but))
        for known in banned(step):
            it = self._again(frame, lift, known, things)
            others = [o for o in others if not same_thing(o, it)]
            others.append(widened(it, self.config.planning.avoid_clearance_m))
        return (*others, *(o for o in step.obstacles if o.label == BLOCKED))

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

    def _describe(self, frame: RgbdFrame) -> tuple[ScoredBox, ...]:
        return self.vlm.describe(frame.rgb) if "describe" in self.vlm.operations else ()

    def _things(self, lift: Lift, boxes: Sequence[ScoredBox]) -> tuple[GroundedObject, ...]:
        things: list[GroundedObject] = []
        for box in boxes:
            try:
                things.append(lift(box))
            except NoDepthError:
                continue  # not a target, only an obstacle that cannot be placed in space
        return tuple(t for t in things if self._in_reach(t.position_m))

    def _find(
        self, frame: RgbdFrame, lift: Lift, phrase: str, timings: dict[str, float] | None = None
    ) -> list[GroundedObject]:
        """What a phrase names, lifted, on or near the work area; best first.

        Raises NoDepthError when it names something and nothing of that can be located.
        """
        timings = {} if timings is None else timings
        with _timed(timings, "ground"):
            boxes = present(self.vlm.ground(frame.rgb, phrase), self.config.grounding)
        things: list[GroundedObject] = []
        failure: NoDepthError | None = None
        with _timed(timings, "lift"):
            for box in boxes:
                try:
                    things.append(replace(lift(box), label=phrase))
                except NoDepthError as error:
                    failure = error
        if failure is not None and not things:
            raise failure
        return [t for t in things if self._in_reach(t.position_m)]

    def _again(
        self,
        frame: RgbdFrame,
        lift: Lift,
        known: GroundedObject,
        things: Sequence[GroundedObject],
    ) -> GroundedObject:
        """A known thing in a new picture.

        The phrase is grounded anew. Who answers to it and stands where the thing was is it; else the
        only one who answers, wherever it stands now. A phrase may fit no longer because of what the
        plan did ("the leftmost cube"): then a thing of its size in its place is it.
        """
        limits = self.config.grounding
        found = self._find(frame, lift, known.label)
        near = [f for f in found if distance_m(f.position_m, known.position_m) <= limits.same_place_m]
        if near:
            return min(near, key=lambda f: distance_m(f.position_m, known.position_m))
        staying = [
            t
            for t in things
            if distance_m(t.position_m, known.position_m) <= limits.same_place_m and like_size(t, known)
        ]
        if staying and not found:
            best = min(staying, key=lambda t: distance_m(t.position_m, known.position_m))
            return replace(best, label=known.label, score=max(best.score, limits.threshold))
        if len(found) == 1:
            return found[0]
        if not found:
            raise not_found(known.label, [t.label for t in things])
        described = describe_places(known.label, found)
        raise AmbiguousError(
            f"'{known.label}' has gone from where it was, and {len(found)} things fit: "
            f"{'; '.join(described)}",
            "say which one is meant",
            candidates=described,
        )

    def _where_put(
        self, frame: RgbdFrame, lift: Lift, step: PlanStep, things: Sequence[GroundedObject]
    ) -> GroundedObject:
        """What was put down, seen again: here the place counts before the phrase, which may fit another
        by now; but what alone answers to it, where nothing stood before, is it. Where the model sees
        nothing, depth may tell that something as high as it stands there, or that something lies over it.
        """
        known, limits = step.target, self.config.grounding
        assert known is not None
        answers = self._find(frame, lift, known.label)
        near = [f for f in answers if distance_m(f.position_m, known.position_m) <= limits.same_place_m]
        if near:
            return min(near, key=lambda f: distance_m(f.position_m, known.position_m))
        reach_m = _PUSHED_M if is_push(step) else limits.same_place_m
        beside = [*step.obstacles, *([step.reference] if step.reference is not None else [])]
        if len(answers) == 1 and stands_anew(answers[0], beside):
            return answers[0]
        staying = seen_in_place(known, beside, things, reach_m)
        if staying is not None:
            return replace(staying, label=known.label, score=max(staying.score, limits.threshold))
        x, y, _ = known.position_m
        top_m = height_at(frame, (x, y, known.top_z_m), min(known.size_m[:2]) / 4)
        over_m = -math.inf if top_m is None else top_m - known.top_z_m
        covered = over_m > 0 and any(footprint_of(t).covers(x, y) for t in things)
        if abs(over_m) < _SAME_HEIGHT_M or covered:
            return replace(known, score=limits.threshold, stamp_ns=frame.stamp_ns)
        return self._again(frame, lift, known, things)

    def _still_known(
        self, frame: RgbdFrame, lift: Lift, known: GroundedObject | None, things: Sequence[GroundedObject]
    ) -> GroundedObject | None:
        """A reference in a new picture; as it was known where it is hidden, or cannot be told apart."""
        if known is None or known.label == TABLE:
            return known
        try:
            return _surer(self._again(frame, lift, known, things), known)
        except (TargetNotFoundError, AmbiguousError, NoDepthError):
            return known

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

    def _in_reach(self, position_m: Vector3) -> bool:
        margin = self.config.grounding.outside_margin_m
        return self.config.work_area.contains(position_m[0], position_m[1], margin)


def _without(things: Sequence[GroundedObject], thing: GroundedObject) -> tuple[GroundedObject, ...]:
    return tuple(t for t in things if not same_thing(t, thing))


def _surer(seen: GroundedObject, known: GroundedObject) -> GroundedObject:
    """A thing half hidden by what was put on it keeps the measures it was known by."""
    doubtful = np.trace(seen.covariance) > np.trace(known.covariance) and not like_size(seen, known)
    if not doubtful or distance_m(seen.position_m, known.position_m) > max(known.size_m[:2]):
        return seen
    return replace(known, box_xyxy=seen.box_xyxy, score=seen.score, stamp_ns=seen.stamp_ns)


def _seen_again(moved: Sequence[Moved], things: Sequence[GroundedObject]) -> list[Moved]:
    """What was moved, where it is seen now: near where it should stand, of its size."""
    found: list[Moved] = []
    for now, before in moved:
        about = (t for t in things if distance_m(t.position_m, now.position_m) <= _ROLLED_M)
        near = [t for t in about if like_size(t, now)]
        if near:
            best = min(near, key=lambda t: distance_m(t.position_m, now.position_m))
            found.append((best, before))
    return found


def _moved_along(step: PlanStep, reference: GroundedObject) -> tuple[float, float] | None:
    """The planned goal, where the reference has taken it: the plan knew what else is to come there."""
    if step.goal_position_m is None or step.reference is None:
        return None
    was, now = step.reference.position_m, reference.position_m
    return (step.goal_position_m[0] + now[0] - was[0], step.goal_position_m[1] + now[1] - was[1])


def _check_draft(draft: PlanDraft, words: str) -> None:
    if draft.question:
        raise AmbiguousError(draft.question, "answer the question")
    if draft.refusal:
        raise NotUnderstoodError(draft.refusal, "say it in other words, or ask for something else")
    if not draft.steps:
        raise NotUnderstoodError(
            f"the model made no plan of '{words}'", 'say what to do, for example "put the ball in the bowl"'
        )


@contextmanager
def _timed(timings: dict[str, float], stage: str) -> Iterator[None]:
    """Adds the wall time of its body to a stage, milliseconds."""
    begin = time.perf_counter()
    try:
        yield
    finally:
        timings[stage] = timings.get(stage, 0.0) + (time.perf_counter() - begin) * 1000
