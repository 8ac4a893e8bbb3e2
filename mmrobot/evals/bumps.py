"""What the robot runs into: the hardest contact of an episode that is no grasp."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from mmrobot.simulator.contacts import Contact

_FURNITURE = ("table", "floor", "world", "camera")
_FINGER = "finger"


class BumpWatch:
    """Looks at the contacts whenever it is shown some, and keeps the hardest of the robot's own.

    What all fingers touch is grasped, and what is `handled`, the things that the task moves, may be pushed by
    one: their force on it is no bump. What is held may touch what it is put on.
    """

    def __init__(self, objects: Collection[str], handled: Collection[str] = ()) -> None:
        self._things, self._handled = frozenset(objects), frozenset(handled)
        self.peak_force_n = 0.0
        self.peak_between = ""

    def see(self, contacts: Iterable[Contact]) -> None:
        """The contacts of one moment."""
        touched: dict[str, set[str]] = {}
        hits = []
        for contact in contacts:
            robot = [b for b in (contact.first, contact.second) if self._is_robot(b)]
            if len(robot) != 1:
                continue
            other = contact.second if robot[0] == contact.first else contact.first
            if _FINGER in robot[0]:
                touched.setdefault(other, set()).add(robot[0])
            hits.append((contact.force_n, robot[0], other))
        for force_n, body, other in hits:
            grasped = len(touched.get(other, ())) > 1 and other in self._things
            meant = _FINGER in body and (grasped or other in self._handled)
            if not meant and force_n > self.peak_force_n:
                self.peak_force_n, self.peak_between = force_n, f"{body} and {other}"

    def _is_robot(self, body: str) -> bool:
        return body not in self._things and not body.startswith(_FURNITURE)
