"""What words mean after an earlier request: the same with another thing, a correction, put it back, go on.

A draft of such an act, and the draft before it, become a draft that stands by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from mmrobot.command.answers import narrowed
from mmrobot.errors import NotUnderstoodError
from mmrobot.planning.nouns import ANY_NOUN, named
from mmrobot.planning.table import excludes_last
from mmrobot.types import DraftStep, PlanDraft

ACTS = ("again", "other", "not_that", "instead", "resume")
_MAIN = ("pick", "each", "push", "put_back", "swap")
"""Steps that say of which thing a request is."""
_PUT_BACK = DraftStep("put_back", target="it")


def in_context(
    draft: PlanDraft, before: PlanDraft | None, held: str | None, moved: bool, kind: str = ""
) -> PlanDraft:
    """The draft as it stands by itself. `held` is what the hand holds, by the phrase it was taken by; `moved`
    whether something that the request before moved is still seen, `kind` what the model calls that.

    Raises NotUnderstoodError where an act follows no request that it could be about.
    """
    if not draft.steps:
        return draft
    act = draft.steps[0]
    if act.skill not in ACTS:
        steps = _of_other(draft.steps, before)
        return replace(draft, steps=_hand_first(steps, held, moved))
    if before is None or not before.steps:
        raise NotUnderstoodError(
            f"'{act.skill.replace('_', ' ')}' is said of an earlier request, and there is none",
            "say the whole request",
        )
    before = _of_kind(before, kind)
    made = {"again": _again, "other": _other, "not_that": _other, "instead": _instead, "resume": _resume}
    steps = made[act.skill](act, before)
    corrects = act.skill in ("not_that", "instead") and act.relation is None
    if act.skill == "resume":
        return replace(draft, steps=steps)
    if act.relation is not None:
        # Only the place was wrong: what is in the hand, or was put down, goes there.
        pick = () if held else (DraftStep("pick", target="it"),) if moved else steps[:1]
        return replace(draft, steps=(*pick, *steps[1:]))
    undo = (_PUT_BACK,) if held or (corrects and moved) else ()
    return replace(draft, steps=(*undo, *steps))


def renamed(draft: PlanDraft, rename: Callable[[str], str]) -> PlanDraft:
    """The draft with each of its phrases put through `rename`."""
    return replace(draft, steps=tuple(_renamed(s, rename) for s in draft.steps))


def _renamed(step: DraftStep, rename: Callable[[str], str]) -> DraftStep:
    return replace(
        step,
        target=rename(step.target) if step.target else step.target,
        reference=rename(step.reference) if step.reference else step.reference,
        parts=tuple(map(rename, step.parts)),
        then=tuple(_renamed(s, rename) for s in step.then),
        otherwise=tuple(_renamed(s, rename) for s in step.otherwise),
    )


def exchanged(phrase: str, meant: str) -> str:
    """ "The green one" said after "the red cube on the left": the green cube. Only the noun is taken over."""
    return narrowed(" ".join(named(phrase)[-1:]), meant)


def main_phrase(draft: PlanDraft) -> str:
    """The phrase of the thing that a request is about, "" where there is none."""
    return next((s.target for s in draft.steps if s.skill in _MAIN and s.target), "")


def _of_kind(before: PlanDraft, kind: str) -> PlanDraft:
    """With a noun for "one": after "the green one" was a ball, the blue one is a ball."""
    noun, main = named(kind)[-1:], main_phrase(before)
    name = named(main)
    if (
        not noun
        or name[-1:] not in (["one"], ["thing"], ["object"])
        or main.lower().split().count(name[-1]) != 1
    ):
        return before
    meant = " ".join(noun[0] if w == name[-1] else w for w in main.lower().split())
    return replace(
        before, steps=tuple(replace(s, target=meant) if s.target == main else s for s in before.steps)
    )


def _again(act: DraftStep, before: PlanDraft) -> tuple[DraftStep, ...]:
    return _with_main(before, exchanged(main_phrase(before), act.target or ""))


def _other(act: DraftStep, before: PlanDraft) -> tuple[DraftStep, ...]:
    phrase = main_phrase(before)
    return _with_main(before, f"the other {_bare(excludes_last(phrase) or phrase)}")


def _instead(act: DraftStep, before: PlanDraft) -> tuple[DraftStep, ...]:
    if act.relation is not None:
        pick, *rest = before.steps
        if not any(s.skill == "place" for s in rest):
            return (pick, DraftStep("place", relation=act.relation, reference=act.reference))
        return tuple(
            replace(s, relation=act.relation, reference=act.reference, match=None)
            if s.skill == "place"
            else s
            for s in before.steps
        )
    meant, main = act.target or "", main_phrase(before)
    place = next((s for s in before.steps if s.skill == "place" and s.reference), None)
    if place is not None and _names_reference(meant, main, place.reference or ""):
        new = exchanged(place.reference or "", meant)
        return tuple(replace(s, reference=new) if s is place else s for s in before.steps)
    return _with_main(before, exchanged(main, meant))


def _names_reference(meant: str, main: str, reference: str) -> bool:
    """Whether a correction is of where to, by its noun: "no, the blue bowl"."""
    noun = meant.lower().split()[-1:]
    told = bool(noun) and noun[0] not in ANY_NOUN
    return told and noun[0] in reference.lower().split() and noun[0] not in main.lower().split()


def _resume(act: DraftStep, before: PlanDraft) -> tuple[DraftStep, ...]:
    return (DraftStep("resume", then=before.steps),)


def _with_main(before: PlanDraft, phrase: str) -> tuple[DraftStep, ...]:
    """The steps of the request before, about another thing."""
    old = main_phrase(before)
    if not old:
        raise NotUnderstoodError("the request before was about no thing", "say the whole request")
    return tuple(
        replace(s, target=phrase) if s.skill in _MAIN and s.target == old else s
        for s in before.steps
        if s.skill != "put_back" or s.target == old
    )


def _of_other(steps: tuple[DraftStep, ...], before: PlanDraft | None) -> tuple[DraftStep, ...]:
    """ "The other one" in a whole request: the noun is that of the request before."""
    main = main_phrase(before) if before is not None else ""

    def noun(phrase: str) -> str:
        besides = excludes_last(phrase)
        return f"the other {_bare(main)}" if besides in ("one", "thing") and main else phrase

    return tuple(_renamed(s, noun) for s in steps)


def _hand_first(steps: tuple[DraftStep, ...], held: str | None, moved: bool) -> tuple[DraftStep, ...]:
    """What the hand holds is used or put back first; what was just put down is "it"."""
    first = steps[0]
    if held is None:
        return (DraftStep("pick", target="it"), *steps) if first.skill == "place" and moved else steps
    if first.skill == "pick" and len(steps) > 1 and _bare(first.target or "") in (_bare(held), "it", "that"):
        return steps[1:]
    takes = first.skill in ("pick", "each", "swap", "push", "pyramid")
    return (_PUT_BACK, *steps) if takes else steps


def _bare(phrase: str) -> str:
    return " ".join(w for w in phrase.split() if w.lower() not in ("the", "a", "an", "other"))
