"""The video of a run: camera with the plan drawn in, the spectator's view beside it, what goes on below."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmrobot.ros.overlay import Caption, annotate, side_by_side, with_caption
from mmrobot.ros.video_file import VideoFile
from mmrobot.types import ActionPlan

FRAMES_PER_S = 10
_NOT_YET = np.zeros((540, 960, 3), dtype=np.uint8)


class Film:
    """Follows plan and status, and adds a frame for each picture. `write` and `close` on one thread."""

    def __init__(self, path: Path, with_spectator: bool) -> None:
        self._video = VideoFile(path, FRAMES_PER_S)
        # A video has one size: the spectator's place is kept from the first frame on.
        self.spectator: NDArray[np.uint8] | None = _NOT_YET if with_spectator else None
        self._plan: ActionPlan | None = None
        self._step: int | None = None
        self._caption = Caption("waiting for an instruction")

    def take_plan(self, plan: ActionPlan) -> None:
        """The plan to draw from now on."""
        self._plan, self._step = plan, None

    def take_status(self, content: dict[str, Any]) -> None:
        """A change told on `status`."""
        title = content.get("instruction") or self._caption.title
        state, steps = content.get("state", ""), content.get("steps") or 0
        node, detail = content.get("node", ""), content.get("message", "")
        if node == "executor" and content.get("step") is not None:
            self._step = content["step"] + (state == "step_finished")
        success = {"done": True, "failed": False}.get(state)
        if node == "executor" and self._step is not None and steps and self._step < steps:
            phase = state == "phase" and self._plan is not None and self._step < len(self._plan.steps)
            summary = self._plan.steps[self._step].summary if phase and self._plan else ""
            detail = f"step {self._step + 1} of {steps}: " + (f"{summary} ({detail})" if phase else detail)
        if node == "vlm" or success is None:
            self._caption = Caption(title, detail, success)

    def write(self, rgb: NDArray[np.uint8]) -> None:
        """One camera picture (H, W, 3)."""
        view = side_by_side(annotate(rgb, self._plan, active_step=self._step), self.spectator)
        self._video.write(with_caption(view, self._caption))

    def close(self) -> None:
        """Write the file's end."""
        self._video.close()
