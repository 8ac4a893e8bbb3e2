"""A recording through perception and planning once more: turn by turn, as one conversation."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from mmrobot.conversation import Conversation
from mmrobot.errors import ErrorCode, MmrobotError
from mmrobot.pipeline import Pipeline
from mmrobot.replay.comparison import Tolerance, compare
from mmrobot.replay.recording import Recording, Turn
from mmrobot.types import ActionPlan, Answer

# What planning itself says of words and pictures. Others come from the moment: a silent camera, a stop.
PLANNING_CODES = frozenset(
    code.name
    for code in (
        ErrorCode.INVALID_INSTRUCTION,
        ErrorCode.NOT_UNDERSTOOD,
        ErrorCode.TARGET_NOT_FOUND,
        ErrorCode.AMBIGUOUS,
        ErrorCode.UNSAFE,
        ErrorCode.UNREACHABLE,
        ErrorCode.SKILL_UNKNOWN,
    )
)
RESUMED = "go on"


@dataclass(frozen=True)
class Replayed:
    """One turn again. `same` is None where it cannot be judged, and `why` says why."""

    words: str
    recorded: str
    again: str
    same: bool | None
    differences: tuple[str, ...] = ()
    why: str = ""
    min_iou: float | None = None
    max_position_mm: float | None = None
    digest_equal: bool = False


def replay(
    recording: Recording, pipeline: Pipeline, tolerance: Tolerance | None = None
) -> Iterator[Replayed]:
    """Every turn of a recording, in its order."""
    conversation = Conversation(pipeline)
    for turn in recording.turns:
        yield _turn(recording, conversation, turn, tolerance or Tolerance())


def _turn(recording: Recording, conversation: Conversation, turn: Turn, tolerance: Tolerance) -> Replayed:
    recorded = _told(turn.plan) if turn.plan else turn.error or f"answer: {turn.message}"
    if turn.error and turn.error not in PLANNING_CODES:
        return Replayed(turn.words, recorded, "", None, why=f"{turn.error} came from the moment")
    try:
        frame = recording.frame(turn)
    except MmrobotError as error:
        return Replayed(turn.words, recorded, "", None, why=f"its picture: {error.message}")
    if frame is None:
        missing = "its picture or its depth is not in the recording"
        return Replayed(turn.words, recorded, "", None, why=missing)
    made: ActionPlan | Answer
    try:
        if turn.plan is not None and turn.plan.instruction == RESUMED and turn.words != RESUMED:
            made = conversation.resume(frame, turn.held, turn.at_ns)
        else:
            made = conversation.respond(frame, turn.words, turn.dialogue, turn.held, turn.at_ns)
    except MmrobotError as error:
        same = turn.plan is None and turn.error == error.code.name
        said = f"{error.code.name}: {error.message}"
        return Replayed(turn.words, recorded, said, same, () if same else (f"ends with {said}",))
    if not isinstance(made, ActionPlan):
        same = turn.plan is None and not turn.error and made.text == turn.message
        said = f"answer: {made.text}"
        return Replayed(turn.words, recorded, said, same, () if same else (said,))
    if turn.plan is None:
        return Replayed(turn.words, recorded, _told(made), False, (f"makes a plan: {_told(made)}",))
    found = compare(turn.plan, made, tolerance)
    # A digest holds the model's name and the raw numbers: equal only on the same backend and machine.
    return Replayed(
        turn.words,
        recorded,
        _told(made),
        found.same,
        found.differences,
        min_iou=found.min_iou,
        max_position_mm=1000 * found.max_position_m if math.isfinite(found.max_position_m) else None,
        digest_equal=made.digest == turn.plan.digest,
    )


def _told(plan: ActionPlan) -> str:
    return ", ".join(s.summary for s in plan.steps) or "nothing"
