"""What happened in a run, of which the final state tells nothing: what was touched, how often what was
picked.

From the simulator's contacts, for judging alone.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from mmrobot.simulator.simulator import Simulator
from mmrobot.tabletop.episode import Episode
from mmrobot.tabletop.goals import WorldState, parse_goal

WATCHED = ("never_touched", "picked_at_most")
# Bodies that are no part of the robot.
_FIXED = frozenset({"table", "world", "ground", "floor"})

_LOST_S = 1.0


class History:
    """Watches one run; idle where no goal of the episode asks."""

    def __init__(self, episode: Episode, simulator: Simulator) -> None:
        self._simulator, self._ids = simulator, frozenset(episode.scene.by_id)
        self._asked = any(parse_goal(g).predicate in WATCHED for g in episode.expect.goal)
        self._touched: set[str] = set()
        self._picks: Counter[str] = Counter()
        self._held: str | None = None
        self._held_s = 0.0

    def see(self) -> None:
        """Call it after each short step of the simulator."""
        if not self._asked:
            return
        world = self._simulator.truth()
        held = world.held
        if held is not None:
            # A grip that gives way for an instant is no second one.
            if held != self._held or world.time_s - self._held_s > _LOST_S:
                self._picks[held] += 1
            self._held, self._held_s = held, world.time_s
        for contact in self._simulator.contacts():
            for one, other in ((contact.first, contact.second), (contact.second, contact.first)):
                if one in self._ids and other not in _FIXED and (other not in self._ids or other == held):
                    self._touched.add(one)

    def told(self, world: WorldState) -> WorldState:
        """The final state with what was seen on the way."""
        return replace(world, touched=tuple(sorted(self._touched)), picks=dict(self._picks))
