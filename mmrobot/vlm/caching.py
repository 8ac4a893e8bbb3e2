"""What is worked out once and kept: a small least-recently-used store, and one keyed by whole pictures."""

from __future__ import annotations

import zlib
from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

_SAMPLE_STEP = 61


class Lru(Generic[K, V]):
    """The `capacity` values used last. `hits` and `misses` count what `get` found. For one thread."""

    def __init__(self, capacity: int) -> None:
        if capacity < 1:
            raise ValueError(f"capacity must be 1 or more, got {capacity}")
        self.capacity = capacity
        self.hits = self.misses = 0
        self._values: OrderedDict[K, V] = OrderedDict()

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: K) -> V | None:
        """The value of a key, now the one used last; None when it is not kept (any more)."""
        if key not in self._values:
            self.misses += 1
            return None
        self.hits += 1
        self._values.move_to_end(key)
        return self._values[key]

    def put(self, key: K, value: V) -> None:
        """Keeps a value; the one not used for longest goes when there are too many."""
        self._values[key] = value
        self._values.move_to_end(key)
        if len(self._values) > self.capacity:
            self._values.popitem(last=False)

    def clear(self) -> None:
        """Keeps nothing any more."""
        self._values.clear()


class PictureCache(Generic[V]):
    """Values of the `capacity` pictures used last. Pictures are (H, W, C) uint8 arrays.

    A checksum of a sample of the pixels finds the candidate, a comparison of every byte decides: there are
    no collisions, and it takes a tenth of the time of a cryptographic hash. Copies are kept (0.9 MB for
    640x480), since callers may write into their arrays.
    """

    def __init__(self, capacity: int) -> None:
        self._kept: Lru[Hashable, tuple[NDArray[np.uint8], V]] = Lru(capacity)
        self.hits = self.misses = 0

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, image: NDArray[np.uint8]) -> V | None:
        """The value of exactly this picture, or None."""
        kept = self._kept.get(_sample(image))
        if kept is None or not np.array_equal(kept[0], image):
            self.misses += 1
            return None
        self.hits += 1
        return kept[1]

    def put(self, image: NDArray[np.uint8], value: V) -> None:
        """Keeps a value for this picture."""
        self._kept.put(_sample(image), (image.copy(), value))

    def clear(self) -> None:
        """Keeps nothing any more."""
        self._kept.clear()


def _sample(image: NDArray[np.uint8]) -> Hashable:
    flat = image.reshape(-1)[::_SAMPLE_STEP]  # a copy of the whole only where the picture has gaps
    return image.shape, zlib.crc32(np.ascontiguousarray(flat).data)
