"""The conversations of one robot, each by its name: plans, answers, edits, and a record of each.

All calls but `forget` and `close` belong to the inference thread.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import TypeVar

from mmrobot.audit.auditor import Auditor
from mmrobot.conversation import Conversation
from mmrobot.errors import MmrobotError, TargetNotFoundError
from mmrobot.pipeline import Pipeline
from mmrobot.planning.editing import Change
from mmrobot.pointing import pointed_thing
from mmrobot.ros.inference_thread import InferenceThread
from mmrobot.ros.retarget import Retarget
from mmrobot.ros.task import Task
from mmrobot.types import ActionPlan, Answer, GroundedObject, Pointing, RgbdFrame

Made = TypeVar("Made", ActionPlan, ActionPlan | Answer)


class Talks:
    """Looks, and lets the conversation that is spoken in answer."""

    def __init__(
        self,
        inference: InferenceThread,
        pipeline: Callable[[], Pipeline],
        look: Callable[[int], RgbdFrame],
        held: Callable[[], GroundedObject | None],
        now_ns: Callable[[], int],
        complain: Callable[[str], object],
    ) -> None:
        self._inference, self._pipeline, self._look = inference, pipeline, look
        self._held, self._now_ns, self._complain = held, now_ns, complain
        self._served: Pipeline | None = None
        self._conversations: OrderedDict[str, Conversation] = OrderedDict()
        self._auditor: Auditor | None = None
        self.frame: RgbdFrame | None = None
        """What the last plan was made on."""

    def close(self) -> None:
        """Writes the records that wait."""
        if self._auditor is not None:
            self._auditor.close()

    def release(self) -> None:
        """Let the model and the conversations go."""
        self.close()
        self._served = self._auditor = self.frame = None
        self._conversations.clear()

    def make_plan(self, task: Task, dialogue: tuple[str, ...], after_ns: int) -> ActionPlan | Answer:
        """A plan or an answer, on a picture later than `after_ns`. Raises MmrobotError."""
        conversation = self._of(task)
        frame = self._look(after_ns)
        held, now_ns = self._held(), self._now_ns()

        def make() -> ActionPlan | Answer:
            if task.resumes:
                return conversation.resume(frame, held, now_ns)
            words, pointings = task.instruction, task.pointings
            return conversation.respond(frame, words, dialogue, held, now_ns, pointings)

        return self._noted(conversation, frame, task.instruction, make, held, now_ns)

    def aside(self, task: Task) -> Answer | None:
        """An answer to words said while a plan goes on; None where they are a request."""
        return self._of(task).aside(self._look(0), task.instruction, self._now_ns(), task.pointings)

    def edit(
        self, task: Task, plan: ActionPlan, keep: Sequence[int], retargets: Sequence[Retarget]
    ) -> ActionPlan:
        """Another plan in the place of one that waits. Raises MmrobotError."""
        conversation, frame = self._of(task), self._look(0)
        held, now_ns = self._held(), self._now_ns()
        changes = [
            Change(r.step, r.part, r.phrase, self._pointed(frame, r.pointing) if r.pointing else None)
            for r in retargets
        ]
        return self._noted(
            conversation,
            frame,
            plan.instruction,
            lambda: conversation.edit(frame, plan, keep, changes, held, now_ns),
            held,
            now_ns,
        )

    def forget(self, name: str) -> None:
        """Nothing is left to go on with in that conversation. Returns at once."""

        def forget() -> None:
            if name in self._conversations:
                self._conversations[name].forget()

        self._inference.submit(f"forget {name}", forget)

    def _pointed(self, frame: RgbdFrame, pointing: Pointing) -> GroundedObject:
        thing = pointed_thing(frame, self._pipeline().overview(frame), pointing)
        if thing is None:
            x0, y0, x1, y1 = pointing.box_xyxy
            raise TargetNotFoundError(
                f"nothing is seen at pixel ({(x0 + x1) / 2:.0f}, {(y0 + y1) / 2:.0f})", "point at a thing"
            )
        return thing

    def _noted(
        self,
        conversation: Conversation,
        frame: RgbdFrame,
        instruction: str,
        make: Callable[[], Made],
        held: GroundedObject | None,
        now_ns: int,
    ) -> Made:
        try:
            made = make()
        except MmrobotError as error:
            self._note(frame, instruction, conversation, error, held, now_ns)
            raise
        self.frame = frame
        self._note(frame, instruction, conversation, made, held, now_ns)
        return made

    def _note(
        self,
        frame: RgbdFrame,
        instruction: str,
        conversation: Conversation,
        made: ActionPlan | Answer | MmrobotError,
        held: GroundedObject | None,
        now_ns: int,
    ) -> None:
        auditor, read = self._auditor, conversation.read
        if auditor is not None:
            # Once the plan has been handed on: nobody waits for its record.
            self._inference.submit(
                "audit", lambda: auditor.note(frame, instruction, read, made, held, now_ns)
            )

    def _of(self, task: Task) -> Conversation:
        pipeline = self._pipeline()
        if pipeline is not self._served:
            # Another model: what was read by the one before is no memory of this one's.
            self.close()
            self._served, self._auditor = pipeline, Auditor(pipeline, self._complain)
            self._conversations.clear()
        found = self._conversations.setdefault(task.conversation, Conversation(pipeline))
        self._conversations.move_to_end(task.conversation)
        while len(self._conversations) > pipeline.config.command.max_conversations:
            self._conversations.popitem(last=False)
        return found
