"""What the hand holds after a skill was stopped half way: its phases tell."""

from __future__ import annotations

from mmrobot.execution.events import EventKind, RunnerEvent
from mmrobot.execution.runner import Runner
from mmrobot.types import PlanStep

# A pick has closed its fingers on a thing from `lift` on, unless a `release` follows; a place has let go from
# `retreat` on.
CARRYING = frozenset({"lift", "rise", "observe"})
RELEASED = frozenset({"retreat", "observe"})


class HandFollower:
    """Follows a runner's events and tells it what the hand was found to hold. One thread."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._acting: PlanStep | None = None
        self._phase, self._lifted = "", False

    def follow(self, event: RunnerEvent) -> None:
        """A skill that was stopped half way may have filled or emptied the hand already."""
        if event.kind is EventKind.STEP_STARTED:
            self._acting, self._phase, self._lifted = event.step, "", False
        elif event.kind is EventKind.PHASE:
            self._lifted = event.message == "lift" or (self._lifted and event.message != "release")
            self._phase = event.message
        elif event.kind in (EventKind.STOPPED, EventKind.STEP_FAILED) and self._acting is not None:
            step, self._acting = self._acting, None
            stopped = event.kind is EventKind.STOPPED
            carrying = self._lifted and self._phase in CARRYING
            if stopped and step.skill == "pick" and carrying and step.target is not None:
                self._runner.remember_held(step.target)
            elif step.skill == "place" and self._phase in RELEASED:
                self._runner.forget_held()
