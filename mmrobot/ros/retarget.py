"""One change of a plan that waits, and its message."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from mmrobot.errors import NotUnderstoodError
from mmrobot.planning.editing import Part
from mmrobot.ros.messages import pointing_from_message, pointing_to_message
from mmrobot.types import Pointing
from mmrobot_msgs.msg import Retarget as RetargetMsg


@dataclass(frozen=True)
class Retarget:
    """The thing of a step is to be another one: that of `phrase`, or what is pointed at."""

    step: int
    part: Part
    phrase: str = ""
    pointing: Pointing | None = None


def retarget_to_message(retarget: Retarget) -> RetargetMsg:
    """As `edit_plan` wants it."""
    pointing = [] if retarget.pointing is None else [pointing_to_message(retarget.pointing)]
    return RetargetMsg(step=retarget.step, part=retarget.part, phrase=retarget.phrase, pointing=pointing)


def retarget_from_message(message: RetargetMsg) -> Retarget:
    """Raises NotUnderstoodError where it says neither a phrase nor what is pointed at, or both."""
    pointed = len(message.pointing) > 0
    if message.part not in ("target", "reference") or pointed == bool(message.phrase.strip()):
        raise NotUnderstoodError(
            f"the change of step {message.step} has part '{message.part}', phrase '{message.phrase}' and "
            f"{len(message.pointing)} pointings",
            "part is target or reference, and either a phrase or a pointing says what it is to be",
        )
    pointing = pointing_from_message(message.pointing[0]) if pointed else None
    return Retarget(int(message.step), cast(Part, message.part), message.phrase, pointing)
