"""From a phrase's candidates to the one thing that is meant, or a question that tells them apart."""

from __future__ import annotations

from collections.abc import Sequence

from mmrobot.config import GroundingConfig
from mmrobot.errors import AmbiguousError, TargetNotFoundError
from mmrobot.types import GroundedObject, ScoredBox, box_iou

# "a cube", "any cube": whoever says so leaves the choice to the robot.
_FREE_CHOICE = ("a ", "an ", "any ", "some ", "one of ", "either ")


def leaves_choice(phrase: str) -> bool:
    """Whether a phrase leaves open which of several things is taken."""
    return phrase.lower().lstrip().startswith(_FREE_CHOICE)


def present(boxes: Sequence[ScoredBox], config: GroundingConfig) -> list[ScoredBox]:
    """The boxes that count: high enough, far enough from the best's score, each thing once; best first."""
    kept: list[ScoredBox] = []
    for box in sorted(boxes, key=lambda b: -b.score):
        floor = max(config.threshold, config.rival_ratio * kept[0].score if kept else 0.0)
        if box.score < floor:
            continue
        if all(box_iou(box.box_xyxy, k.box_xyxy) <= config.duplicate_iou for k in kept):
            kept.append(box)
    return kept


def the_one(
    phrase: str, candidates: Sequence[GroundedObject], seen: Sequence[str], names: Sequence[str] = ()
) -> GroundedObject:
    """The single thing meant. `candidates` best first, all of them above the threshold, `names` what the
    model calls each; `seen` says what else is there, for the message.

    Raises TargetNotFoundError for none, AmbiguousError for several.
    """
    if not candidates:
        raise not_found(phrase, seen)
    if len(candidates) == 1:
        return candidates[0]
    if leaves_choice(phrase):
        return max(candidates, key=lambda c: (round(c.score, 1), -c.position_m[0]))
    described = describe_candidates(phrase, candidates, names)
    raise AmbiguousError(
        f"which {_without_article(phrase)} do you mean: {', '.join(described[:-1])} or {described[-1]}?",
        f'say which one, for example "{described[0]}"',
        candidates=described,
        phrase=phrase,
    )


def not_found(phrase: str, seen: Sequence[str]) -> TargetNotFoundError:
    """The error for a phrase that names nothing here."""
    things = ", ".join(dict.fromkeys(seen)) if seen else "nothing that I know"
    return TargetNotFoundError(f"I do not see '{phrase}'", f"name something that is there; I see: {things}")


def describe_candidates(
    phrase: str, candidates: Sequence[GroundedObject], names: Sequence[str] = ()
) -> tuple[str, ...]:
    """Words that tell candidates apart by what can be seen: what they are called where that differs, else
    where they are. Each can be said back as an answer."""
    known = [name.removeprefix("the ") for name in names]
    if len(known) == len(candidates) and all(known) and len(set(known)) == len(known):
        return tuple(f"the {name}" for name in known)
    return describe_places(phrase, candidates)


def describe_places(phrase: str, candidates: Sequence[GroundedObject]) -> tuple[str, ...]:
    """Words that tell candidates apart by where they are, in the candidates' order.

    Along the axis on which they lie further apart; numbers where the words would be the same.
    """
    xs, ys = [c.position_m[0] for c in candidates], [c.position_m[1] for c in candidates]
    sideways = max(ys) - min(ys) >= max(xs) - min(xs)
    order = sorted(range(len(candidates)), key=lambda i: -ys[i] if sideways else xs[i])
    ends = (
        ("on the left", "on the right") if sideways else ("nearest to the robot", "furthest from the robot")
    )
    words = {order[0]: ends[0], order[-1]: ends[1]}
    if len(order) == 3:
        words[order[1]] = "in the middle"
    thing = _without_article(phrase)
    numbered = {i: f"number {n + 1} from the {'left' if sideways else 'robot'}" for n, i in enumerate(order)}
    return tuple(f"the {thing} {words.get(i, numbered[i])}" for i in range(len(candidates)))


def distinct_names(things: Sequence[GroundedObject]) -> list[str]:
    """A phrase for each thing that none of the others answers to: its label, with where it is if others are
    called so too. In the things' order, without article."""
    names = []
    for thing in things:
        alike = [t for t in things if _without_article(t.label) == _without_article(thing.label)]
        told = describe_places(thing.label, alike) if len(alike) > 1 else (thing.label,)
        names.append(told[next(k for k, t in enumerate(alike) if t is thing)].removeprefix("the "))
    return names


def _without_article(phrase: str) -> str:
    return " ".join(w for w in phrase.split() if w.lower() not in ("the", "a", "an"))
