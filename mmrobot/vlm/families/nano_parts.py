"""What a backend of mmrobot-nano implements: its static-shape parts, numpy in and out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from mmrobot.vlm.models.nano.sizes import NanoSizes


@dataclass(frozen=True, eq=False)
class SeenObjects:
    """The encoder's float32 arrays of K candidates.

    `tokens` (K, token_size), `boxes` (K, 4) in [0, 1], `scores` (K,); `real` (K,) logits that it is a thing
    with a name, `places` (K, 3) x and y in base_link (m) and log of the volume (m^3), `rests` (K, K) logits
    that object i lies in or on object j.
    """

    tokens: NDArray[np.float32]
    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    real: NDArray[np.float32]
    places: NDArray[np.float32]
    rests: NDArray[np.float32]

    def only(self, index: NDArray[np.integer]) -> SeenObjects:
        """Some of the candidates."""
        kept = {f.name: getattr(self, f.name)[index] for f in fields(self)}
        return SeenObjects(**{**kept, "rests": kept["rests"][:, index]})


WriteStep = Callable[[int, int], NDArray[np.float32]]
"""(last id, its position from 0) to float32 logits of what comes next: of CONTROL, then of at least the words
that were read, at most of max_words.

Called with positions 0, 1, 2, ... in order; the caches are inside. Words past the text's end have
logits so low that they are never chosen.
"""


class NanoParts(Protocol):
    """One class per backend. Not safe for concurrent calls."""

    name: str

    @property
    def config(self) -> NanoSizes:
        """Sizes and names that it was made with."""

    def see(self, pixel_values: NDArray[np.float32]) -> SeenObjects:
        """One picture (3, H, W) in [-1, 1] to its objects."""

    def recognise(self, views: NDArray[np.float32], boxes: NDArray[np.float32]) -> NDArray[np.float32]:
        """Views (N, 3, view_size, view_size) in [-1, 1] with their boxes (N, 4) in [0, 1] to logits
        (N, colours + shapes + sizes + 1), the last of a thing with a name. N may be 0."""

    def spell(self, crops: NDArray[np.float32]) -> NDArray[np.float32]:
        """Crops (N, 3, crop_height, crop_width) in [-1, 1] to logits (N, label_length, characters + 1)."""

    def read(self, word_bytes: NDArray[np.int64]) -> Any:
        """Words (max_words, word_bytes) to the backend's own memory of them, for `writer`."""

    def writer(self, memory: Any) -> WriteStep:
        """Begin a reply about what was read; a memory may be written about again and again."""
