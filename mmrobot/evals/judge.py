"""Judges a run by physics: goal predicates over the simulator's settled state, never the model's belief."""

from __future__ import annotations

from dataclasses import dataclass

from mmrobot.conversation import READ_BACK
from mmrobot.errors import ErrorCode
from mmrobot.tabletop.episode import Episode
from mmrobot.tabletop.goals import WorldState, failed_goals, moved_m, parse_goal
from mmrobot.types import ActionPlan, GroundedObject

UNCHANGED_M = 0.03
STRICT_M = 0.02
NOTHING_MOVED_M = 0.01

_CLARIFY = {ErrorCode.AMBIGUOUS}
_TIMEOUT = {ErrorCode.TIMEOUT}
_ERROR = {
    ErrorCode.INTERNAL,
    ErrorCode.MODEL_UNAVAILABLE,
    ErrorCode.MODEL_REPLY_INVALID,
    ErrorCode.ROBOT_UNAVAILABLE,
    ErrorCode.TRANSFORM_UNAVAILABLE,
}
_PARTS = {
    ErrorCode.NOT_UNDERSTOOD: "language",
    ErrorCode.INVALID_INSTRUCTION: "language",
    ErrorCode.SKILL_UNKNOWN: "language",
    ErrorCode.TARGET_NOT_FOUND: "ground",
    ErrorCode.AMBIGUOUS: "ground",
    ErrorCode.NO_DEPTH: "ground",
    ErrorCode.UNSAFE: "plan",
    ErrorCode.UNREACHABLE: "plan",
    ErrorCode.STALE: "plan",
    ErrorCode.GRASP_FAILED: "grasp",
}


@dataclass(frozen=True)
class Run:
    """What the robot did and said: `code` NONE means that it claims success; `read_back` as results.py."""

    code: ErrorCode
    message: str
    plan: ActionPlan | None
    acted: bool
    answer: str | None = None
    asked: bool = False
    read_back: str = ""


@dataclass(frozen=True)
class Verdict:
    """See results.EpisodeResult."""

    passed: bool
    strict: bool
    outcome: str
    reason: str
    part: str
    credit: float = 0.0


def judge(episode: Episode, before: WorldState, after: WorldState, run: Run) -> Verdict:
    """`before` at the start, `after` settled for one second."""
    expect = episode.expect
    failed = failed_goals(expect.goal, after, episode.scene)
    displaced = {name: moved_m(before, after, name) for name in before.objects}
    outcome = _outcome(run, goals_hold=bool(expect.goal) and not failed)
    problems: list[str] = []
    if outcome != expect.outcome:
        problems.append(run.message or f"the outcome is {outcome}")
    if outcome == "clarify" and run.read_back == "no":
        # A question about something else than what was said is not the one that was needed.
        problems.append("what it read back was not what was said")
    if outcome == "answer" and run.answer is not None and not _accepted(run.answer, expect.answer):
        problems.append(f"answered '{run.answer}', accepted are {', '.join(expect.answer)}")
    if failed:
        problems.append(f"does not hold: {'; '.join(failed)}")
    problems += [
        f"'{name}' moved {100 * displaced[name]:.1f} cm"
        for name in expect.unchanged
        if displaced[name] > UNCHANGED_M
    ]
    if expect.outcome in ("clarify", "refuse", "answer"):
        problems += [f"'{n}' moved {100 * m:.1f} cm" for n, m in displaced.items() if m > NOTHING_MOVED_M]
    passed = not problems
    involved = {name for text in expect.goal for name in parse_goal(text).objects}
    strict = passed and all(m <= STRICT_M for n, m in displaced.items() if n not in involved)
    part = "" if passed else _part(episode, before, run)
    credit = _credit(episode, before, failed, passed)
    return Verdict(passed, strict, outcome, "; ".join(dict.fromkeys(problems)), part, credit)


def handled(episode: Episode) -> frozenset[str]:
    """What a task moves: the first thing of each goal, but for those that may not be touched."""
    goals = [parse_goal(g) for g in episode.expect.goal]
    return frozenset(g.objects[0] for g in goals if not g.negated and g.predicate != "never_touched")


def needs_question(episode: Episode) -> bool:
    """Whether the robot must ask back before it acts: nothing else is right, or the answer is waiting."""
    return episode.expect.outcome == "clarify" or (episode.family == "clarify" and bool(episode.followups))


def _credit(episode: Episode, before: WorldState, failed: list[str], passed: bool) -> float:
    """The share of the goals, of those that did not hold at first, which hold in the end."""
    if not episode.expect.goal:
        return float(passed)
    open_at_first = failed_goals(episode.expect.goal, before, episode.scene) or list(episode.expect.goal)
    return sum(goal not in failed for goal in open_at_first) / len(open_at_first)


def _outcome(run: Run, goals_hold: bool) -> str:
    if run.answer is not None:
        return "answer"
    if goals_hold:
        return "success"
    if run.code in _TIMEOUT:
        return "timeout"
    if run.code in _ERROR:
        return "error"
    if run.acted or run.code is ErrorCode.NONE:
        return "wrong"
    return "clarify" if run.code in _CLARIFY else "refuse"


def _accepted(answer: str, accepted: tuple[str, ...]) -> bool:
    return answer.strip().lower().rstrip(".") in {a.strip().lower() for a in accepted}


def _part(episode: Episode, before: WorldState, run: Run) -> str:
    """Which part failed, as far as the plan and the truth tell."""
    if run.plan is None:
        if run.code is ErrorCode.AMBIGUOUS and run.message.startswith(READ_BACK):
            return "language"
        return _PARTS.get(run.code, "error" if run.code in _ERROR else "model")
    goals = [parse_goal(g) for g in episode.expect.goal]
    meant = [g for g in goals if not g.negated and g.predicate != "near"] or [
        g for g in goals if not g.negated
    ]
    targets = {g.objects[0] for g in meant}
    references = {g.objects[1] for g in meant if len(g.objects) > 1}
    picks = [s for s in run.plan.steps if s.skill == "pick"]
    places = [s for s in run.plan.steps if s.skill == "place"]
    held = any(g.predicate == "held" for g in meant)
    if len(picks) != len(targets) or (len(places) != len(meant) and not held):
        return "language"
    taken = {truly(s.target, before) for s in picks}
    if taken != targets:
        return "ground" if not taken & references else "language"
    # What the plan itself has moved stands elsewhere by then; its own picks are known by name.
    first = [s for s in places if s.reference is not None]
    if first and truly(first[0].reference, before) not in references:
        return "ground"
    relations = {s.relation for s in places}
    if not relations <= {g.predicate for g in meant} and meant and meant[0].predicate not in ("near", "held"):
        return "language"
    if run.code is ErrorCode.NONE:
        return "verify"  # the right plan ended wrong, and was called done
    return _PARTS.get(run.code, "place")


def truly(thing: GroundedObject | None, world: WorldState) -> str:
    """The id of the object nearest to where a thing was located."""
    if thing is None or not world.objects:
        return ""
    x, y, _ = thing.position_m
    return min(
        world.objects,
        key=lambda n: (world.objects[n].position_m[0] - x) ** 2 + (world.objects[n].position_m[1] - y) ** 2,
    )
