"""A video file from RGB pictures, H.264 in MP4, so that browsers and README pages play it."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray


class VideoFile:
    """Frames at a fixed rate; its size is that of the first frame, cut to even numbers. Frames of another
    size later are brought to it."""

    def __init__(self, path: Path, frames_per_s: int = 10) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._container = av.open(str(path), "w", options={"movflags": "+faststart"})
        self._rate = frames_per_s
        self._stream: av.VideoStream | None = None
        self.frames = 0

    def write(self, rgb: NDArray[np.uint8]) -> None:
        """Append one (H, W, 3) frame."""
        height, width = rgb.shape[0] // 2 * 2, rgb.shape[1] // 2 * 2
        if self._stream is None:
            self._stream = self._container.add_stream("libx264", rate=Fraction(self._rate))
            self._stream.width, self._stream.height = width, height
            self._stream.pix_fmt = "yuv420p"
            self._stream.options = {"preset": "veryfast", "crf": "21", "threads": "1"}
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb[:height, :width]), format="rgb24")
        if (self._stream.width, self._stream.height) != (width, height):
            # A camera may be changed over to another size while it is recorded.
            frame = frame.reformat(self._stream.width, self._stream.height)
        for packet in self._stream.encode(frame):
            self._container.mux(packet)
        self.frames += 1

    def close(self) -> None:
        """Write what is left; more calls do nothing."""
        if self._stream is not None:
            for packet in self._stream.encode():
                self._container.mux(packet)
            self._stream = None
        self._container.close()
