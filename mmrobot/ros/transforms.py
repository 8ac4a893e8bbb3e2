"""A small transform buffer over /tf and /tf_static: frames at a stamp, and errors that name both.

Own code, since tf2 is not there on every machine and its Python part breaks on clock jumps. Times are the
messages' own stamps; when a frame's stamps run backwards by more than JUMP_NS (a simulator that
was started anew), what was known of it before is forgotten. Plain numpy, no scipy: its rotations look for
torch among the loaded modules, and break while another thread is just importing that.
"""

from __future__ import annotations

import bisect
import threading
from collections import deque
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mmrobot.errors import TransformUnavailableError

JUMP_NS = 1_000_000_000
HISTORY_NS = 10_000_000_000
MAX_SAMPLES = 2_000
MOVED_M, MOVED_RAD = 0.03, 0.10

Pose = tuple[NDArray[np.float64], NDArray[np.float64]]


def pose_matrix(
    translation: NDArray[np.float64], quaternion_xyzw: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(4, 4) of a translation (3,) in metres and a quaternion (4,), x y z w."""
    x, y, z, w = quaternion_xyzw / np.linalg.norm(quaternion_xyzw)
    T = np.eye(4)
    T[:3, :3] = (
        (1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)),
        (2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)),
        (2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)),
    )
    T[:3, 3] = translation
    return T


def slerp(
    first_xyzw: NDArray[np.float64], second_xyzw: NDArray[np.float64], part: float
) -> NDArray[np.float64]:
    """The rotation `part` (0 to 1) of the shorter way between two unit quaternions (Shoemake 1985)."""
    cosine = float(first_xyzw @ second_xyzw)
    if cosine < 0:
        second_xyzw, cosine = -second_xyzw, -cosine
    if cosine > 0.9995:
        return first_xyzw + part * (second_xyzw - first_xyzw)
    angle = np.arccos(cosine)
    mixed = np.sin((1 - part) * angle) * first_xyzw + np.sin(part * angle) * second_xyzw
    return np.asarray(mixed / np.sin(angle))


@dataclass
class _Edge:
    """How a child frame stood in its parent over time; one timeless sample when static."""

    parent: str
    static: bool
    stamps: deque[int] = field(default_factory=deque)
    poses: deque[Pose] = field(default_factory=deque)

    def add(self, stamp_ns: int, pose: Pose) -> None:
        if self.static:
            self.stamps, self.poses = deque([stamp_ns]), deque([pose])
            return
        if self.stamps and stamp_ns < self.stamps[-1] - JUMP_NS:
            self.stamps.clear()
            self.poses.clear()
        if self.stamps and stamp_ns <= self.stamps[-1]:
            return
        self.stamps.append(stamp_ns)
        self.poses.append(pose)
        while self.stamps[0] < stamp_ns - HISTORY_NS or len(self.stamps) > MAX_SAMPLES:
            self.stamps.popleft()
            self.poses.popleft()

    def moved(self, since_ns: int, until_ns: int) -> bool:
        """Whether some sample of that time differs from its first by more than MOVED_M or MOVED_RAD."""
        if self.static:
            return False
        poses = [p for s, p in zip(self.stamps, self.poses, strict=True) if since_ns <= s <= until_ns]
        if not poses:
            return False
        (t0, q0), near = poses[0], np.cos(MOVED_RAD / 2)
        return any(np.linalg.norm(t - t0) > MOVED_M or abs(float(q @ q0)) < near for t, q in poses)

    def at(self, child: str, stamp_ns: int) -> NDArray[np.float64]:
        if self.static:
            return pose_matrix(*self.poses[0])
        index = bisect.bisect_left(self.stamps, stamp_ns)
        if index < len(self.stamps) and self.stamps[index] == stamp_ns:
            return pose_matrix(*self.poses[index])
        if index == 0 or index == len(self.stamps):
            raise TransformUnavailableError(
                f"no transform {self.parent} <- {child} at {stamp_ns / 1e9:.3f} s: "
                f"known from {self.stamps[0] / 1e9:.3f} to {self.stamps[-1] / 1e9:.3f} s",
                "check that the publisher of this frame runs and that all clocks agree (use_sim_time)",
            )
        (t0, q0), (t1, q1) = self.poses[index - 1], self.poses[index]
        s0, s1 = self.stamps[index - 1], self.stamps[index]
        part = (stamp_ns - s0) / (s1 - s0)
        return pose_matrix(t0 + part * (t1 - t0), slerp(q0, q1, part))


class TransformBuffer:
    """Frames by name; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._edges: dict[str, _Edge] = {}

    def add(
        self,
        parent: str,
        child: str,
        stamp_ns: int,
        translation_m: NDArray[np.float64] | tuple[float, float, float],
        quaternion_xyzw: NDArray[np.float64] | tuple[float, float, float, float],
        static: bool = False,
    ) -> None:
        """Take one transform; raises ValueError when it is not finite or its quaternion has no length."""
        translation = np.asarray(translation_m, dtype=np.float64)
        quaternion = np.asarray(quaternion_xyzw, dtype=np.float64)
        norm = float(np.linalg.norm(quaternion))
        if not (np.isfinite(translation).all() and np.isfinite(norm) and norm > 1e-6):
            raise ValueError(f"transform {parent} <- {child} is not finite: {translation}, {quaternion}")
        parent, child = parent.lstrip("/"), child.lstrip("/")
        if parent == child or not parent or not child:
            raise ValueError(f"transform needs two different frames, got '{parent}' and '{child}'")
        with self._lock:
            edge = self._edges.get(child)
            if edge is None or edge.parent != parent or edge.static != static:
                edge = self._edges[child] = _Edge(parent, static)
            edge.add(stamp_ns, (translation, quaternion / norm))

    def lookup(self, target: str, source: str, stamp_ns: int) -> NDArray[np.float64]:
        """(4, 4) that takes points of `source` to `target` at `stamp_ns`, interpolated between samples.

        Raises TransformUnavailableError when the frames are not connected, or not known at the stamp.
        """
        target, source = target.lstrip("/"), source.lstrip("/")
        with self._lock:
            up_source = self._chain(source)
            up_target = self._chain(target)
            common = next((frame for frame in up_source if frame in up_target), None)
            if common is None:
                raise TransformUnavailableError(
                    f"no transform {target} <- {source} at {stamp_ns / 1e9:.3f} s: known frames are "
                    f"{self._known() or 'none'}",
                    "publish it on /tf or /tf_static, for example with static_transform_publisher",
                )
            T_common_source = self._product(up_source[: up_source.index(common)], stamp_ns)
            T_common_target = self._product(up_target[: up_target.index(common)], stamp_ns)
        result: NDArray[np.float64] = np.linalg.inv(T_common_target) @ T_common_source
        return result

    def _known(self) -> str:
        frames = sorted(set(self._edges) | {edge.parent for edge in self._edges.values()})
        return ", ".join(frames[:20])

    def moved(self, since_ns: int, until_ns: int) -> bool:
        """Whether any frame stood elsewhere in its parent at some time after `since_ns` than then."""
        with self._lock:
            return any(edge.moved(since_ns, until_ns) for edge in self._edges.values())

    def _chain(self, frame: str) -> list[str]:
        chain = [frame]
        while (edge := self._edges.get(chain[-1])) is not None:
            if edge.parent in chain:
                raise TransformUnavailableError(
                    f"the frames {' <- '.join([*chain, edge.parent])} form a loop",
                    "two publishers disagree on a frame's parent: stop one of them",
                )
            chain.append(edge.parent)
        return chain

    def _product(self, frames: list[str], stamp_ns: int) -> NDArray[np.float64]:
        T = np.eye(4)
        for frame in frames:
            T = self._edges[frame].at(frame, stamp_ns) @ T
        return T
