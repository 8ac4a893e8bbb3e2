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
from mmrobot.evals.goal_plans import SCRIPTED, plan_of_goals
from mmrobot.simulator.simulator import Simulator
from mmrobot.tabletop.episode import Episode
from mmrobot.tabletop.goals import initial_world, parse_goal
from mmrobot.types import BoxXyxy, DraftStep, GroundedObject, PlanDraft, RgbdFrame, ScoredBox, box_iou

MIN_PIXELS = 12
_SAME_IOU = 0.5


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
        goals = [parse_goal(g) for g in expect.goal]
        steps = plan_of_goals(goals, self._simulator.truth(), self._episode.scene)
        return PlanDraft(steps or (DraftStep("say", text="all is as it should be"),))

    def describe(self, image_rgb: NDArray[np.uint8]) -> tuple[ScoredBox, ...]:
        return tuple(ScoredBox(name, box, 0.99) for name, box in true_boxes(self._simulator).items())

    def verify(self, image_rgb: NDArray[np.uint8], statement: str) -> float:
        raise OperationUnsupportedError("the oracle does not verify", "judge by mmrobot.tabletop.goals")

    def answer(self, image_rgb: NDArray[np.uint8], question: str) -> str:
        return self._episode.expect.answer[0]


def true_boxes(simulator: Simulator) -> dict[str, BoxXyxy]:
    """By id, the pixels of each object that shows at least MIN_PIXELS of itself."""
    boxes: dict[str, BoxXyxy] = {}
    for name, mask in simulator.segmentation().items():
        rows, columns = np.nonzero(mask)
        if rows.size >= MIN_PIXELS:
            x0, y0, x1, y1 = (float(v) for v in (columns.min(), rows.min(), columns.max(), rows.max()))
            boxes[name] = (x0 - 0.5, y0 - 0.5, x1 + 0.5, y1 + 0.5)
    return boxes


def scripted(episode: Episode) -> tuple[DraftStep, ...]:
    """The steps that make an episode's goals true without a word being understood; empty where there is no
    such script: something else than success is expected, somebody speaks later on, or a goal is no place."""
    if episode.expect.outcome != "success" or episode.followups:
        return ()
    goals = [parse_goal(g) for g in episode.expect.goal]
    steps = plan_of_goals(goals, initial_world(episode.scene), episode.scene)
    return steps if all(g.predicate in SCRIPTED for g in goals if not g.negated) else ()


def true_lifter(
    simulator: Simulator,
) -> Callable[[RgbdFrame, Sequence[ScoredBox]], Callable[[ScoredBox], GroundedObject]]:
    """Lifts by truth: a box labelled with an id, or lying over one, becomes that object's true pose."""

    def lifter(frame: RgbdFrame, boxes: Sequence[ScoredBox]) -> Callable[[ScoredBox], GroundedObject]:
        shown: dict[str, BoxXyxy] = {}

        def lift(box: ScoredBox) -> GroundedObject:
            name = box.label
            if name not in simulator.scene.by_id:
                if not shown:
                    shown.update(true_boxes(simulator))
                name = max(shown, key=lambda n: box_iou(shown[n], box.box_xyxy), default="")
                if not name or box_iou(shown[name], box.box_xyxy) < _SAME_IOU:
                    raise NoDepthError(f"'{box.label}' lies over no object", "ground what is there")
            return _true_object(simulator, name, box, frame.stamp_ns)

        return lift

    return lifter


def _true_object(simulator: Simulator, name: str, box: ScoredBox, stamp_ns: int) -> GroundedObject:
    dims = simulator.scene.by_id[name].dims
    state = simulator.truth().objects[name]
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
