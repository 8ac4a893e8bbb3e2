"""The model's draft over phrases becomes steps over things in metres.

The planner keeps a picture of the table in mind (table.py): what the hand holds, and where things that the
plan has moved stand by then. So "the red cube on the blue one, the green cube on top of it" builds a tower.
Sets, swaps, conditions and bans become picks and places here; a robot needs no other skill for them.
It knows no model and no camera: `find` grounds a phrase, `things` are what is there, `holds` judges a claim.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from mmrobot.config import Config
from mmrobot.errors import AmbiguousError, NotUnderstoodError, OperationUnsupportedError, UnsafeError
from mmrobot.planning.filling import contents_of
from mmrobot.planning.held_last import held_last
from mmrobot.planning.pyramid import pyramid
from mmrobot.planning.sets import moves_of, rests
from mmrobot.planning.skills import missing_arguments, skill_named
from mmrobot.planning.step_writer import StepWriter
from mmrobot.planning.table import Find, Table, distance_m, like_size, same_thing
from mmrobot.planning.table_top import is_table, table_top
from mmrobot.planning.vessel import is_hollow
from mmrobot.types import DraftStep, GroundedObject, PlanDraft, PlanStep

__all__ = ["Find", "Moved", "Planner", "distance_m", "like_size", "same_thing"]

Moved = tuple[GroundedObject, GroundedObject]
"""A thing as it is now, and as it was before it was moved."""
_ON_TABLE_M = 0.02
# Nearer to its old place than this, a thing is back.
_ELSEWHERE_M = 0.03


class Planner:
    """Builds the steps of one plan; made anew for each."""

    def __init__(
        self,
        find: Find,
        things: Sequence[GroundedObject],
        config: Config,
        held: GroundedObject | None = None,
        *,
        recent: GroundedObject | None = None,
        moved: Sequence[Moved] = (),
        holds: Callable[[str], float] | None = None,
        spot: Callable[[str], tuple[float, float] | None] = lambda _: None,
        seen_ns: int = 0,
    ) -> None:
        """`recent` is what was spoken of last, `moved` what was moved before, `holds` the probability of a
        claim, `spot` where on the table a phrase is, if that is known, `seen_ns` the picture's stamp."""
        self._table = Table(find, things, held, recent)
        self._held_at_first = self._table.held
        self._config = config
        self._holds = holds
        self._moved = moved
        self._spot = spot
        self._write = StepWriter(self._table, config, seen_ns)

    def steps(self, draft: PlanDraft) -> tuple[PlanStep, ...]:
        """All steps of the draft.

        Raises NotUnderstoodError, TargetNotFoundError, AmbiguousError, UnsafeError, SkillUnknownError.
        """
        if not draft.steps:
            raise NotUnderstoodError(
                "the model made no plan of these words",
                'say what to do, for example "put the ball in the bowl"',
            )
        self._write.banned = [
            i for s in draft.steps if s.skill == "avoid" for i in self._table.all(s.target or "")
        ]
        self._do(held_last(draft.steps))
        if not self._write.steps:
            self._write.add(
                "say", text="there is nothing to be done: all is so already", confidence=draft.confidence
            )
        limit = self._config.planning.max_steps
        if len(self._write.steps) > limit:
            raise UnsafeError(
                f"the plan has {len(self._write.steps)} steps, at most {limit} are allowed",
                "ask for less at a time",
                rule="plan_length",
            )
        return tuple(self._write.steps)

    def _do(self, steps: Sequence[DraftStep]) -> None:
        """Each step in turn, with what belongs to it."""
        i = 0
        while i < len(steps):
            step, later = steps[i], steps[i + 1 :]
            i += 1
            if step.skill == "each":
                self._each(step, later)
                i += 1
            elif step.skill == "if":
                self._do(self._branch(step))
            elif step.skill == "swap":
                self._swap(step)
            elif step.skill == "pyramid":
                self._pyramid(step)
            elif step.skill == "put_back":
                self._put_back(step)
            elif step.skill == "resume":
                self._resume(step.then)
            elif step.skill != "avoid":
                self._step(step, later)

    # -- what is said of one thing -----------------------------------------------------------------

    def _step(self, draft: DraftStep, later: Sequence[DraftStep]) -> None:
        index = len(self._write.steps)
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
            self._check_empty(draft.target or "")
            self._write.pick(self._table.one(draft.target or ""), draft.confidence)
        elif draft.skill == "place":
            self._check_full()
            spot = self._spot(draft.reference or "")
            if spot is not None or (draft.relation in ("on", "in") and is_table(draft.reference or "")):
                self._write.set_down(spot, draft.confidence)
            else:
                j = self._table.one(draft.reference or "")
                self._write.place(
                    draft.relation or "", j, draft.confidence, _shares(draft, later), draft.reference
                )
        elif draft.skill == "push":
            self._check_empty(draft.target or "")
            self._write.push(draft)
        else:
            self._write.add(draft.skill, text=draft.text, confidence=draft.confidence)

    def _check_empty(self, phrase: str) -> None:
        held = self._table.held
        if held is not None:
            name = self._table.now[held].label
            raise NotUnderstoodError(
                f"step {len(self._write.steps)} picks '{phrase}' while the hand holds '{name}'",
                "have it put down first",
            )

    def _check_full(self) -> None:
        if self._table.held is None:
            raise NotUnderstoodError(
                f"step {len(self._write.steps)} places something, but the hand holds nothing then",
                "say what to pick up first",
            )

    # -- what becomes several of them --------------------------------------------------------------

    def _each(self, each: DraftStep, later: Sequence[DraftStep]) -> None:
        if not later or later[0].skill != "place":
            raise NotUnderstoodError(
                f"the hand holds one thing at a time: nothing is said of where '{each.target}' go",
                "say where to put them",
            )
        self._check_empty(each.target or "")
        place = later[0]
        if is_table(place.reference or ""):
            for i in self._table.all(each.target or ""):
                self._write.pick(i, each.confidence)
                self._write.set_down(None, place.confidence)
            return
        moves = moves_of(each, place, self._table)
        for i, j in moves:
            self._write.pick(i, each.confidence)
            self._write.place(place.relation or "", j, place.confidence, company=len(moves) > 1)

    def _swap(self, swap: DraftStep) -> None:
        """The one to a free spot, the other to its place, and it to the other's."""
        self._check_empty(swap.target or "")
        i, j = self._table.one(swap.target or ""), self._table.one(swap.reference or "")
        if i == j:
            raise NotUnderstoodError(
                f"'{swap.target}' and '{swap.reference}' are the same thing", "name two things"
            )
        first, second = (self._standing(k) for k in (i, j))
        x, y, _ = self._table.now[i].position_m
        coming = replace(self._table.now[j], position_m=(x, y, self._table.now[j].position_m[2]))
        self._write.pick(i, swap.confidence)
        self._write.set_down(None, swap.confidence, (coming,))
        self._write.pick(j, swap.confidence)
        self._write.set_down(first, swap.confidence)
        self._write.pick(i, swap.confidence)
        self._write.set_down(second, swap.confidence)

    def _pyramid(self, draft: DraftStep) -> None:
        """Three side by side on free table, two over the gaps, one over theirs."""
        self._check_empty(draft.parts[0])
        parts = [self._table.one(phrase) for phrase in draft.parts]
        blocks = [self._table.now[i] for i in parts]
        others = [o for k, o in enumerate(self._table.now) if k not in parts]
        for i, block, spot in zip(parts, blocks, pyramid(blocks, others, self._config), strict=True):
            self._write.pick(i, draft.confidence)
            if spot.support is None:
                top = table_top(self._config, block.stamp_ns)
                self._write.put("on", top, spot.goal_m, draft.confidence, (i,))
            else:
                below = self._table.now[parts[spot.support]]
                self._write.put("on", below, spot.goal_m, draft.confidence, (i, parts[spot.support]))

    def _standing(self, i: int) -> tuple[float, float]:
        """Where on the table a thing stands. Raises UnsafeError for what lies in or on another."""
        thing = self._table.now[i]
        if thing.bottom_z_m > self._config.work_area.table_z_m + _ON_TABLE_M:
            raise UnsafeError(
                f"'{thing.label}' does not stand on the table, so nothing can take its place",
                "have it put on the table first",
                rule="swap",
            )
        return thing.position_m[:2]

    def _put_back(self, draft: DraftStep) -> None:
        """To where it was before it was moved: its spot on the table, or what it lay in."""
        table, phrase = self._table, draft.target or ""
        i = table.held if table.held is not None else table.one(phrase, self._was_moved)
        origin = self._origin(i, phrase)
        if table.held is None:
            self._write.pick(i, draft.confidence)
        hosts = [
            o for o in table.others(i) if contents_of(o, [origin]) and o.position_m[2] < origin.position_m[2]
        ]
        if hosts and origin.bottom_z_m > self._config.work_area.table_z_m:
            host = max(hosts, key=lambda o: o.top_z_m)
            relation = "in" if is_hollow(host) else "on"
            self._write.place(relation, table.index_of(host), draft.confidence)
        else:
            self._write.set_down(origin.position_m[:2], draft.confidence)
            self._say_if_elsewhere(origin, draft.confidence)

    def _say_if_elsewhere(self, origin: GroundedObject, confidence: float) -> None:
        """Its old place may be taken by now."""
        goal = self._write.steps[-1].goal_position_m
        if goal is not None and distance_m(goal, origin.position_m) > _ELSEWHERE_M:
            words = "its old place is taken by now, so it stands as near to that as there is room"
            self._write.add("say", text=words, confidence=confidence)

    def _was_moved(self, thing: GroundedObject) -> bool:
        """What never was moved cannot be put back, so it is not what such words mean."""
        return any(same_thing(now, thing) for now, _ in self._moved)

    def _origin(self, i: int, phrase: str) -> GroundedObject:
        table = self._table
        if i == self._held_at_first:
            return table.original[i]
        for now, before in reversed(self._moved):
            if same_thing(now, table.original[i]):
                return before
        if any(s.skill == "pick" and s.target is not None and same_thing(s.target, table.original[i])
               for s in self._write.steps):  # fmt: skip
            return table.original[i]
        raise NotUnderstoodError(
            f"I do not know where '{phrase}' was before: it has not been moved", "say where to put it"
        )

    def _branch(self, condition: DraftStep) -> tuple[DraftStep, ...]:
        """What is done, since the claim holds or does not. Raises AmbiguousError where that is unsure."""
        if self._holds is None:
            raise OperationUnsupportedError(
                f"nobody can judge whether {condition.text}", "use a model that verifies statements"
            )
        p = self._holds(condition.text or "")
        if not abs(p - 0.5) >= self._config.planning.claim_margin:
            raise AmbiguousError(f"I cannot tell whether {condition.text}", "say what is to be done")
        return condition.then if p > 0.5 else condition.otherwise

    def _resume(self, steps: Sequence[DraftStep]) -> None:
        """What is still to be done of a request that was broken off."""
        i = 0
        while i < len(steps):
            step, place = steps[i], steps[i + 1] if i + 1 < len(steps) else None
            i += 1
            if step.skill not in ("pick", "each") or place is None or place.skill != "place":
                if not (step.skill == "pick" and self._table.held is not None):
                    self._do((step,))
                continue
            i += 1
            if self._table.held is not None:
                # What comes before the thing in the hand has been done.
                if self._is_in_hand(step):
                    self._do((place,))
                    if step.skill == "each":
                        self._do((step, place))
            elif step.skill == "each" or not self._is_so(step, place):
                self._do((step, place))

    def _is_in_hand(self, step: DraftStep) -> bool:
        held = self._table.held
        assert held is not None
        if self._table.now[held].label == step.target:
            return True
        return step.skill == "each" and step.target is not None and held in self._table.all(step.target)

    def _is_so(self, pick: DraftStep, place: DraftStep) -> bool:
        """Whether a move has been made: the thing was moved before, and stands where it was to go."""
        moved = [self._table.index_of(now) for now, before in self._moved if before.label == pick.target]
        if not moved:
            return False
        i, relation = moved[-1], place.relation or ""
        if relation in ("in", "on") and not is_table(place.reference or ""):
            return rests(
                relation, self._table.now[i], self._table.now[self._table.one(place.reference or "")]
            )
        return True


def _shares(step: DraftStep, later: Sequence[DraftStep]) -> bool:
    """Whether a later step puts another thing to where this one puts its own."""
    return step.relation in ("in", "on") and any(
        s.skill == step.skill == "place" and (s.relation, s.reference) == (step.relation, step.reference)
        for s in later
    )
