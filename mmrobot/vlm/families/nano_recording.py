"""A backend of mmrobot-nano that remembers what its parts were given: for measuring and comparing parts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmrobot.vlm.families.nano_parts import NanoParts, SeenObjects, WriteStep


@dataclass
class RecordingParts:
    """Passes everything on to `parts`; keeps pictures (3, H, W), crops (3, h, w) and words (T, L)."""

    parts: NanoParts
    pictures: list[NDArray[np.float32]] = field(default_factory=list)
    crops: list[NDArray[np.float32]] = field(default_factory=list)
    texts: list[NDArray[np.int64]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.config, self.name = self.parts.config, self.parts.name

    def see(self, pixel_values: NDArray[np.float32]) -> SeenObjects:
        """Kept, then asked of `parts`."""
        self.pictures.append(pixel_values)
        return self.parts.see(pixel_values)

    def recognise(self, views: NDArray[np.float32], boxes: NDArray[np.float32]) -> NDArray[np.float32]:
        """Asked of `parts`."""
        return self.parts.recognise(views, boxes)

    def spell(self, crops: NDArray[np.float32]) -> NDArray[np.float32]:
        """Kept, then asked of `parts`."""
        self.crops.extend(crops)
        return self.parts.spell(crops)

    def read(self, word_bytes: NDArray[np.int64]) -> Any:
        """Kept, then asked of `parts`."""
        self.texts.append(word_bytes)
        return self.parts.read(word_bytes)

    def writer(self, memory: Any) -> WriteStep:
        """The writer of `parts`."""
        return self.parts.writer(memory)
