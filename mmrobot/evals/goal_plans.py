"""From an episode's goals to steps over ids that make them true: what the oracle does, not a word
understood."""

from __future__ import annotations

from collections.abc import Sequence

from mmrobot.tabletop.goals import DIRECTIONS, Goal, WorldState, holds
from mmrobot.tabletop.scene import Scene
from mmrobot.types import RELATIONS, DraftStep

SCRIPTED = (
    *RELATIONS, "near", "held", "at", "on_table", "rests_on", "displaced", "amount_in", "never_touched",
    "picked_at_most",
)  # fmt: skip
"""Predicates that a script can make true."""
_REACH_M = 0.01


def plan_of_goals(
    goals: Sequence[Goal], world: WorldState | None = None, scene: Scene | None = None
) -> tuple[DraftStep, ...]:
    """What makes those goals true that do not hold; towers are built from below. () where all hold. Without a
    world none is taken to hold."""
    world, scene = world or WorldState(), scene or Scene()
    there = {n for g in goals for n in g.objects} <= world.objects.keys()
    unmet = [g for g in goals if not g.negated and not (there and holds(g, world, scene))]
    steps = [
        *push_near(unmet, goals),
        *_pushes(unmet),
        *_swaps(unmet, scene),
        *_moves(unmet, goals, bool(push_near(unmet, goals))),
        *_amounts(goals, unmet, world, scene),
    ]
    for goal in (
        g
        for g in goals
        if g.negated and g.predicate == "picked_at_most" and not (there and holds(g, world, scene))
    ):
        # It ends where it was, and yet it is to be taken.
        steps += [DraftStep("pick", target=goal.objects[0]), DraftStep("put_back", target=goal.objects[0])]
    base = [g for g in goals if g.predicate == "rests_on"]
    if base and unmet:
        steps = [DraftStep("pyramid", parts=_pyramid(base))]
    held = next((g for g in unmet if g.predicate == "held"), None)
    if held is not None:
        steps.append(DraftStep("pick", target=held.objects[0]))
    bans = [DraftStep("avoid", target=g.objects[0]) for g in goals if g.predicate == "never_touched"]
    return (*steps, *bans) if steps else ()


def _moves(unmet: Sequence[Goal], goals: Sequence[Goal], pushed: bool) -> list[DraftStep]:
    # What lies on the right side already, but too far off, is brought nearer on that side.
    apart = [g.objects for g in unmet if g.predicate == "near"]
    wanted = [
        g
        for g in goals
        if not g.negated and g.predicate in RELATIONS and (g in unmet or g.objects in apart)
    ]
    if not wanted and not pushed:
        # "next to" leaves the side open: its goal is nearness alone.
        wanted = [Goal("right_of", g.objects) for g in unmet if g.predicate == "near"]
    steps: list[DraftStep] = []
    while wanted:
        moving = {g.objects[0] for g in wanted}
        ready = next((g for g in wanted if g.objects[1] not in moving), wanted[0])
        wanted.remove(ready)
        steps += _move(ready.objects[0], ready.predicate, ready.objects[1])
    return steps


def _move(target: str, relation: str, reference: str) -> list[DraftStep]:
    return [DraftStep("pick", target=target), DraftStep("place", relation=relation, reference=reference)]


def _pushes(unmet: Sequence[Goal]) -> list[DraftStep]:
    steps = []
    for goal in unmet:
        if goal.predicate == "displaced":
            _, _, dx, dy = goal.numbers
            axis, sign = (0, dx) if abs(dx) > abs(dy) else (1, dy)
            relation = next(r for r, (a, s) in DIRECTIONS.items() if a == axis and s * sign > 0)
            steps.append(DraftStep("push", target=goal.objects[0], relation=relation))
    return steps


def push_near(unmet: Sequence[Goal], goals: Sequence[Goal]) -> tuple[DraftStep, ...]:
    """A push to a thing: nearness is asked for, and that what is pushed stays on the table."""
    flat = {g.objects[0] for g in goals if g.predicate == "on_table"}
    near = [g for g in unmet if g.predicate == "near" and g.objects[0] in flat]
    return tuple(DraftStep("push", g.objects[0], "near", g.objects[1]) for g in near)


def _swaps(unmet: Sequence[Goal], scene: Scene) -> list[DraftStep]:
    """Two that are each to stand where the other stood."""
    at = {g.objects[0]: g.numbers for g in unmet if g.predicate == "at"}
    steps = []
    for a, b in ((a, b) for a in at for b in at if a < b):
        stood = {n: scene.by_id[n].position for n in (a, b)}
        if all(
            abs(at[one][k] - stood[other][k]) < _REACH_M for one, other in ((a, b), (b, a)) for k in (0, 1)
        ):
            steps.append(DraftStep("swap", target=a, reference=b))
    return steps


def _pyramid(rests: Sequence[Goal]) -> tuple[str, ...]:
    """From the left of the base to the top, as each rests on two: the left one first."""
    below: dict[str, list[str]] = {}
    for goal in rests:
        below.setdefault(goal.objects[0], []).append(goal.objects[1])
    top = next(n for n in below if all(n not in pair for pair in below.values()))
    d, e = below[top]
    (a, b), c = below[d], below[e][1]
    return (a, b, c, d, e, top)


def _amounts(
    goals: Sequence[Goal], unmet: Sequence[Goal], world: WorldState, scene: Scene
) -> list[DraftStep]:
    """So many of those that may be picked into each vessel, where no goal says which."""
    placed = {g.objects[0] for g in goals if g.predicate in RELATIONS and not g.negated}
    members = [g.objects[0] for g in goals if g.predicate == "picked_at_most" and g.objects[0] not in placed]
    steps: list[DraftStep] = []
    for goal in (g for g in unmet if g.predicate == "amount_in"):
        vessel = goal.objects[0]
        inside = [m for m in members if holds(f"in({m}, {vessel})", world, scene)]
        free = [m for m in members if m not in inside]
        for member in free[: round(goal.numbers[0]) - len(inside)]:
            members.remove(member)
            relation = "on" if scene.by_id[vessel].shape == "plate" else "in"
            steps += _move(member, relation, vessel)
    return steps
