"""A draft in words, for a person to say yes or no to: "put the cube in the bowl, then push the ball away"."""

from __future__ import annotations

from collections.abc import Sequence

from mmrobot.types import DraftStep

_UNTOLD = frozenset(
    "the a an my your this that these those all each every everything both any it them".split()
)
_RELATIONS = {
    "in": "in", "on": "on", "left_of": "to the left of", "right_of": "to the right of", "behind": "behind",
    "in_front_of": "in front of",
}  # fmt: skip
_WAYS = {
    "left_of": "to the left", "right_of": "to the right", "behind": "away", "in_front_of": "nearer",
}  # fmt: skip
_ACTS = {
    "again": "do the same with {}", "instead": "take {} instead", "other": "go on with the other one",
    "not_that": "take the other one instead", "resume": "go on with what is left", "home": "go home",
    "put_back": "put {} back", "avoid": "keep away from {}",
}  # fmt: skip


def read_back(steps: Sequence[DraftStep]) -> str:
    """What the steps would do, as one sentence without its full stop; "" for none.

    >>> read_back([DraftStep("pick", "red cube"), DraftStep("place", None, "in", "blue bowl")])
    'put the red cube in the blue bowl'
    """
    said: list[str] = []
    i = 0
    while i < len(steps):
        step = steps[i]
        places = []
        if step.skill in ("pick", "each"):
            while i + 1 < len(steps) and steps[i + 1].skill == "place":
                i += 1
                places.append(_where(steps[i]))
        said.append(_moved(step, places) if places else _alone(step))
        i += 1
    return ", then ".join(said)


def _moved(step: DraftStep, places: Sequence[str]) -> str:
    what = the(step.target)
    if step.skill == "each":
        number = f"exactly {step.count} of " if step.count is not None else "each of "
        what = number + what if not _tells(step.target) or step.count is not None else what
    return f"put {what} {', then '.join(places)}"


def _where(step: DraftStep) -> str:
    relation = _RELATIONS.get(step.relation or "", step.relation or "")
    if step.match == "different":
        return f"{relation} another {step.reference or ''}".rstrip()
    match = "of the same colour" if step.match == "own_color" else ""
    return f"{relation} {the(step.reference)} {match}".rstrip()


def _alone(step: DraftStep) -> str:
    if step.skill in ("pick", "each"):
        return f"pick up {the(step.target)}"
    if step.skill == "place":
        return f"put it down {_where(step)}"
    if step.skill == "push":
        to = f"to {the(step.reference)}" if step.reference else _WAYS.get(step.relation or "", "")
        return f"push {the(step.target)} {to}".rstrip()
    if step.skill == "swap":
        return f"swap {the(step.target)} and {the(step.reference)}"
    if step.skill == "pyramid":
        return f"build a pyramid of {', '.join(map(the, step.parts))}"
    if step.skill == "say":
        return f"say '{step.text}'"
    if step.skill == "if":
        return _conditional(step)
    if step.skill == "instead" and step.relation:
        return f"put it {_where(step)} instead"
    return _ACTS.get(step.skill, step.skill.replace("_", " ") + " {}").format(the(step.target)).strip()


def _conditional(step: DraftStep) -> str:
    then, otherwise = read_back(step.then), read_back(step.otherwise)
    if not then:
        return f"unless {step.text}, {otherwise}"
    return f"if {step.text}, {then}" + (f", otherwise {otherwise}" if otherwise else "")


def the(phrase: str | None) -> str:
    """A phrase with an article, where it has no word of that kind; "it" for none."""
    if not phrase:
        return "it"
    return phrase if _tells(phrase) else f"the {phrase}"


def _tells(phrase: str | None) -> bool:
    return bool(phrase) and (phrase or "").split()[0].lower() in _UNTOLD
