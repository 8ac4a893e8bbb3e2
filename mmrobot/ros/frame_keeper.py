"""Which pictures of a camera are recorded exactly: some a second, and those that a plan rests on.

A plan tells its picture's stamp only when it is made, so that the last pictures are kept in memory until
then, as they were on the wire. Depth belongs to the colour picture of its stamp.
"""

from __future__ import annotations

import struct
from collections import deque
from dataclasses import dataclass

NS = 1_000_000_000
MAX_BYTES = 160_000_000
MAX_WANTED = 64
JUMP_NS = NS // 2
# CDR: four bytes of which the second tells the byte order, then the stamp.
STAMP_BEGIN = 4
STAMPS = {0: struct.Struct(">iI"), 1: struct.Struct("<iI")}


def stamp_of(data: bytes) -> int:
    """ROS time, ns, of a serialised message that begins with a Header (or with its time).

    Raises ValueError when it is too short.
    """
    if len(data) < 12:
        raise ValueError(f"a message of {len(data)} bytes has no header")
    seconds, nanoseconds = STAMPS[data[1] & 1].unpack_from(data, STAMP_BEGIN)
    return int(seconds) * NS + int(nanoseconds)


@dataclass(frozen=True)
class Kept:
    """One message as on the wire, of a `stream` ("image" or "depth"), and when it came (ROS time)."""

    stream: str
    stamp_ns: int
    data: bytes
    received_ns: int


class FrameKeeper:
    """Give it messages with `add` and stamps with `want`: both answer what is to be written, each once."""

    def __init__(self, frames_hz: float, tolerance_s: float, max_bytes: int = MAX_BYTES) -> None:
        """`frames_hz` 0 writes none but the wanted; `tolerance_s` is between a picture and its depth."""
        self._period_ns = round(NS / frames_hz) if frames_hz > 0 else None
        self._tolerance_ns = round(tolerance_s * NS)
        self._max_bytes = max_bytes
        self._kept: deque[Kept] = deque()
        self._bytes = 0
        self._wanted: deque[int] = deque(maxlen=MAX_WANTED)
        self._next_ns: int | None = None

    def add(self, stream: str, data: bytes, received_ns: int) -> list[Kept]:
        """A message that has come. Raises ValueError when it has no header."""
        one = Kept(stream, stamp_of(data), data, received_ns)
        found: list[Kept] = []
        if stream == "image" and self._due(one.stamp_ns):
            found += self.want(one.stamp_ns)
        if self._is_wanted(one.stamp_ns):
            return [*found, one]
        self._kept.append(one)
        self._bytes += len(data)
        while self._bytes > self._max_bytes and self._kept:
            self._bytes -= len(self._kept.popleft().data)
        return found

    def want(self, stamp_ns: int) -> list[Kept]:
        """The picture of a stamp and its depth; what of them has not come yet is given out by `add`."""
        self._wanted.append(stamp_ns)
        found = [k for k in self._kept if abs(k.stamp_ns - stamp_ns) <= self._tolerance_ns]
        for one in found:
            self._kept.remove(one)
            self._bytes -= len(one.data)
        return found

    def _is_wanted(self, stamp_ns: int) -> bool:
        return any(abs(stamp_ns - wanted) <= self._tolerance_ns for wanted in self._wanted)

    def _due(self, stamp_ns: int) -> bool:
        if self._period_ns is None:
            return False
        # A clock that jumps back (a bag played again) starts anew.
        back = self._next_ns is not None and stamp_ns < self._next_ns - self._period_ns - JUMP_NS
        if self._next_ns is not None and stamp_ns < self._next_ns and not back:
            return False
        self._next_ns = stamp_ns + self._period_ns
        return True
