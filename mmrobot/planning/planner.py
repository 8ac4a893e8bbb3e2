"""The model's draft over phrases becomes steps over things in metres.

The planner keeps a picture of the table in mind: what the hand holds, and where things that the plan
has moved stand by then. So "the red cube on the blue one, the green cube on top of it" builds a tower.
It knows no model and no camera: `find` grounds a phrase, `seen` lists what is there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from mmrobot.config import Config
from mmrobot.errors import NotUnderstoodError, UnsafeError
from mmrobot.planning.filling import spot_with_company
from mmrobot.planning.places import goal_position
from mmrobot.planning.referents import box_iou, leaves_choice, the_one
from mmrobot.planning.skills import conditions, missing_arguments, skill_named
from mmrobot.planning.vessel import is_hollow
from mmrobot.types import DraftStep, GroundedObject, PlanDraft, PlanStep, Vector3

Find = Callable[[str], Sequence[GroundedObject]]

_PRONOUNS = frozenset({"it", "that", "this", "them", "that one", "this one"})
_SAME_BOX_IOU = 0.5
_SAME_PLACE_M = 0.015
_SIZE_TOLERANCE = 0.35


def same_thing(a: GroundedObject, b: GroundedObject) -> bool:
    """Whether two groundings in one picture are of one thing."""
    if box_iou(a.box_xyxy, b.box_xyxy) > _SAME_BOX_IOU:
        return True
    # A cup in the middle of a tray is another thing than the tray.
    return distance_m(a.position_m, b.position_m) < _SAME_PLACE_M and like_size(a, b)


def like_size(a: GroundedObject, b: GroundedObject) -> bool:
    """Whether two sizes agree within what depth noise and other sides to the camera do."""
    pairs = zip(sorted(a.size_m[:2]) + [a.size_m[2]], sorted(b.size_m[:2]) + [b.size_m[2]], strict=True)
    return all(abs(p - q) <= _SIZE_TOLERANCE * max(p, q) for p, q in pairs)


def distance_m(a: Vector3, b: Vector3) -> float:
    """Distance over the table, without height."""
    return ((a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2) ** 0.5


def no_larger(a: GroundedObject, b: GroundedObject) -> bool:
    """Whether `a` may be `b`, half hidden: no side of it is longer, but for depth noise."""
    pairs = zip(sorted(a.size_m[:2]) + [a.size_m[2]], sorted(b.size_m[:2]) + [b.size_m[2]], strict=True)
    return all(p <= (1 + _SIZE_TOLERANCE) * q for p, q in pairs)


class Planner:
    """Builds the steps of one plan; made anew for each."""

    def __init__(
        self, find: Find, things: Sequence[GroundedObject], config: Config, held: GroundedObject | None = None
    ) -> None:
        self._find = find
        self._config = config
        self._seen = tuple(things)  # by the model's own names
        self._original: list[GroundedObject] = list(things)  # as the picture shows them
        self._now: list[GroundedObject] = list(things)  # as they will be by then; same order
        self._held: int | None = None if held is None else self._index_of(held)
        self._last: int | None = self._held  # what "it" means

    def steps(self, draft: PlanDraft) -> tuple[PlanStep, ...]:
        """All steps of the draft.

        Raises NotUnderstoodError, TargetNotFoundError, AmbiguousError, UnsafeError, SkillUnknownError.
        """
        if not draft.steps:
            raise NotUnderstoodError(
                "the model made no plan of these words",
                'say what to do, for example "put the ball in the bowl"',
            )
        limit = self._config.planning.max_steps
        if len(draft.steps) > limit:
            raise UnsafeError(
                f"the plan has {len(draft.steps)} steps, at most {limit} are allowed",
                "ask for less at a time",
                rule="plan_length",
            )
        return tuple(
            self._step(i, step, company=_shares(step, draft.steps[i + 1 :]))
            for i, step in enumerate(draft.steps)
        )

    def _step(self, index: int, draft: DraftStep, company: bool = False) -> PlanStep:
        skill_named(draft.skill)
        arguments: dict[str, object] = {
            "target": draft.target,
            "relation": draft.relation,
            "reference": draft.reference,
            "text": draft.text,
        }
        missing = missing_arguments(draft.skill, arguments)
        if missing:
            raise NotUnderstoodError(
                f"step {index} ({draft.skill}) lacks its {' and '.join(missing)}", "say it in other words"
            )
        if draft.skill == "pick":
            return self._pick(index, draft)
        if draft.skill == "place":
            return self._place(index, draft, company)
        before, after = conditions(draft.skill)
        return PlanStep(
            index,
            draft.skill,
            text=draft.text,
            preconditions=before,
            postconditions=after,
            confidence=draft.confidence,
        )

    def _pick(self, index: int, draft: DraftStep) -> PlanStep:
        if self._held is not None:
            raise NotUnderstoodError(
                f"step {index} picks '{draft.target}' while the hand holds '{self._now[self._held].label}'",
                "have it put down first",
            )
        i = self._resolve(draft.target or "")
        target = self._now[i]
        self._held = i
        self._last = i if self._last is None else self._last
        before, after = conditions("pick", target.label)
        return PlanStep(
            index,
            "pick",
            target,
            obstacles=self._others(i),
            preconditions=before,
            postconditions=after,
            confidence=min(draft.confidence, target.score),
        )

    def _place(self, index: int, draft: DraftStep, company: bool) -> PlanStep:
        if self._held is None:
            raise NotUnderstoodError(
                f"step {index} places something, but the hand holds nothing then", "say what to pick up first"
            )
        i, relation = self._held, draft.relation or ""
        target = self._now[i]
        j = self._resolve(draft.reference or "")
        if i == j:
            raise NotUnderstoodError(
                f"'{target.label}' cannot be placed {relation.replace('_', ' ')} itself "
                f"('{draft.reference}' is the same thing)",
                "name another thing to put it to",
            )
        reference = self._now[j]
        others = self._others(i, j)
        wish = spot_with_company(target, reference) if company and is_hollow(reference) else None
        goal = goal_position(relation, target, reference, others, self._config, wish)
        x, y, z = goal
        self._now[i] = replace(
            target, position_m=(x, y, z + target.size_m[2] / 2), surface_z_m=z + target.size_m[2]
        )
        self._held, self._last = None, i
        before, after = conditions("place", target.label, relation, reference.label)
        return PlanStep(
            index,
            "place",
            target,
            relation,
            reference,
            goal,
            obstacles=others,
            preconditions=before,
            postconditions=after,
            confidence=min(draft.confidence, reference.score),
        )

    def _resolve(self, phrase: str) -> int:
        """The index of the thing that a phrase means."""
        if phrase.lower().strip() in _PRONOUNS and self._last is not None:
            return self._last
        candidates = list(self._find(phrase))
        if self._held is not None and (len(candidates) > 1 or leaves_choice(phrase)):
            # What is in the hand cannot be a second referent; alone, it is reported as the same thing.
            candidates = [
                c for c in candidates if not same_thing(c, self._original[self._held])
            ] or candidates
        names = [next((o.label for o in self._seen if same_thing(o, c)), "") for c in candidates]
        chosen = the_one(phrase, candidates, [o.label for o in self._original], names)
        return self._index_of(chosen)

    def _index_of(self, thing: GroundedObject) -> int:
        """Where a grounding stands in the lists; added when it is new. The phrase becomes its label."""
        matches = [i for i, o in enumerate(self._original) if same_thing(o, thing)]
        if not matches:
            self._original.append(thing)
            self._now.append(thing)
            return len(self._now) - 1
        i = max(matches, key=lambda k: box_iou(self._original[k].box_xyxy, thing.box_xyxy))
        moved = self._now[i].position_m != self._original[i].position_m
        # A thing not yet moved is better known by its own grounding than by the overview's.
        self._now[i] = replace(self._now[i], label=thing.label, score=thing.score) if moved else thing
        if not moved:
            self._original[i] = thing
        return i

    def _others(self, *indices: int) -> tuple[GroundedObject, ...]:
        return tuple(o for k, o in enumerate(self._now) if k not in indices and k != self._held)


def _shares(step: DraftStep, later: Sequence[DraftStep]) -> bool:
    """Whether a later step puts another thing to where this one puts its own."""
    return step.relation in ("in", "on") and any(
        s.skill == step.skill == "place" and (s.relation, s.reference) == (step.relation, step.reference)
        for s in later
    )
