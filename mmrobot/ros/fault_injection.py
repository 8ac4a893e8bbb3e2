"""What is done to a camera's messages on their way, as data; how a stamp is changed on the wire.

Pure: the node that does it is fault_injector_node.py.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from mmrobot.ros.frame_keeper import NS, STAMP_BEGIN, STAMPS, stamp_of

CAMERA_TOPICS = ("image", "camera_info", "depth", "depth/camera_info")
TF_TOPIC = "/tf"


def restamped(data: bytes, stamp_ns: int) -> bytes:
    """A serialised message that begins with a time (a Header, a Clock) with another one; never below zero."""
    stamp_of(data)
    changed = bytearray(data)
    whole, rest = divmod(max(0, stamp_ns), NS)
    STAMPS[data[1] & 1].pack_into(changed, STAMP_BEGIN, whole, rest)
    return bytes(changed)


@dataclass(frozen=True)
class Injection:
    """All that can be wrong at once; the default harms nothing.

    `silent` topics say nothing, `frozen` ones repeat the content that they had, under new stamps. `shift_s`
    is added to stamps by topic ("/tf" too), `zero` topics have none, `delay_s` holds messages back by topic.
    `clock_s` is added to the whole graph's time, `loop_s` takes it back by as much again and again.
    `focal` multiplies the focal lengths that camera_info tells, `half_info` halves the size it tells;
    `no_depth` leaves no valid depth; `pixels` (width, height) at `rate_hz` is the camera's picture blown up.
    """

    silent: tuple[str, ...] = ()
    frozen: tuple[str, ...] = ()
    zero: tuple[str, ...] = ()
    shift_s: Mapping[str, float] = field(default_factory=dict)
    delay_s: Mapping[str, float] = field(default_factory=dict)
    clock_s: float = 0.0
    loop_s: float = 0.0
    focal: float = 1.0
    half_info: bool = False
    no_depth: bool = False
    pixels: tuple[int, int] | None = None
    rate_hz: float = 0.0

    @classmethod
    def from_json(cls, text: str) -> Injection:
        """Raises ValueError for what is no injection."""
        values: dict[str, Any] = json.loads(text)
        unknown = set(values) - {f.name for f in fields(cls)}
        if unknown:
            raise ValueError(f"an injection has no {sorted(unknown)}")
        for name in ("silent", "frozen", "zero", "pixels"):
            if values.get(name) is not None:
                values[name] = tuple(values[name])
        return cls(**values)

    def to_json(self) -> str:
        """As it travels."""
        return json.dumps(asdict(self), sort_keys=True)

    def stamp_ns(self, topic: str, stamp_ns: int) -> int:
        """The stamp that a topic's message is given, of the one that it came with."""
        if topic in self.zero:
            return 0
        return max(0, stamp_ns + round(self.shift_s.get(topic, 0.0) * NS))


class Timeline:
    """The graph's time of the simulator's: the same, until the clock jumps or loops.

    What it gives never goes back but by a jump that was asked for.
    """

    def __init__(self) -> None:
        self._offset_ns = 0
        self._loop: tuple[int, int] | None = None

    def change(self, injection: Injection, true_ns: int) -> None:
        """A new injection, at a true time. Once time has jumped it stays there: nobody jumps back to heal."""
        self._offset_ns = self.of(true_ns) - true_ns + round(injection.clock_s * NS)
        self._loop = (true_ns, round(injection.loop_s * NS)) if injection.loop_s > 0 else None

    def of(self, true_ns: int) -> int:
        """The time told at a true time, ns, at least 1 (0 would be: no time at all)."""
        looped = 0
        if self._loop is not None:
            began_ns, period_ns = self._loop
            looped = max(0, true_ns - began_ns) // period_ns * period_ns
        return max(1, true_ns + self._offset_ns - looped)
