"""`mmrobot approve`, `mmrobot reject`, `mmrobot edit`: a person's say in the plan that waits."""

from __future__ import annotations

import re
import threading
from typing import cast

from mmrobot.cli.output import Output
from mmrobot.cli.plan_table import plan_as_dict, plan_table
from mmrobot.errors import MmrobotError, NotUnderstoodError, StaleError
from mmrobot.planning.editing import Part
from mmrobot.ros.client import RobotClient
from mmrobot.ros.retarget import Retarget
from mmrobot.types import ActionPlan

SEEN_WITHIN_S = 3.0
_CHANGE = re.compile(r"^(\d+)(?:\.(target|reference))?=(.+)$")


def run_decide(digest: str, approve: bool, output: Output) -> None:
    """Approve or reject the plan that was published last, or only the one of this digest's beginning."""
    with RobotClient() as client:
        plan = _published(client, digest)
        message = client.decide(plan.plan_id, plan.digest, approve)
    output.console.print(plan_table(plan))
    output.console.print(f"[bold]{message}[/]")
    output.finish(True, message=message, plan=plan_as_dict(plan))


def run_edit(keep: str, changes: list[str], digest: str, output: Output) -> None:
    """Drop or reorder steps ("1,2,5,6", counted from 1) and change things ("1=the green cube")."""
    wanted = [_change(change) for change in changes]
    steps = [_number(word) for word in keep.split(",")] if keep.strip() else []
    with RobotClient() as client:
        plan = _published(client, digest)
        retargets = [Retarget(i, part or _part_of(plan, i), phrase) for i, part, phrase in wanted]
        made = client.edit(plan.plan_id, plan.digest, steps, retargets)
    output.console.print(plan_table(made))
    output.console.print("[bold]this one waits now[/]: mmrobot approve")
    output.finish(True, plan=plan_as_dict(made))


def _published(client: RobotClient, digest: str) -> ActionPlan:
    """The last plan on `plan`. Raises StaleError where there is none, or not of that digest."""
    seen: list[ActionPlan] = []
    arrived = threading.Event()

    def take(plan: ActionPlan) -> None:
        seen.append(plan)
        arrived.set()

    client.on_plan = take
    if not arrived.wait(SEEN_WITHIN_S):
        raise StaleError(f"no plan was published within {SEEN_WITHIN_S:g} s", "give an instruction first")
    plan = seen[-1]
    if digest and not plan.digest.startswith(digest):
        raise StaleError(
            f"the plan that was published last has digest {plan.digest[:12]}..., not {digest[:12]}...",
            "look at it, then approve its digest",
        )
    return plan


def _part_of(plan: ActionPlan, i: int) -> Part:
    """What of a step a person means who does not say: where a place puts, else what is taken."""
    return "reference" if i < len(plan.steps) and plan.steps[i].skill == "place" else "target"


def _change(text: str) -> tuple[int, Part | None, str]:
    """ "3=the green bowl", "3.reference=the green bowl"; steps counted from 1."""
    found = _CHANGE.match(text.strip())
    if found is None or int(found[1]) < 1:
        raise _usage(f"'{text}' is no change", "write STEP=PHRASE, for example 1='the green cube'")
    part = None if found[2] is None else cast(Part, found[2])
    return int(found[1]) - 1, part, found[3].strip()


def _number(word: str) -> int:
    if not word.strip().isdigit() or int(word) < 1:
        raise _usage(f"'{word}' is no step", "write numbers of steps, for example 1,2,5,6")
    return int(word) - 1


def _usage(message: str, fix: str) -> MmrobotError:
    return NotUnderstoodError(message, fix)
