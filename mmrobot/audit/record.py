"""The record of one instruction: what was said, read, seen, judged and planned, as plain values for JSON."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmrobot.errors import MmrobotError
from mmrobot.safety.gate import Verdict
from mmrobot.types import ActionPlan, Answer, GroundedObject, PlanDraft, PlanStep, ScoredBox
from mmrobot.vlm.interface import VisionLanguageModel

FORMAT = 1
RIVALS, LEAST_SCORE = 5, 0.01
"""At most so many other things are told for a phrase, and none less likely."""
_VERSIONS = ("mmrobot", "torch", "transformers", "onnxruntime", "numpy")


def make_record(
    record_id: str,
    instruction: str,
    vlm: VisionLanguageModel,
    picture: NDArray[np.uint8] | None,
    draft: PlanDraft | None,
    made: ActionPlan | Answer | None,
    error: MmrobotError | None,
    verdicts: Sequence[Verdict] = (),
) -> dict[str, Any]:
    """All that is known of it. `draft` is what the model read; `made` the plan or answer, None after an
    error.

    Boxes are pixels of the picture, positions metres in the plan's frame. Rivals are told where the model
    gives every thing seen a probability; they are known already, so that asking costs no look.
    """
    plan = made if isinstance(made, ActionPlan) else None
    return {
        "format": FORMAT,
        "plan_id": record_id,
        "digest": plan.digest if plan else "",
        "instruction": instruction,
        "made_at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "model": vlm.name,
        "versions": {"python": platform.python_version()} | _versions(),
        "reply": draft.raw if draft else "",
        "reading_confidence": draft.confidence if draft else 0.0,
        "draft": [_told(s) for s in draft.steps] if draft else [],
        "steps": [_step(s, vlm, picture) for s in plan.steps] if plan else [],
        "answer": made.text if isinstance(made, Answer) else "",
        "refused": None
        if error is None
        else {"code": error.code.name, "message": error.message, "fix": error.fix},
        "gate": [{"where": v.where, "rule": v.rule, "says": v.says, "refusal": v.refusal} for v in verdicts],
        "timings_ms": {k: round(t, 2) for k, t in plan.timings_ms.items()} if plan else {},
    }


def redacted(record: dict[str, Any]) -> dict[str, Any]:
    """Without a person's words: a hash in their place tells only whether two records are of the same ones."""
    words = hashlib.sha256(str(record["instruction"]).encode()).hexdigest()
    kept = record | {"instruction": f"sha256:{words}", "reply": "", "draft": [], "answer": ""}
    if record.get("refused"):
        kept["refused"] = record["refused"] | {"message": "", "fix": ""}
    kept["gate"] = [v | {"refusal": v["refusal"] and v["rule"]} for v in record.get("gate", ())]
    kept["steps"] = [
        step
        | {"says": step["skill"]}
        | {part: step[part] and step[part] | {"phrase": ""} for part in ("target", "reference")}
        for step in record.get("steps", ())
    ]
    return kept


def _told(step: Any) -> dict[str, Any]:
    told = {"skill": step.skill}
    for name in ("target", "relation", "reference", "text", "count", "match"):
        if getattr(step, name) is not None:
            told[name] = getattr(step, name)
    for name in ("then", "otherwise"):
        if getattr(step, name):
            told[name] = [_told(s) for s in getattr(step, name)]
    return told | ({"parts": list(step.parts)} if step.parts else {})


def _step(step: PlanStep, vlm: VisionLanguageModel, picture: NDArray[np.uint8] | None) -> dict[str, Any]:
    return {
        "index": step.index,
        "skill": step.skill,
        "says": step.summary,
        "relation": step.relation,
        "target": _thing(step.target, vlm, picture),
        "reference": _thing(step.reference, vlm, picture),
        "goal_position_m": _rounded(step.goal_position_m, 4) if step.goal_position_m else None,
        "confidence": round(step.confidence, 4),
    }


def _thing(
    thing: GroundedObject | None, vlm: VisionLanguageModel, picture: NDArray[np.uint8] | None
) -> dict[str, Any] | None:
    if thing is None:
        return None
    return {
        "phrase": thing.label,
        "box_xyxy": _rounded(thing.box_xyxy),
        "score": round(thing.score, 4),
        "position_m": _rounded(thing.position_m, 4),
        "size_m": _rounded(thing.size_m, 4),
        "rivals": _rivals(thing, vlm, picture),
    }


def _rivals(
    thing: GroundedObject, vlm: VisionLanguageModel, picture: NDArray[np.uint8] | None
) -> list[dict[str, Any]]:
    """What else the phrase might have meant, likeliest first."""
    ask = getattr(getattr(vlm, "model", vlm), "candidates", None)
    if ask is None or picture is None:
        return []
    boxes: Sequence[ScoredBox] = ask(picture, thing.label)
    others = [b for b in boxes if b.score >= LEAST_SCORE and _rounded(b.box_xyxy) != _rounded(thing.box_xyxy)]
    return [{"box_xyxy": _rounded(b.box_xyxy), "score": round(b.score, 4)} for b in others[:RIVALS]]


def _rounded(values: Sequence[float], digits: int = 1) -> list[float]:
    return [round(float(v), digits) for v in values]


@cache
def _versions() -> dict[str, str]:
    # Read from files: three milliseconds each, and the same as long as the program runs.
    found = {}
    for name in _VERSIONS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
