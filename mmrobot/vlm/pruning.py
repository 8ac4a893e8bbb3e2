"""Fewer visual tokens: of the encoder's K objects only a fixed number is kept, in their first order.

Guided by objectness, and by depth where it is given: a candidate whose pixels lie in the plane of what is
around them is a mark on the table, no thing. Positions are in the tokens, and stay what they were. For the
backends whose graphs have K fixed, a model saved with a smaller `num_objects` is the same as objectness.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmrobot.vlm.families.nano_parts import NanoParts, SeenObjects, WriteStep

_MIN_RING_POINTS = 24
_FLAT_M = 0.004
_RING = 0.35

Rank = Callable[[SeenObjects], NDArray[np.float64]]
"""Objects to what they are worth, (K,): the most valuable are kept."""


def by_objectness(seen: SeenObjects) -> NDArray[np.float64]:
    """The encoder's own scores."""
    return seen.scores.astype(np.float64)


@dataclass
class AtRandom:
    """A control: any of them."""

    rng: np.random.Generator

    def __call__(self, seen: SeenObjects) -> NDArray[np.float64]:
        return self.rng.random(len(seen.scores))


@dataclass
class WithDepth:
    """Objectness, less 1 for what lies flat in its surroundings. `depth_m` is set before each picture.

    `depth_m` (H, W) m of a picture with the model's own aspect, invalid where NaN or not positive; None
    leaves objectness alone.
    """

    depth_m: NDArray[np.float32] | None = None

    def __call__(self, seen: SeenObjects) -> NDArray[np.float64]:
        worth = by_objectness(seen)
        if self.depth_m is None:
            return worth
        height, width = self.depth_m.shape
        scale = np.array([width, height, width, height])
        flat = [lies_flat(self.depth_m, box * scale) for box in seen.boxes]
        return worth - np.array(flat, np.float64)


class PrunedNano:
    """A backend that sees only the `keep` objects worth most. Not safe for concurrent calls."""

    def __init__(self, parts: NanoParts, keep: int, rank: Rank = by_objectness) -> None:
        if not 1 <= keep <= parts.config.num_objects:
            raise ValueError(f"keep must be in 1..{parts.config.num_objects}, got {keep}")
        self._parts, self._keep, self._rank = parts, keep, rank
        self.config, self.name = parts.config, f"{parts.name}-{keep}"

    def see(self, pixel_values: NDArray[np.float32]) -> SeenObjects:
        """As the backend, less the objects that are not kept."""
        return pruned(self._parts.see(pixel_values), self._keep, self._rank)

    def recognise(self, views: NDArray[np.float32], boxes: NDArray[np.float32]) -> NDArray[np.float32]:
        return self._parts.recognise(views, boxes)

    def spell(self, crops: NDArray[np.float32]) -> NDArray[np.float32]:
        return self._parts.spell(crops)

    def read(self, word_bytes: NDArray[np.int64]) -> Any:
        return self._parts.read(word_bytes)

    def writer(self, memory: Any) -> WriteStep:
        return self._parts.writer(memory)


def pruned(seen: SeenObjects, keep: int, rank: Rank = by_objectness) -> SeenObjects:
    """The `keep` objects worth most, in the order that they had; of equals the earlier ones."""
    best = np.argsort(-rank(seen), kind="stable")[:keep]
    return seen.only(np.sort(best))


def lies_flat(depth_m: NDArray[np.float32], box_xyxy: NDArray[np.floating]) -> bool:
    """Whether what fills a box (pixels of the depth picture) lies in one plane with what is around it.

    Inverse depth of a plane is linear in the pixel's coordinates (pinhole camera): it is fitted to a ring
    around the box. Where too little is known, nothing is called flat.
    """
    height, width = depth_m.shape
    x0, y0, x1, y1 = (float(v) for v in box_xyxy)
    dx, dy = max(_RING * (x1 - x0), 3.0), max(_RING * (y1 - y0), 3.0)
    left, top = max(int(x0 - dx), 0), max(int(y0 - dy), 0)
    right, bottom = min(int(x1 + dx) + 1, width), min(int(y1 + dy) + 1, height)
    window = depth_m[top:bottom, left:right].astype(np.float64)
    v, u = np.mgrid[top:bottom, left:right]
    valid = np.isfinite(window) & (window > 0)
    within = (u >= x0) & (u <= x1) & (v >= y0) & (v <= y1)
    ring, inner = valid & ~within, valid & within
    if ring.sum() < _MIN_RING_POINTS or inner.sum() < _MIN_RING_POINTS:
        return False

    def rows(chosen: NDArray[np.bool_]) -> NDArray[np.float64]:
        return np.stack([np.ones(int(chosen.sum())), u[chosen], v[chosen]], -1)

    plane, *_ = np.linalg.lstsq(rows(ring), 1 / window[ring], rcond=None)
    expected = 1 / np.maximum(rows(inner) @ plane, 1e-3)
    nearer_m = expected - window[inner]
    off_ring = np.abs(1 / np.maximum(rows(ring) @ plane, 1e-3) - window[ring])
    # A ring that is no plane itself (things stand in it) says nothing.
    return bool(np.median(off_ring) < _FLAT_M and np.percentile(np.abs(nearer_m), 80) < _FLAT_M)
