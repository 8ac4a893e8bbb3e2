"""Notes each instruction that was answered; off by configuration. A record is made in some milliseconds on
the model's thread, and written on another."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from mmrobot.audit.record import make_record
from mmrobot.audit.store import AuditStore
from mmrobot.audit.writer import AuditWriter
from mmrobot.errors import MmrobotError
from mmrobot.pipeline import Pipeline
from mmrobot.types import ActionPlan, Answer, GroundedObject, PlanDraft, RgbdFrame


class Auditor:
    """`complain` hears why a record was not kept. `note` belongs to the thread that asks the model."""

    def __init__(self, pipeline: Pipeline, complain: Callable[[str], object]) -> None:
        self._pipeline, self._complain = pipeline, complain
        config = pipeline.config.audit
        self._writer = AuditWriter(AuditStore(config), complain) if config.enabled else None

    def note(
        self,
        frame: RgbdFrame,
        instruction: str,
        read: PlanDraft | None,
        made: ActionPlan | Answer | MmrobotError,
        held: GroundedObject | None = None,
        now_ns: int | None = None,
    ) -> None:
        """What became of an instruction over a picture, and how it was `read`: a plan, an answer, or the
        refusal that was raised."""
        if self._writer is None:
            return
        pipeline = self._pipeline
        plan = made if isinstance(made, ActionPlan) else None
        at_ns = frame.stamp_ns if now_ns is None else now_ns
        try:
            record = make_record(
                plan.plan_id if plan else uuid.uuid4().hex,
                instruction,
                pipeline.vlm,
                frame.rgb,
                read,
                None if isinstance(made, MmrobotError) else made,
                made if isinstance(made, MmrobotError) else None,
                pipeline.gate.verdicts(plan, at_ns, held) if plan else (),
            )
        except (MmrobotError, ValueError, TypeError, LookupError, ArithmeticError, RuntimeError) as error:
            # Whatever a model's rivals are, the plan stands.
            self._complain(f"no audit record of '{instruction[:60]}': {error}")
            return
        self._writer.keep(record, frame.rgb)

    def close(self) -> None:
        """Writes what waits."""
        if self._writer is not None:
            self._writer.close()
