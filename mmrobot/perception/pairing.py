"""Colour, depth and camera infos that belong together, found by their stamps.

Latest wins: a newer set replaces one that nobody took, and what is older than the last set is dropped.
Queues are bounded. A stamp of zero pairs anything with anything, so it is refused. A backward jump of
the stamps (a restarted simulation, a bag played again) empties the queues instead of blocking them.
Safe to use from several threads. Clocks are given by the caller: `now_s` is any monotonic clock.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field, replace
from typing import Any

from mmrobot.config import CameraConfig
from mmrobot.errors import InvalidImageError

COLOUR, DEPTH, COLOUR_INFO, DEPTH_INFO = "colour", "depth", "colour_info", "depth_info"
STREAMS = (COLOUR, DEPTH, COLOUR_INFO, DEPTH_INFO)


@dataclass(frozen=True)
class PairingConfig:
    """`tolerance_s` between stamps of one set; `jump_s` back in stamps is a new start.

    `need_depth`: sets without depth are not given out. `need_depth_info`: nor those without its info.
    """

    tolerance_s: float = CameraConfig().pair_tolerance_s
    queue_size: int = CameraConfig().queue_size
    jump_s: float = 0.5
    need_depth: bool = True
    need_depth_info: bool = False


@dataclass(frozen=True, eq=False)
class PairedSet:
    """What belongs together, as it was given; `skew_s` is the widest difference of stamps to colour's."""

    stamp_ns: int
    colour: Any
    colour_info: Any
    depth: Any | None
    depth_info: Any | None
    skew_s: float
    received_s: float


@dataclass
class StreamStatistics:
    """Counts since the start; `last_s` by the caller's clock, None before the first."""

    received: int = 0
    dropped: int = 0
    faults: dict[str, int] = field(default_factory=dict)
    last_s: float | None = None
    last_stamp_ns: int = 0


class FramePairer:
    """Give it messages as they come with `add`, take sets with `take`."""

    def __init__(self, config: PairingConfig = PairingConfig()) -> None:
        self._config = config
        self._tolerance_ns = round(config.tolerance_s * 1e9)
        self._lock = threading.Lock()
        self._queues: dict[str, OrderedDict[int, Any]] = {name: OrderedDict() for name in STREAMS}
        self._statistics = {name: StreamStatistics() for name in STREAMS}
        self._ready: PairedSet | None = None
        self._last_stamp_ns = 0
        self._paired = 0
        self._resets = 0

    def add(self, stream: str, stamp_ns: int, message: Any, now_s: float) -> PairedSet | None:
        """A message of one of STREAMS; returns the set that it completes, which `take` gives out too.

        Raises InvalidImageError with fault `zero_stamp` or `bad_stamp`.
        """
        with self._lock:
            statistics = self._statistics[stream]
            statistics.received += 1
            statistics.last_s = now_s
            self._check_stamp(stream, stamp_ns)
            if stamp_ns < statistics.last_stamp_ns - round(self._config.jump_s * 1e9):
                self._reset()
            elif stamp_ns <= self._last_stamp_ns and stream == COLOUR:
                statistics.dropped += 1
                return None
            statistics.last_stamp_ns = max(stamp_ns, statistics.last_stamp_ns)
            queue = self._queues[stream]
            queue[stamp_ns] = message
            while len(queue) > self._config.queue_size:
                del queue[min(queue)]
                statistics.dropped += 1
            found = self._newest_set(now_s)
            if found is not None:
                self._give(found)
            return found

    def want_depth(self, wanted: bool) -> None:
        """Whether sets without depth are held back from now on."""
        with self._lock:
            self._config = replace(self._config, need_depth=wanted)

    def take(self) -> PairedSet | None:
        """The newest set that was not taken yet, or None."""
        with self._lock:
            ready, self._ready = self._ready, None
            return ready

    def count_fault(self, stream: str, fault: str) -> None:
        """Count a defect found later, while decoding."""
        with self._lock:
            self._count(stream, fault)

    def age_s(self, stream: str, now_s: float) -> float | None:
        """Seconds since a stream's last message by the caller's clock; None when there was none."""
        with self._lock:
            last = self._statistics[stream].last_s
            return None if last is None else now_s - last

    def statistics(self, now_s: float) -> dict[str, Any]:
        """Counts and ages for diagnostics, by stream and in all."""
        with self._lock:
            streams = {
                name: {
                    "received": s.received,
                    "dropped": s.dropped,
                    "waiting": len(self._queues[name]),
                    "age_s": None if s.last_s is None else now_s - s.last_s,
                    "faults": dict(s.faults),
                }
                for name, s in self._statistics.items()
            }
            return {"streams": streams, "paired": self._paired, "resets": self._resets}

    def _check_stamp(self, stream: str, stamp_ns: object) -> None:
        whole = isinstance(stamp_ns, int) and not isinstance(stamp_ns, bool)
        if whole and stamp_ns > 0:  # type: ignore[operator]
            return
        fault = "zero_stamp" if whole and stamp_ns == 0 else "bad_stamp"
        self._count(stream, fault)
        raise InvalidImageError(
            f"{stream} message has stamp {stamp_ns!r}, so nothing can be paired with it",
            "let the driver fill header.stamp; with use_sim_time, check that /clock runs",
            fault,
        )

    def _count(self, stream: str, fault: str) -> None:
        faults = self._statistics[stream].faults
        faults[fault] = faults.get(fault, 0) + 1

    def _reset(self) -> None:
        for name in STREAMS:
            self._queues[name].clear()
            self._statistics[name].last_stamp_ns = 0
        self._ready = None
        self._last_stamp_ns = 0
        self._resets += 1

    def _newest_set(self, now_s: float) -> PairedSet | None:
        for stamp in sorted(self._queues[COLOUR], reverse=True):
            if stamp <= self._last_stamp_ns:
                return None
            partners = {name: self._nearest(name, stamp) for name in (DEPTH, COLOUR_INFO, DEPTH_INFO)}
            missing = partners[COLOUR_INFO] is None
            missing |= self._config.need_depth and partners[DEPTH] is None
            missing |= self._config.need_depth_info and partners[DEPTH_INFO] is None
            if missing:
                continue
            found = {name: None if at is None else self._queues[name][at] for name, at in partners.items()}
            skew = max(abs(at - stamp) for at in partners.values() if at is not None) / 1e9
            return PairedSet(
                stamp,
                self._queues[COLOUR][stamp],
                found[COLOUR_INFO],
                found[DEPTH],
                found[DEPTH_INFO],
                skew,
                now_s,
            )
        return None

    def _nearest(self, name: str, stamp: int) -> int | None:
        queue = self._queues[name]
        if not queue:
            return None
        at = min(queue, key=lambda other: abs(other - stamp))
        return at if abs(at - stamp) <= self._tolerance_ns else None

    def _give(self, found: PairedSet) -> None:
        self._ready = found
        self._last_stamp_ns = found.stamp_ns
        self._paired += 1
        for name, queue in self._queues.items():
            # Partners stay within tolerance of the next colour picture; colour itself is done with.
            reach = 0 if name == COLOUR else self._tolerance_ns
            for stamp in [s for s in queue if s <= found.stamp_ns - reach]:
                del queue[stamp]
