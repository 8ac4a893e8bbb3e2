"""A person's changes to a plan that waits: steps dropped or put in another order, things changed.

The changed steps become a draft that the planner makes a plan of anew, so that an edited plan is held to
everything that any plan is held to. What was not changed stays bound to the very things of the old plan.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from mmrobot.errors import NotUnderstoodError
from mmrobot.planning.bans import banned
from mmrobot.planning.pins import Pins, Spot
from mmrobot.planning.referents import distinct_names
from mmrobot.planning.table import same_thing
from mmrobot.planning.table_top import TABLE
from mmrobot.types import ActionPlan, DraftStep, GroundedObject, PlanDraft, PlanStep, Vector3

Part = Literal["target", "reference"]


@dataclass(frozen=True)
class Change:
    """The thing of a step is another one: that of a `phrase`, or `thing` itself where it was pointed at."""

    step: int
    part: Part
    phrase: str = ""
    thing: GroundedObject | None = None

    def __post_init__(self) -> None:
        if self.part not in ("target", "reference"):
            raise ValueError(f"part must be target or reference, got '{self.part}'")
        if not self.phrase.strip() and self.thing is None:
            raise ValueError(f"the change of step {self.step} names no other {self.part}")


def edited(
    plan: ActionPlan, keep: Sequence[int] = (), changes: Sequence[Change] = ()
) -> tuple[PlanDraft, Pins]:
    """The draft of the changed plan, and what its phrases are bound to.

    `keep` holds the indices of the steps wanted, in their order; empty: all, as they are. A place whose pick
    is left out goes with it. Raises NotUnderstoodError for steps that the plan lacks, twice the same one,
    nothing left, or a change of what a step has not.
    """
    order = _order(plan, keep)
    names = _Names(plan, [c.thing for c in changes if c.thing is not None])
    wanted: dict[tuple[int, str], str | None] = {}
    for change in changes:
        _check(plan, change)
        phrase = change.phrase.strip() if change.thing is None else names.of(change.thing)
        wanted[change.step, change.part] = phrase
    steps = [
        DraftStep(
            step.skill,
            # What is placed is what the hand holds.
            None if step.skill == "place" else wanted.get((i, "target"), names.of(step.target)),
            step.relation,
            wanted.get((i, "reference"), names.of(step.reference, step.goal_position_m)),
            step.text,
            step.confidence,
        )
        for i, step in ((i, plan.steps[i]) for i in order)
    ]
    kept_off = dict.fromkeys(names.of(b) for s in plan.steps for b in banned(s))
    bans = [DraftStep("avoid", target=name) for name in kept_off]
    return PlanDraft((*bans, *steps)), names.pins()


class _Names:
    """A phrase for each thing and spot of a plan, each its own."""

    def __init__(self, plan: ActionPlan, others: Sequence[GroundedObject]) -> None:
        # As first told of: an earlier step may move what a later one is about.
        self._things: list[GroundedObject] = []
        for step in plan.steps:
            for thing in (step.target, step.reference, *banned(step)):
                if thing is not None and thing.label != TABLE and self._index(thing) is None:
                    self._things.append(thing)
        self._things += [o for o in others if self._index(o) is None]
        self._names = distinct_names(self._things)
        self._spots: dict[str, Spot] = {}

    def of(self, thing: GroundedObject | None, goal: Vector3 | None = None) -> str | None:
        if thing is None:
            return None
        if thing.label == TABLE and goal is not None:
            name = f"{TABLE}, spot {len(self._spots) + 1}"
            self._spots[name] = goal[:2]
            return name
        i = self._index(thing)
        assert i is not None, "every thing of the plan has a name"
        return self._names[i]

    def _index(self, thing: GroundedObject) -> int | None:
        # One picture: boxes tell things apart, also those that an earlier step will have moved.
        same = (i for i, t in enumerate(self._things) if t.box_xyxy == thing.box_xyxy or same_thing(t, thing))
        return next(same, None)

    def pins(self) -> Pins:
        return Pins(dict(zip(self._names, self._things, strict=True)), self._spots)


def _order(plan: ActionPlan, keep: Sequence[int]) -> list[int]:
    order = list(keep) or list(range(len(plan.steps)))
    unknown = [i for i in order if not 0 <= i < len(plan.steps)]
    if unknown:
        raise NotUnderstoodError(
            f"the plan has {len(plan.steps)} steps, and none of index {unknown[0]}",
            "name steps of the plan that waits",
        )
    if len(set(order)) != len(order):
        raise NotUnderstoodError(f"steps {order} name one twice", "name each step once")
    kept = [i for i in order if _pick_of(plan.steps, i) in (None, *order)]
    if not kept:
        raise NotUnderstoodError("no step is left", "reject the plan instead")
    return kept


def _pick_of(steps: Sequence[PlanStep], i: int) -> int | None:
    """The step that takes what step `i` places; None for other steps, or what the hand held already."""
    if steps[i].skill != "place":
        return None
    return next((k for k in range(i - 1, -1, -1) if steps[k].skill == "pick"), None)


def _check(plan: ActionPlan, change: Change) -> None:
    if not 0 <= change.step < len(plan.steps):
        raise NotUnderstoodError(
            f"the plan has {len(plan.steps)} steps, and none of index {change.step}",
            "name a step of the plan that waits",
        )
    step = plan.steps[change.step]
    if getattr(step, change.part) is None:
        raise NotUnderstoodError(
            f"step {change.step} ({step.summary}) has no {change.part}", "change what the step has"
        )
    if step.skill == "place" and change.part == "target":
        raise NotUnderstoodError(
            f"step {change.step} places what was picked before", "change the target of that pick"
        )
