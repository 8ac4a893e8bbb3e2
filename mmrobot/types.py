"""Values that cross stages: frozen, checked, with unit and frame in names.

Conventions: metres, radians, nanoseconds of ROS time; `base` is the arm's foot (x away from the
robot, y to its left, z up, REP-103); `camera` is the optical frame (z forward, x right, y down);
pixels are those of the original picture, x first, the centre of the first pixel at (0, 0).
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

BASE_FRAME = "base_link"

Vector3 = tuple[float, float, float]
BoxXyxy = tuple[float, float, float, float]

def box_iou(a: BoxXyxy, b: BoxXyxy) -> float:
    """Intersection over union of two boxes, 0..1."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    both = width * height
    return both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both)


RELATIONS = ("in", "on", "left_of", "right_of", "behind", "in_front_of")


_WAYS = {
    "left_of": "to the left", "right_of": "to the right", "behind": "away", "in_front_of": "nearer",
}  # fmt: skip
MATCHES = ("own_color", "different")


def _finite(name: str, *values: float) -> None:
    if not all(math.isfinite(v) for v in values):
        raise ValueError(f"{name} must be finite, got {values}")


@dataclass(frozen=True)
class CameraModel:
    """A pinhole camera with optional `plumb_bob` distortion (k1, k2, p1, p2, k3), in pixels."""

    width: int
    height: int
    fx: float
    fy: float
    cx: float
    cy: float
    distortion: tuple[float, ...] = ()
    frame_id: str = "camera_optical_frame"

    def __post_init__(self) -> None:
        _finite("camera intrinsics", self.fx, self.fy, self.cx, self.cy, *self.distortion)
        if self.width <= 0 or self.height <= 0 or self.fx <= 0 or self.fy <= 0:
            raise ValueError(
                f"camera needs positive size and focal lengths, got {self.width}x{self.height}, "
                f"fx={self.fx}, fy={self.fy}"
            )

    @property
    def matrix(self) -> NDArray[np.float64]:
        """K, (3, 3)."""
        return np.array([[self.fx, 0, self.cx], [0, self.fy, self.cy], [0, 0, 1]], dtype=np.float64)


@dataclass(frozen=True, eq=False)
class RgbdFrame:
    """One look: colour, depth (or None), camera, and where the camera was.

    `rgb` (H, W, 3) uint8; `depth_m` (H, W) float32 along the optical axis, registered to colour,
    invalid where NaN, infinite, zero or negative; `T_base_camera` (4, 4) float64 takes points of
    the optical frame to base, None when unknown; `stamp_ns` the colour picture's ROS time.
    """

    rgb: NDArray[np.uint8]
    depth_m: NDArray[np.float32] | None
    camera: CameraModel
    T_base_camera: NDArray[np.float64] | None
    stamp_ns: int

    def __post_init__(self) -> None:
        size = (self.camera.height, self.camera.width)
        if self.rgb.dtype != np.uint8 or self.rgb.shape != (*size, 3):
            raise ValueError(f"rgb must be uint8 {(*size, 3)}, got {self.rgb.dtype} {self.rgb.shape}")
        if self.depth_m is not None and self.depth_m.shape != size:
            raise ValueError(f"depth_m must be {size}, got {self.depth_m.shape}")


@dataclass(frozen=True)
class ScoredBox:
    """A box in pixels of the original picture, with the model's probability that it is meant."""

    label: str
    box_xyxy: BoxXyxy
    score: float

    def __post_init__(self) -> None:
        _finite("box", *self.box_xyxy, self.score)
        x0, y0, x1, y1 = self.box_xyxy
        if not (x1 > x0 and y1 > y0):
            raise ValueError(f"box must have x1 > x0 and y1 > y0, got {self.box_xyxy}")
        if not 0.0 <= self.score <= 1.0:
            raise ValueError(f"score must be in [0, 1], got {self.score}")


@dataclass(frozen=True)
class Pointing:
    """What a person points at: a box in pixels of the picture of `stamp_ns` (0: the newest). A click is a
    box without extent. Raises ValueError where it is not finite or its corners are swapped."""

    box_xyxy: BoxXyxy
    stamp_ns: int = 0

    def __post_init__(self) -> None:
        _finite("pointing", *self.box_xyxy)
        x0, y0, x1, y1 = self.box_xyxy
        if x1 < x0 or y1 < y0:
            raise ValueError(f"what is pointed at must have x1 >= x0 and y1 >= y0, got {self.box_xyxy}")


@dataclass(frozen=True, eq=False)
class GroundedObject:
    """A thing seen, in metres of `frame_id` (base_link).

    `position_m` is the middle of its upright oriented box, `size_m` that box along its own x, y
    (x turned by `yaw_rad` about z, in [-pi/2, pi/2)) and z; `surface_z_m` the height of the
    surface at its middle seen from above: a cube's top, a bowl's inner floor. `covariance` (3, 3)
    is of the position, square metres.
    """

    label: str
    box_xyxy: BoxXyxy
    score: float
    position_m: Vector3
    size_m: Vector3
    yaw_rad: float
    surface_z_m: float
    covariance: NDArray[np.float64]
    stamp_ns: int
    frame_id: str = BASE_FRAME

    def __post_init__(self) -> None:
        _finite(
            f"object '{self.label}'",
            *self.box_xyxy, self.score, *self.position_m, *self.size_m, self.yaw_rad, self.surface_z_m,
        )
        if min(self.size_m) <= 0:
            raise ValueError(f"object '{self.label}' must have positive size, got {self.size_m}")

    @property
    def bottom_z_m(self) -> float:
        return self.position_m[2] - self.size_m[2] / 2

    @property
    def top_z_m(self) -> float:
        return self.position_m[2] + self.size_m[2] / 2


