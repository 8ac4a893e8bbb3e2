"""True perception with our planner: the executor's ceiling. For evaluation only; no node of a robot loads it.

`OracleVlm` names things by their ids and takes its boxes from the simulator's masks, its plan from the
episode's goals. `true_lifter` gives true poses too, so that depth is out of the question.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from mmrobot.errors import NoDepthError, OperationUnsupportedError
from mmrobot.simulator.simulator import Simulator
from mmrobot.tabletop.episode import Episode
from mmrobot.tabletop.goals import Goal, parse_goal
from mmrobot.types import RELATIONS, DraftStep, GroundedObject, PlanDraft, RgbdFrame, ScoredBox

MIN_PIXELS = 12


class OracleVlm:
    """Answers from the simulator's truth; a VisionLanguageModel over object ids."""

    name = "oracle"
    operations = frozenset({"ground", "plan", "describe", "answer"})

    def __init__(self, simulator: Simulator, episode: Episode) -> None:
        self._simulator = simulator
        self._episode = episode

    def ground(self, image_rgb: NDArray[np.uint8], phrase: str) -> tuple[ScoredBox, ...]:
        return tuple(box for box in self.describe(image_rgb) if box.label == phrase)

    def plan(self, image_rgb: NDArray[np.uint8], instruction: str, dialogue: Sequence[str] = ()) -> PlanDraft:
        expect = self._episode.expect
        if expect.outcome == "clarify":
            return PlanDraft((), question="which one is meant?")
        if expect.outcome == "refuse":
            return PlanDraft((), refusal="what is named is not there")
        return PlanDraft(plan_of_goals([parse_goal(g) for g in self._episode.expect.goal]))

    def describe(self, image_rgb: NDArray[np.uint8]) -> tuple[ScoredBox, ...]:
        boxes = []
        for name, mask in self._simulator.segmentation().items():
            rows, columns = np.nonzero(mask)
            if rows.size < MIN_PIXELS:
                continue
            box = (columns.min() - 0.5, rows.min() - 0.5, columns.max() + 0.5, rows.max() + 0.5)
            boxes.append(ScoredBox(name, tuple(float(v) for v in box), 0.99))  # type: ignore[arg-type]
        return tuple(boxes)

    def verify(self, image_rgb: NDArray[np.uint8], statement: str) -> float:
        raise OperationUnsupportedError("the oracle does not verify", "judge by mmrobot.tabletop.goals")

    def answer(self, image_rgb: NDArray[np.uint8], question: str) -> str:
        return self._episode.expect.answer[0]


def plan_of_goals(goals: Sequence[Goal]) -> tuple[DraftStep, ...]:
    """Picks and places that make goals true; towers are built from below."""
    wanted = [g for g in goals if not g.negated and g.predicate in RELATIONS]
    if not wanted:
        # "next to" leaves the side open: its goal is nearness alone.
        wanted = [Goal("right_of", g.objects) for g in goals if not g.negated and g.predicate == "near"]
    steps: list[DraftStep] = []
    while wanted:
        moving = {g.objects[0] for g in wanted}
        ready = next((g for g in wanted if g.objects[1] not in moving), wanted[0])
        wanted.remove(ready)
        target, reference = ready.objects
        steps += [
            DraftStep("pick", target=target),
            DraftStep("place", relation=ready.predicate, reference=reference),
        ]
    held = next((g for g in goals if g.predicate == "held" and not g.negated), None)
    if held is not None:
        steps.append(DraftStep("pick", target=held.objects[0]))
    return tuple(steps)


def true_lifter(
    simulator: Simulator,
) -> Callable[[RgbdFrame, Sequence[ScoredBox]], Callable[[ScoredBox], GroundedObject]]:
    """Lifts by truth: a box labelled with an id, or lying over one, becomes that object's true pose."""

    def lifter(frame: RgbdFrame, boxes: Sequence[ScoredBox]) -> Callable[[ScoredBox], GroundedObject]:
        def lift(box: ScoredBox) -> GroundedObject:
            if box.label not in simulator.scene.by_id:
                raise NoDepthError(f"'{box.label}' is no id of the scene", "ground by ids")
            return _true_object(simulator, box, frame.stamp_ns)

        return lift

    return lifter


def _true_object(simulator: Simulator, box: ScoredBox, stamp_ns: int) -> GroundedObject:
    dims = simulator.scene.by_id[box.label].dims
    state = simulator.truth().objects[box.label]
    rotation = Rotation.from_quat(state.quaternion_wxyz, scalar_first=True).as_matrix()
    # An object that lies on its side is boxed as it lies: its longest upright box.
    half = np.abs(rotation) @ (np.asarray(dims.size_m) / 2)
    if abs(rotation[2, 2]) > 0.95:
        size, yaw = dims.size_m, math.atan2(rotation[1, 0], rotation[0, 0])
    else:
        size, yaw = (2 * float(half[0]), 2 * float(half[1]), 2 * float(half[2])), 0.0
    bottom = state.position_m[2] - size[2] / 2
    return GroundedObject(
        label=box.label,
        box_xyxy=box.box_xyxy,
        score=box.score,
        position_m=state.position_m,
        size_m=size,
        yaw_rad=(yaw + math.pi / 2) % math.pi - math.pi / 2,
        surface_z_m=bottom + dims.surface_height_m,
        covariance=np.eye(3) * 1e-8,
        stamp_ns=stamp_ns,
    )
