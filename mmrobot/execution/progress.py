"""How far a plan is: what is still to be done, what was done, and how often it was tried."""

from __future__ import annotations

from collections import deque
from dataclasses import replace

from mmrobot.execution.outcome import Done, Problem, report
from mmrobot.planning.skills import BLOCKED
from mmrobot.planning.table import distance_m
from mmrobot.types import ActionPlan, GroundedObject, PlanStep

_SAME_SPOT_M = 0.03


class Progress:
    """Of one plan. `index` is the step under way; `placed` what was put or pushed somewhere and is meant to
    be there still; `sure` the one of it that was seen there last, with nothing moved since."""

    def __init__(self, plan: ActionPlan) -> None:
        self.plan, self.index = plan, 0
        self.placed: list[Done] = []
        self.problems: list[tuple[Done, Problem]] = []
        self.sure: Done | None = None
        self.repairs = 0
        self._agenda = deque(range(len(plan.steps)))
        self._tries: dict[int, int] = {}
        self._origins: dict[int, GroundedObject] = {}  # what each pick took, as it stood
        self._strayed: dict[int, GroundedObject] = {}  # for picks: the thing where it was seen since
        self._blocked: tuple[GroundedObject, ...] = ()

    def advance(self) -> bool:
        """On to the next step; False when none is left."""
        if not self._agenda:
            return False
        self.index = self._agenda.popleft()
        return True

    def step(self, held: GroundedObject | None) -> PlanStep:
        """The step under way as it is known by now: what is held is what was grasped, not what was planned;
        what has strayed is where it was seen; spots that the hand found no way to are taken."""
        step = self.plan.steps[self.index]
        if step.skill == "place":
            return replace(step, target=held or step.target, obstacles=(*step.obstacles, *self._blocked))
        return replace(step, target=self._strayed.get(self.index, step.target))

    def took(self, thing: GroundedObject) -> None:
        """A pick has taken a thing: whatever put it there is undone."""
        self._origins[self.index] = thing
        self.placed = [d for d in self.placed if not _takes(thing, d.step)]
        self._blocked = ()

    def origin(self) -> GroundedObject | None:
        """What is put down, as it stood before it was picked."""
        picked = [i for i in self._origins if i < self.index]
        return self._origins[max(picked)] if picked else None

    def put(self, done: Done) -> None:
        """Something was put or pushed, and seen there."""
        self.sure, self._blocked = done, ()
        self.placed.append(done)

    def try_number(self, allowed: int) -> int | None:
        """The number of one more try of the present step, from 2; None when `allowed` more are used up."""
        used = self._tries.get(self.index, 0)
        return None if used >= allowed else used + 2

    def again(self, seen: GroundedObject | None = None) -> None:
        """The present step once more, from the pick of what it moves; `seen` is where that lies now."""
        start = self.index if self.plan.steps[self.index].skill == "push" else self.pick_of(self.index)
        assert start is not None
        if seen is not None:
            self._strayed[start] = seen
        self._tries[self.index] = self._tries.get(self.index, 0) + 1
        self._agenda.extendleft(sorted({start, self.index}, reverse=True))
        self.problems = []

    def elsewhere(self, held: GroundedObject, spot_m: tuple[float, float, float]) -> None:
        """The present place once more, at another spot."""
        x, y, z = spot_m
        taken = replace(held, label=BLOCKED, position_m=(x, y, z + held.size_m[2] / 2))
        self._blocked = (*self._blocked, taken)
        self._tries[self.index] = self._tries.get(self.index, 0) + 1
        self._agenda.appendleft(self.index)

    def pick_of(self, index: int) -> int | None:
        """The pick that filled the hand for a step."""
        return next((i for i in range(index, -1, -1) if self.plan.steps[i].skill == "pick"), None)

    def can_try(self) -> bool:
        """Whether the present step can be tried again at all: it has its pick in this plan, or is a push."""
        return self.plan.steps[self.index].skill == "push" or self.pick_of(self.index) is not None

    def to_check(self) -> deque[Done]:
        """What is to be looked at once more at the end."""
        self.problems = []
        return deque(d for d in self.placed if d is not self.sure and d.step.skill == "place")

    def repair(self) -> bool:
        """Puts what has a problem on the agenda again; False, and nothing, where one of them cannot be."""
        steps = [(self.pick_of(d.step.index), d, p) for d, p in self.problems]
        if any(pick is None or problem.seen is None for pick, _, problem in steps):
            return False
        self.repairs += 1
        for pick, done, problem in steps:
            assert pick is not None and problem.seen is not None
            self._strayed[pick] = problem.seen
            self._agenda += (pick, done.step.index)
            self.placed.remove(done)
        self.index, self.problems = self.problems[0][0].step.index, []
        return True

    def report(self, held: str = "") -> str:
        """What was done and what was not, in words; "" for nothing."""
        return report(self.placed, self.problems, held)


def _takes(target: GroundedObject, step: PlanStep) -> bool:
    """Whether a pick of `target` undoes what a step did: it takes the thing, or what it was put to."""
    for thing, spot in ((step.target, step.goal_position_m), (step.reference, None)):
        if thing is None:
            continue
        x, y, bottom = spot or (*thing.position_m[:2], thing.bottom_z_m)
        level = abs(target.bottom_z_m - bottom) < target.size_m[2] / 2
        if level and distance_m(target.position_m, (x, y, bottom)) < _SAME_SPOT_M:
            return True
    return False