@dataclass(frozen=True)
class DraftStep:
    """A step as the model says it: a skill over referring phrases, nothing located yet.

    Skills of the robot: `pick`: target. `place`: relation and reference (what is in the hand is placed).
    `push`: target, relation (a direction without reference, or "near" one). `put_back`: target. `home`: none.
    `say`: text. What the planner makes skills of (planning/planner.py):

    - `each`: target, a set; `count`: exactly so many of it. What follows, to the next pick, is done with
    each.
      A `place` after it may have a `match` of MATCHES: the reference of the thing's own colour, another
      for each.
    - `swap`: target and reference. `pyramid`: `parts`, from the left of the base to the top.
    - `if`: `text`, the claim; `then` or `otherwise` is done. `avoid`: target, which nothing may touch.
    - of the request before (planning/dialogue.py): `again`, `other`, `not_that`, `resume`, and `instead`:
    target,
      or relation and reference.
    """

    skill: str
    target: str | None = None
    relation: str | None = None
    reference: str | None = None
    text: str | None = None
    confidence: float = 1.0
    count: int | None = None
    match: str | None = None
    parts: tuple[str, ...] = ()
    then: tuple[DraftStep, ...] = ()
    otherwise: tuple[DraftStep, ...] = ()


@dataclass(frozen=True)
class Answer:
    """What was asked, and what the model says of the picture."""

    question: str
    text: str


@dataclass(frozen=True)
class PlanDraft:
    """The model's answer to an instruction: steps, or a question, or a refusal with its reason.

    Without steps, `guess` is what it would do were it an instruction after all, () where it has no idea; it
    may only be read back, with `confidence` that of the guess.
    """

    steps: tuple[DraftStep, ...]
    question: str | None = None
    refusal: str | None = None
    confidence: float = 1.0
    raw: str = ""
    guess: tuple[DraftStep, ...] = ()


@dataclass(frozen=True, eq=False)
class PlanStep:
    """A step with its things located.

    `target` is what is picked or pushed, or what the hand holds when placing; `goal_position_m` (base) is
    where the middle of the target's underside comes to rest, for place and push. A push has a direction as
    its relation, or "near" with a reference. `obstacles` are the other
    things seen, for collision-free approach.
    """

    index: int
    skill: str
    target: GroundedObject | None = None
    relation: str | None = None
    reference: GroundedObject | None = None
    goal_position_m: Vector3 | None = None
    text: str | None = None
    obstacles: tuple[GroundedObject, ...] = ()
    preconditions: tuple[str, ...] = ()
    postconditions: tuple[str, ...] = ()
    confidence: float = 1.0

    @property
    def summary(self) -> str:
        """The step in words, for logs and tables."""
        if self.skill == "place" and self.reference is not None:
            what = self.target.label if self.target else "it"
            return f"place {what} {(self.relation or '').replace('_', ' ')} {self.reference.label}"
        if self.skill == "push":
            what = self.target.label if self.target else "it"
            to = f"to {self.reference.label}" if self.reference else _WAYS.get(self.relation or "", "")
            return f"push {what} {to}"
        words = [self.skill, self.target.label if self.target else "", self.text or ""]
        return " ".join(w for w in words if w)


@dataclass(frozen=True, eq=False)
class ActionPlan:
    """The typed plan: what will be done, in `frame_id`, resting on the picture of `stamp_ns`."""

    plan_id: str
    instruction: str
    steps: tuple[PlanStep, ...]
    stamp_ns: int
    model: str
    confidence: float = 1.0
    frame_id: str = BASE_FRAME
    timings_ms: dict[str, float] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """SHA-256 over all that the robot would do; approval is bound to it."""
        content = [self.instruction, self.frame_id, self.stamp_ns, self.model]
        for s in self.steps:
            objects = [
                None if o is None else (o.label, o.position_m, o.size_m, o.yaw_rad)
                for o in (s.target, s.reference)
            ]
            content.append([s.index, s.skill, s.relation, s.goal_position_m, s.text, objects])
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()


@dataclass(frozen=True, eq=False)
class JointTrajectory:
    """Timed joint positions and velocities: `times_s` (N,) rising, both arrays (N, J), radians."""

    joint_names: tuple[str, ...]
    times_s: NDArray[np.float64]
    positions: NDArray[np.float64]
    velocities: NDArray[np.float64]

    def __post_init__(self) -> None:
        shape = (len(self.times_s), len(self.joint_names))
        if self.positions.shape != shape or self.velocities.shape != shape:
            raise ValueError(
                f"positions and velocities must be {shape}, "
                f"got {self.positions.shape} and {self.velocities.shape}"
            )
        if not (np.isfinite(self.positions).all() and np.isfinite(self.velocities).all()):
            raise ValueError("trajectory must be finite")
        if (np.diff(self.times_s) <= 0).any():
            raise ValueError("trajectory times must rise")
