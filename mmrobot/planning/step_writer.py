"""Single steps over things in metres: each is written down, and the table in mind changes by it."""

from __future__ import annotations

from collections.abc import Sequence

from mmrobot.config import Config
from mmrobot.errors import NotUnderstoodError
from mmrobot.planning.bans import banned_marks, check_ban, widened
from mmrobot.planning.filling import spot_with_company
from mmrobot.planning.places import goal_position
from mmrobot.planning.pushing import NEAR, push_goal
from mmrobot.planning.skills import conditions
from mmrobot.planning.table import Table
from mmrobot.planning.table_top import free_spot, table_top
from mmrobot.planning.vessel import is_hollow
from mmrobot.types import DraftStep, GroundedObject, PlanStep, Vector3


class StepWriter:
    """Writes the steps of one plan; `banned` are things that no step may touch."""

    def __init__(self, table: Table, config: Config, seen_ns: int = 0) -> None:
        """`seen_ns` is the stamp of the picture that the plan rests on."""
        self.table, self.config, self.seen_ns = table, config, seen_ns
        self.banned: list[int] = []
        self.steps: list[PlanStep] = []

    def pick(self, i: int, confidence: float) -> None:
        """The hand takes thing `i`."""
        table, target = self.table, self.table.now[i]
        first = all(s.skill != "place" for s in self.steps)
        table.held = i
        # While nothing has been put anywhere, "it" is what this plan takes.
        table.last = i if first or table.last is None else table.last
        self.add("pick", target, confidence=min(confidence, target.score), skip=(i,))

    def place(
        self, relation: str, j: int, confidence: float, company: bool = False, phrase: str | None = None
    ) -> None:
        """What the hand holds goes to thing `j`, which others join later when in `company`."""
        table = self.table
        i = table.held
        assert i is not None
        target, reference = table.now[i], table.now[j]
        if i == j:
            raise NotUnderstoodError(
                f"'{target.label}' cannot be placed {relation.replace('_', ' ')} itself "
                f"('{phrase or reference.label}' is the same thing)",
                "name another thing to put it to",
            )
        wish = spot_with_company(target, reference) if company and is_hollow(reference) else None
        goal = goal_position(relation, target, reference, self.around(i, j), self.config, wish)
        self.put(relation, reference, goal, min(confidence, reference.score), (i, j))

    def push(self, draft: DraftStep) -> None:
        """A thing goes some way over the table, or near to another."""
        table, relation = self.table, draft.relation or ""
        i = table.one(draft.target or "")
        j = table.one(draft.reference) if relation == NEAR and draft.reference else None
        if i == j:
            raise NotUnderstoodError(
                f"'{draft.target}' cannot be pushed to itself", "name another thing to push it to"
            )
        target, reference = table.now[i], None if j is None else table.now[j]
        but = (i,) if j is None else (i, j)
        goal = push_goal(relation, target, reference, self.around(*but), self.config)
        self.add(
            "push", target, relation, reference, goal,
            confidence=min(draft.confidence, target.score), skip=but,
        )  # fmt: skip
        table.move(i, goal)
        table.last = i

    def set_down(
        self, wish: tuple[float, float] | None, confidence: float, expected: Sequence[GroundedObject] = ()
    ) -> None:
        """Onto the table: to `wish`, or near to where it was taken from, out of the way of what is
        `expected`."""
        i = self.table.held
        assert i is not None
        target = self.table.now[i]
        goal = free_spot(target, (*self.around(i), *expected), self.config, wish)
        # The table is seen with all that stands on it; what is in the hand may have been seen long before.
        seen_ns = max(self.seen_ns, *(o.stamp_ns for o in self.table.original))
        self.put("on", table_top(self.config, seen_ns), goal, confidence, (i,))

    def put(
        self,
        relation: str,
        reference: GroundedObject,
        goal: Vector3,
        confidence: float,
        skip: tuple[int, ...],
    ) -> None:
        """What the hand holds comes to rest on `goal`; `skip` are things that are no obstacle."""
        i = self.table.held
        assert i is not None
        target = self.table.now[i]
        self.table.move(i, goal)
        self.table.held, self.table.last = None, i
        self.add("place", target, relation, reference, goal, confidence=confidence, skip=skip)

    def around(self, *but: int) -> tuple[GroundedObject, ...]:
        """What else is there, forbidden things with their room around them."""
        table, room = self.table, self.config.planning.avoid_clearance_m
        wide = [widened(o, room) if k in self.banned else o for k, o in enumerate(table.now)]
        return tuple(o for k, o in enumerate(wide) if k not in but and k != table.held)

    def add(
        self,
        skill: str,
        target: GroundedObject | None = None,
        relation: str | None = None,
        reference: GroundedObject | None = None,
        goal: Vector3 | None = None,
        *,
        text: str | None = None,
        confidence: float,
        skip: tuple[int, ...] = (),
    ) -> None:
        """One more step, with what stands around, and with what may not be touched. Raises UnsafeError."""
        before, after = conditions(
            skill, target.label if target else "it", relation or "", reference.label if reference else ""
        )
        banned = [self.table.now[k] for k in self.banned]
        step = PlanStep(
            len(self.steps),
            skill,
            target,
            relation,
            reference,
            goal,
            text,
            self.around(*skip) if target is not None else (),
            before,
            (*after, *banned_marks(banned)) if target is not None else after,
            confidence,
        )
        check_ban(step)
        self.steps.append(step)
